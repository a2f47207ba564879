"""Whether a rotation would help, on a sample of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.rotation import fit_rotation, rotate
from fastfunnel.search import exact_search, funnel_search
from fastfunnel.tuning.ranks import ranks_in
from fastfunnel.tuning.sample import Queries

if TYPE_CHECKING:
    from fastfunnel.index import Index

_ROWS = 20_000
_QUERIES = 100
_NOTABLE = 1.5  # times fewer survivors that are worth mentioning


@dataclass(frozen=True)
class RotationGain:
    """Rows that a first stage must keep for 99% of the true top 10, with and without rotation.

    stage: the stage, like b1@256.
    rows: rows of the sample that was measured.
    keep, rotated_keep: rows it must keep; one more than an eighth of the rows where more are needed.
    """

    stage: str
    rows: int
    keep: int
    rotated_keep: int

    @property
    def gain(self) -> float:
        """How many times fewer rows need to survive the stage."""
        return self.keep / self.rotated_keep

    def __str__(self) -> str:
        """Say what to do."""
        found = (
            f"fit_rotation: to keep 99% of the top 10 of {self.rows:,} sampled rows, {self.stage} "
            f"must pass on {self.keep:,} rows as they are, {self.rotated_keep:,} rotated"
        )
        if self.gain < _NOTABLE:
            return f"{found}: not worth rotating."
        return f"{found}: consider Index(dim, rotation=ff.fit_rotation(rows)) and tuning again."


def rotation_gain(index: Index, queries: Queries, seed: int, seconds: float) -> RotationGain | None:
    """Return what `fit_rotation` would gain on a sample, None where there is no time to see.

    Args:
        index: its rows are sampled.
        queries: (n, dim), as the index is asked.
        seed: of the sample.
        seconds: that this may take; fitting grows with the cube of dim.
    """
    dim = index.dim
    if dim < 256 or len(index) < 2000 or seconds < 1 + 2.0 * (dim / 1024) ** 3:
        return None
    start = perf_counter()
    rng = np.random.default_rng(seed)
    _, rows = index.draw(_ROWS, rng)
    some = queries[:_QUERIES]
    stage = Stage(max(dim // 4 // 64 * 64, 128), "b1")
    depth = len(rows) // 8
    truth = exact_search(rows, some, 10).ids
    if perf_counter() - start > seconds / 2:
        return None
    rotation = fit_rotation(rows, seed=seed)
    keeps = []
    for base, asked in ((rows, some), (rotate(rows, rotation), rotate(some, rotation))):
        ids_found = funnel_search(base, asked, depth, Funnel([stage])).ids
        needed = int(np.quantile(ranks_in(truth, ids_found), 0.99, method="higher"))
        keeps.append(min(needed, depth + 1))
    if min(keeps) > depth:
        return None
    return RotationGain(str(stage), len(rows), *keeps)
