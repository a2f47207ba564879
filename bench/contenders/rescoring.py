"""Rescoring in NumPy, for peers that return candidates but do not keep the float rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.numpy_baseline import top

Float32s = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


def rescore(base: Float32s, queries: Float32s, candidates: Ids, k: int) -> Ids:
    """Return the k candidates of each query with the highest inner product, best first.

    One dot product a row: a matrix product would wake BLAS threads, which then compete with the
    OpenMP threads that a peer leaves spinning.
    """
    ids = np.empty((len(queries), k), np.int64)
    for number, rows in enumerate(candidates):
        scores = _dots(base[rows], queries[number])
        ids[number] = rows[top(scores[np.newaxis], k)[0]]
    return ids


def _dots(rows: Float32s, query: Float32s) -> Float32s:
    return np.vecdot(rows, query) if hasattr(np, "vecdot") else np.einsum("ij,j->i", rows, query)
