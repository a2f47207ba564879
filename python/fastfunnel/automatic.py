"""The funnel that an index uses when it is given none."""

from __future__ import annotations

from fastfunnel.funnel import Funnel, Stage

EXACT_BELOW = 20_000  # rows; below this exact search takes a millisecond


def automatic_funnel(n_rows: int, dim: int, k: int) -> Funnel | None:
    """Return stages that suit the size, or None where exact search is as fast.

    Args:
        n_rows: rows of the index.
        dim: their dim.
        k: answers a query.
    """
    if n_rows < EXACT_BELOW or 4 * k > n_rows:
        return None
    first = 256 if dim >= 512 else max(dim // 2, min(dim, 64))
    keep = max(n_rows // 100, 20 * k)
    return Funnel(
        [
            Stage(first, "b1", keep),
            Stage(dim, "i8", min(keep, 3 * k)),
            Stage(dim, "f32"),
        ]
    )
