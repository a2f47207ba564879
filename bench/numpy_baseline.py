"""What a careful NumPy user writes for each public function: the baseline of the figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int64]

_SCORE_BLOCK = 16_000_000  # scores held at once: 64 MB of float32
_POPCOUNTS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def normalize(x: Float32s) -> Float32s:
    """Return unit rows; zero rows stay zero."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(lengths > 0, lengths, 1)


def truncate(x: Float32s, dim: int) -> Float32s:
    """Return unit prefixes."""
    return normalize(x[:, :dim])


def binarize(x: Float32s) -> Codes:
    """Return packed sign bits."""
    return np.packbits(x > 0, axis=1)


def exact_search(base: Float32s, queries: Float32s, k: int) -> Ids:
    """Return the top k by inner product: a matrix product, then argpartition."""
    step = max(1, _SCORE_BLOCK // len(base))
    return np.concatenate(
        [top(queries[i : i + step] @ base.T, k) for i in range(0, len(queries), step)]
    )


def hamming_search(codes: Codes, query_codes: Codes, k: int) -> tuple[Ids, npt.NDArray[np.int32]]:
    """Return ids and distances of the k nearest codes, one query at a time."""
    wide = codes.shape[1] % 8 == 0 and hasattr(np, "bitwise_count")
    rows = codes.view(np.uint64) if wide else codes
    queries = query_codes.view(np.uint64) if wide else query_codes
    ids = np.empty((len(queries), k), np.int64)
    distances = np.empty((len(queries), k), np.int32)
    for number, query in enumerate(queries):
        different = rows ^ query
        counts = np.bitwise_count(different) if wide else _POPCOUNTS[different]
        all_distances = counts.sum(axis=1, dtype=np.int32)
        ids[number] = top(-all_distances[np.newaxis], k)[0]
        distances[number] = all_distances[ids[number]]
    return ids, distances


class PrefixFunnel:
    """The literature's float funnel: cosines of longer and longer prefixes of fewer and fewer rows.

    Lengths of the prefixes are computed once; the first prefix is stored contiguously.
    """

    def __init__(self, base: Float32s, dims: Sequence[int], keeps: Sequence[int]) -> None:
        """Prepare stages of `dims` leading dims, all but the last keeping `keeps` rows."""
        self._base = base
        self._dims = list(dims)
        self._keeps = [min(keep, len(base)) for keep in keeps]
        self._first = truncate(base, self._dims[0])
        self._inverse = {
            d: 1 / np.maximum(np.linalg.norm(base[:, :d], axis=1), np.float32(1e-12))
            for d in self._dims[1:]
        }

    def search(self, queries: Float32s, k: int) -> Ids:
        """Return the top k that the funnel finds."""
        keeps = [*self._keeps, k]
        candidates = exact_search(self._first, queries[:, : self._dims[0]], keeps[0])
        ids = np.empty((len(queries), k), np.int64)
        for number, query in enumerate(queries):
            rows = candidates[number]
            for d, keep in zip(self._dims[1:], keeps[1:], strict=True):
                scores = self._base[rows, :d] @ query[:d] * self._inverse[d][rows]
                rows = rows[top(scores[np.newaxis], keep)[0]]
            ids[number] = rows[:k]
        return ids


def top(scores: npt.NDArray[np.float32], k: int) -> Ids:
    """Return the positions of the k highest scores of each row, best first."""
    n = scores.shape[1]
    best = np.argpartition(scores, n - k, axis=1)[:, n - k :] if k < n else None
    if best is None:
        return np.argsort(-scores, axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)
