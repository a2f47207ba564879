"""Search over arrays: exact, Hamming, and by a funnel. Nothing is kept between calls."""

from __future__ import annotations

from typing import NamedTuple

import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import as_codes, as_count, as_isa, as_queries, as_rows, as_threads
from fastfunnel.funnel import Funnel


class SearchResult(NamedTuple):
    """The k best rows of each query, best first, ties by lower id.

    ids: int64 (n_queries, k), -1 where there are fewer than k rows.
    scores: float32 (n_queries, k), cosines unless an index has another metric, -inf there.
    """

    ids: _core.IdArray
    scores: _core.ScoreArray


class HammingResult(NamedTuple):
    """The k nearest codes of each query, nearest first, ties by lower id.

    ids: int64 (n_queries, k), -1 where there are fewer than k codes.
    distances: int32 (n_queries, k), bits that differ, -1 there.
    """

    ids: _core.IdArray
    distances: _core.DistanceArray


def exact_search(
    base: npt.ArrayLike,
    queries: npt.ArrayLike,
    k: int = 10,
    *,
    threads: int | None = None,
    isa: str | None = None,
) -> SearchResult:
    """Return the true top k by cosine.

    Scores are compared in float64, so the ids are those of brute force in float64.

    Args:
        base: (n, dim) float32, float64, float16, bfloat16 or int8; not copied, any row stride.
        queries: (n_queries, dim) or (dim,), the same dtypes. Neither need be normalised; a zero
            row or query has cosine 0 with everything.
        k: answers a query, at least 1.
        threads: None uses every core.
        isa: force one of `available_isas()`; None uses `active_isa()`.

    Returns:
        SearchResult; row numbers of `base` are its ids.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
    """
    rows = as_rows(base, "base")
    return SearchResult(
        *_core.exact_search(
            rows,
            as_queries(queries, rows.shape[1]),
            as_count(k, "k"),
            as_threads(threads),
            as_isa(isa),
        )
    )


def funnel_search(
    base: npt.ArrayLike,
    queries: npt.ArrayLike,
    k: int = 10,
    funnel: Funnel | None = None,
    *,
    threads: int | None = None,
    isa: str | None = None,
) -> SearchResult:
    """Return the top k by cosine that a funnel finds.

    The codes that its stages read are made for this call; an Index keeps them.

    Args:
        base: (n, dim) float32, float64, float16, bfloat16 or int8; not copied, any row stride.
        queries: (n_queries, dim) or (dim,), the same dtypes.
        k: answers a query, at least 1 and at most what any stage keeps.
        funnel: stages up to dim; None is `Funnel.matryoshka(dim)`.
        threads: None uses every core.
        isa: force one of `available_isas()`; None uses `active_isa()`.

    Returns:
        SearchResult; scores are those of the last stage: true cosines if it reads f32.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape, for nan or inf, for a funnel
            that does not fit dim or k.
    """
    rows = as_rows(base, "base")
    funnel = Funnel.matryoshka(rows.shape[1]) if funnel is None else as_funnel(funnel)
    return SearchResult(
        *_core.funnel_search(
            rows,
            as_queries(queries, rows.shape[1]),
            funnel.to_core(),
            as_count(k, "k"),
            as_threads(threads),
            as_isa(isa),
        )
    )


def hamming_search(
    codes: npt.ArrayLike,
    query_codes: npt.ArrayLike,
    k: int = 10,
    *,
    threads: int | None = None,
    isa: str | None = None,
) -> HammingResult:
    """Return the k nearest codes by Hamming distance, exactly.

    Args:
        codes: (n, width) uint8, packed bits as `binarize` makes them; not copied, any row stride.
        query_codes: (n_queries, width) uint8.
        k: answers a query, at least 1.
        threads: None uses every core.
        isa: force one of `available_isas()`; None uses `active_isa()`.

    Returns:
        HammingResult; row numbers of `codes` are its ids.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape.
    """
    rows = as_codes(codes, "codes")
    queries = as_codes(query_codes, "query_codes", rows.shape[1])
    return HammingResult(
        *_core.hamming_search(rows, queries, as_count(k, "k"), as_threads(threads), as_isa(isa))
    )


def as_funnel(funnel: object) -> Funnel:
    """Return `funnel` if it is one; raises TypeError otherwise."""
    if not isinstance(funnel, Funnel):
        raise TypeError(f"funnel must be a Funnel, got {type(funnel).__name__}")
    return funnel
