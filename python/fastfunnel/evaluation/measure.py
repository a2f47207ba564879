"""Recall and speed of one method."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.evaluation.methods import Method
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.index import Index
from fastfunnel.sampling import are_among
from fastfunnel.tuning.timing import measure as time_search
from fastfunnel.vectors import normalize

Rows = npt.NDArray[np.float32]
_SINGLES = 200  # queries timed one by one in each of up to three rounds
_CHUNK = 128  # queries a call, so that Ctrl-C gets through


@dataclass(frozen=True)
class Measured:
    """What a method did; one thread for the times.

    name, family, funnel: of the method; funnel as text, None for exact search.
    dims: of the prefix, or of the first stage.
    recall: mean share of the true top k found.
    p50_ms, p99_ms: milliseconds of single queries.
    queries_per_second: in a batch.
    stored_mb, ram_mb: megabytes (1e6 bytes) a million rows: kept, and gone through by a search.
    memory_saved: share of the RAM of full floats that is not needed.
    """

    name: str
    family: str
    funnel: str | None
    dims: int
    recall: float
    p50_ms: float
    p99_ms: float
    queries_per_second: float
    stored_mb: float
    ram_mb: float
    memory_saved: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def measure(method: Method, index: Index, queries: Rows, truth: npt.NDArray[np.int64]) -> Measured:
    """Return recall and times of a method.

    Args:
        method: how to search.
        index: the rows, under the ids that truth has.
        queries: (n, dim).
        truth: (n, k) ids.
    """
    k = truth.shape[1]
    searched, asked, funnel = index, queries, method.funnel
    if method.raw_prefix:
        searched, asked = raw_prefix_index(index, queries, method.dims)
        funnel = Funnel([Stage(method.dims + 1, "f32")])
    ids = [
        searched.search(asked[first : first + _CHUNK], k, funnel=funnel, exact=funnel is None).ids
        for first in range(0, len(asked), _CHUNK)
    ]
    timing = time_search(searched, asked, k, funnel, _SINGLES)
    return Measured(
        name=method.name,
        family=method.family,
        funnel=None if method.funnel is None else str(method.funnel),
        dims=method.dims,
        recall=float(are_among(truth, np.concatenate(ids)).mean()),
        p50_ms=1e3 * timing.p50,
        p99_ms=1e3 * timing.p99,
        queries_per_second=timing.queries_per_second,
        stored_mb=float(method.stored),
        ram_mb=float(method.resident),
        memory_saved=max(0.0, 1 - method.resident / (4 * index.dim)),
    )


def raw_prefix_index(index: Index, queries: Rows, dims: int) -> tuple[Index, Rows]:
    """Return an index and queries whose cosines rank as inner products of raw prefixes do.

    Rows are taken at unit length and cut without renormalising. One more value makes all of them
    equally long, so that dividing by the length changes no order; the queries have 0 there.
    """
    ids = np.fromiter(index, np.int64, len(index))
    prefixes = normalize(index.get(ids))[:, :dims].astype(np.float32)
    squares = np.einsum("ij,ij->i", prefixes, prefixes, dtype=np.float64)
    rest = np.sqrt(np.maximum(squares.max() - squares, 0)).astype(np.float32)
    raw = Index(dims + 1)
    raw.add(np.column_stack([prefixes, rest]), ids)
    asked = np.column_stack([queries[:, :dims], np.zeros(len(queries), np.float32)])
    return raw, asked.astype(np.float32)
