"""What is compared: ways to search the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastfunnel.funnel import Funnel, Stage

Family = Literal["exact", "prefix", "prefix, not renormalised", "funnel", "codes", "tuned"]


@dataclass(frozen=True)
class Method:
    """One way to search.

    name: as tables show it.
    family: what it is compared with; prefixes make a curve of their own.
    funnel: None is exact search.
    dims: of the prefix that answers, or of the first stage.
    stored: bytes a row that must be kept, on disk or in memory.
    resident: bytes a row that a search goes through; floats that only rescore may stay on disk.
    """

    name: str
    family: Family
    funnel: Funnel | None
    dims: int
    stored: int
    resident: int

    @property
    def raw_prefix(self) -> bool:
        """Whether prefixes are compared by inner product instead of cosine."""
        return self.family == "prefix, not renormalised"


def prefix_sizes(dim: int) -> list[int]:
    """Return dim / 2, / 4 … / 32, longest first, down to 4."""
    return [dim // part for part in (2, 4, 8, 16, 32) if dim // part >= 4]


def methods(dim: int, trained_dims: tuple[int, ...] = ()) -> list[Method]:
    """Return everything but the tuned funnel, exact search first."""
    floats = 4 * dim
    listed = [Method("all dims, exact", "exact", None, dim, floats, floats)]
    for d in prefix_sizes(dim):
        alone = Funnel([Stage(d, "f32")])
        listed.append(Method(f"{d} dims", "prefix", alone, d, 4 * d, 4 * d))
        raw: Family = "prefix, not renormalised"
        listed.append(Method(f"{d} dims, not renormalised", raw, alone, d, 4 * d, 4 * d))
    full = Stage(dim, "f32")
    bits, int8 = -(-dim // 8), dim + 4
    if dim >= 8:
        first = max(dim // 4, min(64, dim // 2))
        listed.append(_floats("two stages", Funnel.two_stage(dim, first=first), dim))
        schedule = Funnel.matryoshka(dim, trained_dims=trained_dims)
        listed.append(_floats("1/32 … full schedule", schedule, dim))
    listed += [
        Method("1 bit", "codes", Funnel([Stage(dim, "b1")]), dim, bits, bits),
        Method(
            "1 bit, 100 rescored",
            "codes",
            Funnel([Stage(dim, "b1", 100), full]),
            dim,
            floats + bits,
            bits,
        ),
        Method("int8", "codes", Funnel([Stage(dim, "i8")]), dim, int8, int8),
        Method(
            "int8, 100 rescored",
            "codes",
            Funnel([Stage(dim, "i8", 100), full]),
            dim,
            floats + int8,
            int8,
        ),
    ]
    return listed


def funnel_method(name: str, funnel: Funnel | None, dim: int, resident: int) -> Method:
    """Return the method of a tuned or automatic funnel; its floats are stored, not resident."""
    dims = dim if funnel is None else funnel.stages[0].dims
    stored = 4 * dim if resident >= 4 * dim else 4 * dim + resident
    return Method(name, "tuned", funnel, dims, stored, resident)


def _floats(name: str, funnel: Funnel, dim: int) -> Method:
    # Rows lie whole in memory, so scanning a prefix of them keeps all of them there.
    return Method(name, "funnel", funnel, funnel.stages[0].dims, 4 * dim, 4 * dim)
