"""The ways to search that the demo compares, all over the same float32 rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

import fastfunnel as ff
from fastfunnel.embedders import FloatRows

IdRows: TypeAlias = npt.NDArray[np.int64]

FLOAT_BYTES = 4
NUMPY_CHUNK = 64
"""Queries scored at a time in numpy: their scores, not the base, must stay small."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A named search: (m, dim) unit float32 queries and k to (m, k) int64 ids, on one thread.

    `scanned_bytes` is what its first stage reads of every row.
    """

    name: str
    scanned_bytes: int
    search: Callable[[FloatRows, int], IdRows]


def contenders(base: FloatRows, k: int) -> list[Contender]:
    """Return numpy's exact search, then ours over one index of `base` (n, dim) unit float32 rows.

    The index's default comes last. Over few rows that is the exact search, named as such. The
    schedule is the literature's, down to 1/32 of the dims, whatever dims the model was trained at.
    """
    dim = base.shape[1]
    index = ff.Index(dim=dim)
    index.add(base)

    def ours(name: str, funnel: ff.Funnel) -> Contender:
        def search(queries: FloatRows, count: int) -> IdRows:
            return index.search(queries, k=count, funnel=funnel, threads=1).ids

        return Contender(name, funnel.stages[0].row_bytes, search)

    def exact(queries: FloatRows, count: int) -> IdRows:
        return index.search(queries, k=count, exact=True, threads=1).ids

    quarter = max(1, dim // 4)
    schedule = ff.Funnel.matryoshka(dim)
    default = index.default_funnel(k)
    steps = " → ".join(str(stage.dims) for stage in schedule.stages)
    return [
        Contender("numpy, exact", dim * FLOAT_BYTES, NumpyExact(base)),
        Contender("exact search", dim, exact),
        ours(f"two-stage {quarter} → {dim}", ff.Funnel.two_stage(dim, first=quarter)),
        ours(f"schedule {steps}", schedule),
        Contender("default: exact search", dim, exact)
        if default is None
        else ours(f"default: {_described(default.stages[0])}", default),
    ]


def _described(stage: ff.Stage) -> str:
    unit = {"b1": "bits", "i8": "bytes", "f32": "floats"}[stage.precision]
    return f"{stage.dims} {unit} first"


class NumpyExact:
    """Exact top k with a matrix product and a partial sort: what numpy alone can do."""

    def __init__(self, base: FloatRows) -> None:
        """Search these (n, dim) unit float32 rows."""
        self._base = base

    def __call__(self, queries: FloatRows, k: int) -> IdRows:
        """Return (m, min(k, n)) int64 rows, best first."""
        k = min(k, len(self._base))
        ids = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), NUMPY_CHUNK):
            scores = queries[start : start + NUMPY_CHUNK] @ self._base.T
            top = np.argpartition(scores, -k, axis=1)[:, -k:]
            best = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1)
            ids[start : start + NUMPY_CHUNK] = np.take_along_axis(top, best, axis=1)
        return ids
