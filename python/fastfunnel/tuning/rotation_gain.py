"""Whether a rotation would make searching cheaper, on a sample of the rows."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.rotation import mixed, principal_axes, rotate
from fastfunnel.search import exact_search, funnel_search
from fastfunnel.tuning.cost import Costs
from fastfunnel.tuning.ranks import ranks_in
from fastfunnel.tuning.sample import Queries
from fastfunnel.vectors import normalize

if TYPE_CHECKING:
    from fastfunnel.index import Index

_ROWS = 10_000
_QUERIES = 100
_K = 10
_NOTABLE = 1.2  # times faster that is worth mentioning


@dataclass(frozen=True)
class Scan:
    """The sign bits that find 99% of the true top 10 soonest, then floats.

    stage: like b1@256. keep: rows of the index that it must keep. seconds: predicted, a query.
    """

    stage: str
    keep: int
    seconds: float


@dataclass(frozen=True)
class RotationGain:
    """The best scan of sign bits with and without a rotation, on a sample of the rows.

    rows: of the sample. prefix: argument of `fit_rotation`. plain, rotated: the scans.
    """

    rows: int
    prefix: int
    plain: Scan
    rotated: Scan

    @property
    def gain(self) -> float:
        """How many times faster the rotated scan is."""
        return self.plain.seconds / self.rotated.seconds

    def __str__(self) -> str:
        """Say what to do."""
        found = (
            f"fit_rotation: for 99% of the top 10, by {self.rows:,} sampled rows, {_said(self.plain)} "
            f"as the rows are; {_said(self.rotated)} rotated"
        )
        if self.gain < _NOTABLE:
            return f"{found}: not worth rotating."
        return (
            f"{found}: try Index(dim, rotation=ff.fit_rotation(rows, prefix={self.prefix})) and "
            "tune that."
        )


def rotation_gain(
    index: Index, queries: Queries, costs: Costs, seed: int, seconds: float
) -> RotationGain | None:
    """Return what `fit_rotation` would gain on a sample, None where there is no time to see.

    Args:
        index: its rows are sampled.
        queries: (n, dim), as the index is asked.
        costs: of its stages.
        seed: of the sample.
        seconds: that this may take; fitting grows with the cube of dim. Without threadpoolctl it
            is not tried: see fastfunnel/blas.py.
    """
    dim = index.dim
    stages = [s for s in costs.scans if s.precision == "b1" and 4 * s.dims >= dim]
    if (
        dim < 256
        or len(index) < 2000
        or seconds < 1 + 3.0 * (dim / 1024) ** 3
        or not stages
        or importlib.util.find_spec("threadpoolctl") is None
    ):
        return None
    start = perf_counter()
    rng = np.random.default_rng(seed)
    rows: Queries = normalize(index.draw(_ROWS, rng)[1]).astype(np.float32, copy=False)
    some = queries[:_QUERIES]
    truth = exact_search(rows, some, _K).ids

    def best(base: Queries, asked: Queries) -> Scan | None:
        scans = [_scan(base, asked, truth, stage, len(index), costs) for stage in stages]
        return min((s for s in scans if s is not None), key=lambda s: s.seconds, default=None)

    plain = best(rows, some)
    if plain is None or perf_counter() - start > seconds / 2:
        return None
    prefix = max(dim // 2 // 64 * 64, 64)
    rotation = mixed(principal_axes(rows), prefix, rng)
    rotated = best(rotate(rows, rotation), rotate(some, rotation))
    return None if rotated is None else RotationGain(len(rows), prefix, plain, rotated)


def _scan(
    base: Queries,
    asked: Queries,
    truth: npt.NDArray[np.int64],
    stage: Stage,
    n_rows: int,
    costs: Costs,
) -> Scan | None:
    """Return the scan by a stage, None where it must keep more than an eighth of the rows."""
    depth = len(base) // 8
    found = funnel_search(base, asked, depth, Funnel([stage])).ids
    needed = int(np.quantile(ranks_in(truth, found), 0.99, method="higher"))
    if needed > depth:
        return None
    keep = max(_K, round(needed * n_rows / len(base)))
    full = Stage(base.shape[1], "f32")
    return Scan(str(stage), keep, costs.of([stage, full], [keep, _K]))


def _said(scan: Scan) -> str:
    return f"{scan.stage} must keep {scan.keep:,} ({1e3 * scan.seconds:.3f} ms)"
