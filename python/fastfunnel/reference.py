"""The searches in plain NumPy: what the core computes, slowly and without its tricks.

Read it to learn what a funnel is; the tests hold the core against it. Nothing here is fast: every
stage scores every row, every score is a float64.

Shapes: n rows, d dims. A query is (d,), its scores are (n,).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.search import HammingResult, SearchResult

Float32s: TypeAlias = npt.NDArray[np.float32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

_SCAN_SLICE_DIMS = 64  # the scan adds 8-bit numbers over so many dims …
_SCAN_SLICE_MAX = np.float32(255)
_SCAN_MAX = np.float32(32767)  # … and 16-bit numbers over all of them
_INT8_SMALLEST = 1e-30


def exact_search(base: npt.ArrayLike, queries: npt.ArrayLike, k: int = 10) -> SearchResult:
    """Return the true top k rows by cosine, ties by lower row number.

    Args:
        base: (n, d) rows, compared as float64.
        queries: (n_queries, d) or (d,), rounded to float32 as the core does.
        k: answers a query; rows that do not exist have id -1 and score -inf.
    """
    rows = np.asarray(base, dtype=np.float64)
    return _search(_as_queries(queries), k, lambda query: (_all(rows), _cosines(rows, query)))


def hamming_search(codes: npt.ArrayLike, query_codes: npt.ArrayLike, k: int = 10) -> HammingResult:
    """Return the k codes that differ in the fewest bits, ties by lower row number.

    Args:
        codes: (n, width) uint8, packed bits.
        query_codes: (n_queries, width) uint8.
        k: answers a query; codes that do not exist have id -1 and distance -1.
    """
    bits = np.unpackbits(np.asarray(codes, dtype=np.uint8), axis=1)
    queries = np.unpackbits(np.asarray(query_codes, dtype=np.uint8), axis=1)
    ids = np.full((len(queries), k), -1, dtype=np.int64)
    distances = np.full((len(queries), k), -1, dtype=np.int32)
    for q, query in enumerate(queries):
        differing = (bits != query).sum(axis=1)
        nearest = np.argsort(differing, kind="stable")[:k]
        ids[q, : len(nearest)] = nearest
        distances[q, : len(nearest)] = differing[nearest]
    return HammingResult(ids, distances)


def funnel_search(
    base: npt.ArrayLike, queries: npt.ArrayLike, k: int = 10, funnel: Funnel | None = None
) -> SearchResult:
    """Return the top k rows that are left at the end of a funnel.

    Every stage scores the rows that the one before passed on, and passes on its best `keep`, ties
    by lower row number; the last one keeps k.

    Args:
        base: (n, d) rows, rounded to float32 as the core does.
        queries: (n_queries, d) or (d,), likewise.
        k: answers a query; rows that do not exist have id -1 and score -inf.
        funnel: the stages; None is `Funnel.matryoshka(d)`.
    """
    rows = np.asarray(base, dtype=np.float32)
    stages = (Funnel.matryoshka(rows.shape[1]) if funnel is None else funnel).stages

    def fall_through(query: Float32s) -> tuple[Integers, Float64s]:
        candidates = _all(rows)
        for number, stage in enumerate(stages):
            scores = stage_scores(rows[candidates], query, stage, scan=number == 0)
            if stage.keep is not None:
                best = np.sort(_best(scores, stage.keep))  # row order, so that ties stay ties
                candidates = candidates[best]
        return candidates, scores

    return _search(_as_queries(queries), k, fall_through)


def stage_scores(rows: Float32s, query: Float32s, stage: Stage, scan: bool) -> Float64s:
    """Return the cosine of each row as a stage sees it, (n,).

    Args:
        rows: (n, d) float32.
        query: (d,) float32.
        stage: dims and precision.
        scan: whether the stage is the first, which reads every row. Only asymmetric bits differ:
            the scan reads a coarser query than the stages that look at few rows.
    """
    prefixes, prefix = rows[:, : stage.dims], query[: stage.dims]
    if stage.precision == "f32":
        return _cosines(prefixes.astype(np.float64), prefix)
    if stage.precision == "i8":
        return _int8_cosines(rows, query, stage.dims)
    bits = prefixes > 0
    if stage.symmetric:
        return np.asarray(1 - 2 * (bits != (prefix > 0)).sum(axis=1) / stage.dims)
    return _scanned_bit_cosines(bits, prefix) if scan else _bit_cosines(bits, prefix)


def _cosines(rows: Float64s, query: Float32s) -> Float64s:
    """Return true cosines; 0 where a row or the query is zero."""
    query = query.astype(np.float64)
    lengths = np.sqrt(_sums(query * query)) * np.sqrt(_sums(rows * rows))
    return _divide(_sums(rows * query), lengths)


def _int8_cosines(rows: Float32s, query: Float32s, dims: int) -> Float64s:
    """Return cosines of int8 rows with a query of integers in -63 … 63.

    Integers and their unit come from all dims, so that prefixes need none of their own. Lengths are
    those of the unrounded prefixes.
    """
    integers, units = _integers(rows, limit=127)
    query_integers, query_unit = _integers(query, limit=63)
    dots = (integers[:, :dims] @ query_integers[:dims]) * units[:, 0] * query_unit
    prefixes = rows[:, :dims].astype(np.float64)
    return _divide(dots, np.sqrt(_sums(prefixes**2)) * _length(query[:dims]))


def _bit_cosines(bits: npt.NDArray[np.bool_], query: Float32s) -> Float64s:
    """Return cosines of rows of ±1 with a query of integers in -127 … 127.

    The query keeps its values, the row only its signs: "asymmetric". A row of ±1 has length sqrt(d).
    """
    integers, unit = _integers(query, limit=127)
    dots = np.where(bits, integers, -integers).sum(axis=1) * unit
    return _divide(dots, _length(query) * np.sqrt(bits.shape[1]))


def _integers(values: Float32s, limit: int) -> tuple[Integers, Float64s]:
    """Return (n, d) integers in -limit … limit and (n, 1) units: values ≈ integers * units.

    Rounding decides, so the products are float32 as in the core. A row that has no value of at
    least 1e-30 becomes zeros: float32 could not hold the inverse of its unit.
    """
    largest = np.abs(values).max(axis=-1, keepdims=True)
    largest[largest < _INT8_SMALLEST] = 0
    integers = np.rint(values * _divide(np.float32(limit), largest))
    return integers.astype(np.int64), largest.astype(np.float64) / limit


def _scanned_bit_cosines(bits: npt.NDArray[np.bool_], query: Float32s) -> Float64s:
    """Return cosines of rows of ±1 with a query as the scan reads it: small integers.

    The scan rounds |q| times a scale, as large as lets the integers sum to 8 bits over 64 dims and
    15 bits over all. Rounding depends on every float32 operation, so they are here in the core's
    order.
    """
    n, dims = bits.shape
    slices = np.pad(np.abs(query), (0, -dims % _SCAN_SLICE_DIMS)).reshape(-1, _SCAN_SLICE_DIMS)
    sums = _sums(slices)
    if not sums.max() > 0:
        return np.zeros(n)
    scale = min(_SCAN_SLICE_MAX / sums.max(), _SCAN_MAX / _sums(sums))
    while True:  # rounding may pass the limits by a little
        sizes = (slices * scale + np.float32(0.5)).astype(np.int64)
        if sizes.sum(axis=1).max() <= _SCAN_SLICE_MAX and sizes.sum() <= _SCAN_MAX:
            break
        scale *= np.float32(0.99)
    weights = np.sign(query).astype(np.int64) * sizes.reshape(-1)[:dims]
    dots = np.where(bits, weights, -weights).sum(axis=1) / float(scale)
    return np.asarray(dots / (_length(query) * np.sqrt(dims)))


def _search(queries: Float32s, k: int, find: Any) -> SearchResult:
    """Return the k best of the (rows, scores) that `find` returns for each query."""
    ids = np.full((len(queries), k), -1, dtype=np.int64)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for q, query in enumerate(queries):
        rows, row_scores = find(query)
        best = _best(row_scores, k)
        ids[q, : len(best)] = rows[best]
        scores[q, : len(best)] = row_scores[best]
    return SearchResult(ids, scores)


def _as_queries(value: npt.ArrayLike) -> Float32s:
    return np.atleast_2d(np.asarray(value)).astype(np.float32)


def _all(rows: npt.NDArray[Any]) -> Integers:
    return np.arange(len(rows))


def _best(scores: Float64s, keep: int) -> Integers:
    """Return the positions of the highest scores, best first, ties by lower position."""
    return np.argsort(-scores, kind="stable")[:keep]


def _sums(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums over the last axis, one term after the other.

    NumPy's own sums go by pairs or by lanes; the core's order keeps rounding, and so ties, the same.
    """
    return np.asarray(np.cumsum(values, axis=-1)[..., -1])


def _length(query: Float32s) -> float:
    return float(np.sqrt(_sums(query.astype(np.float64) ** 2)))


def _divide(values: npt.ArrayLike, divisor: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return values / divisor, 0 where the divisor is 0."""
    values, divisor = np.broadcast_arrays(values, divisor)
    quotients = np.zeros(values.shape, np.result_type(values, divisor))
    np.divide(values, divisor, out=quotients, where=divisor > 0)
    return quotients
