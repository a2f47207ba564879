"""The stages that a funnel may be made of, and what its planes weigh."""

from __future__ import annotations

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tiers import Tiers

MOST_STAGES = 5
_PLANE_DIMS = 64  # sign and int8 rows are padded to so many dims


def ladder(dim: int) -> list[int]:
    """Return the prefixes worth a look, ascending: 64, 128, 256 …, a quarter, a half, all."""
    rungs = {64 << i for i in range(16)}
    rungs |= {dim // part // _PLANE_DIMS * _PLANE_DIMS for part in (2, 4)}
    if dim <= 2 * _PLANE_DIMS:
        rungs |= {dim // 2}
    return sorted({rung for rung in rungs if 0 < rung < dim} | {dim})


def scorers(dim: int, tiers: Tiers) -> list[Stage]:
    """Return the stages that may precede the last one, the likeliest to be useful first.

    Sign bits of every rung, then int8, then floats. Hamming distance is left out: the scan costs
    the same with the query's values, which rank better. Of the codes only those that are kept;
    prefixes of floats only where they lie in memory.
    """
    rungs = ladder(dim)[::-1]
    shorter = rungs[1:]
    return [
        *(Stage(d, code) for code in tiers.codes for d in rungs),
        *(Stage(d, "f32") for d in shorter if not tiers.on_disk),
    ]


def resident_bytes(funnel: Funnel | None, dim: int) -> int:
    """Return the bytes a row that a search goes through again and again.

    The codes of every stage and the lengths they need; the float rows only where the first stage
    scans them. Floats that only rescore a shortlist may stay on disk. None is exact search.
    """
    padded = (dim + _PLANE_DIMS - 1) // _PLANE_DIMS * _PLANE_DIMS
    if funnel is None:
        return 4 * dim + 4
    planes: dict[str, int] = {}
    for number, stage in enumerate(funnel.stages):
        if stage.precision == "b1" and number == 0:
            planes["scan"] = (stage.dims + _PLANE_DIMS - 1) // _PLANE_DIMS * 8
        elif stage.precision == "b1":
            planes["sign rows"] = padded // 8
        elif stage.precision == "i8":
            planes["int8 rows"] = padded + 4
            planes[f"lengths {stage.dims}"] = 4
        elif number == 0:
            planes["floats"] = 4 * dim
            planes[f"lengths {stage.dims}"] = 4
    return sum(planes.values())
