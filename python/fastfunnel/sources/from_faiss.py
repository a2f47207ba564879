"""An index from one of FAISS's that still holds its vectors."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import Metric
from fastfunnel.index import Index
from fastfunnel.model import Model
from fastfunnel.sources.filling import ROWS_AT_ONCE, fill

if TYPE_CHECKING:
    from fastfunnel.compat.faiss import IndexBinaryFlat, IndexBinaryIDMap

# What `reconstruct_n` returns of these is what was added, bit for bit.
_EXACT = ("IndexFlat", "IndexFlatIP", "IndexFlatL2", "IndexHNSWFlat")
_MAPS = ("IndexIDMap", "IndexIDMap2", "IndexBinaryIDMap", "IndexBinaryIDMap2")


def from_faiss(
    index: Any, *, model: str | Model | None = None, into: Index | None = None
) -> Index | IndexBinaryFlat | IndexBinaryIDMap:
    """Return an index of the vectors that a FAISS index holds.

    Args:
        index: IndexFlat, IndexFlatIP, IndexFlatL2, IndexHNSWFlat, the flat refinement of an
            IndexRefineFlat, or IndexIDMap(2) of these; IndexBinaryFlat or IndexBinaryIDMap(2) of it.
        model: what made the vectors, as for `Index`.
        into: an index to add the rows to instead of a new one in memory, of the same metric.

    Returns:
        An index with FAISS's metric ("ip" or "l2", its scores the negative squared distances) and
        ids: those of its IDMap, else positions. Binary codes come as
        `fastfunnel.compat.faiss.IndexBinaryFlat`, in an IndexBinaryIDMap if they were.

    Raises:
        TypeError: for an index that holds its vectors compressed, or not at all.
        ValueError: for another metric, for ids that repeat or are negative.
    """
    faiss = importlib.import_module("faiss")
    inner, ids = _unwrapped(index, faiss)
    kind = type(inner).__name__
    if kind == "IndexBinaryFlat":
        if into is not None:
            raise TypeError("into must be None for binary codes: an Index holds floats")
        return _binary(inner, ids)
    if kind not in _EXACT:
        raise TypeError(
            f"index must hold its vectors as they were added: {', '.join(_EXACT)} or IndexRefineFlat, "
            f"perhaps in an IndexIDMap, got {kind}"
        )
    metric = _metric(inner.metric_type, faiss)
    if into is not None and into.metric != metric:
        raise ValueError(f"into must have metric {metric!r}, as index, got {into.metric!r}")
    return fill(_portions(inner, ids), f"faiss.{kind}", into, metric, model)


def _unwrapped(index: Any, faiss: Any) -> tuple[Any, npt.NDArray[np.int64] | None]:
    if not isinstance(index, (faiss.Index, faiss.IndexBinary)):
        raise TypeError(f"index must be a faiss index, got {type(index).__name__}")
    binary = isinstance(index, faiss.IndexBinary)
    downcast = faiss.downcast_IndexBinary if binary else faiss.downcast_index
    index, ids = downcast(index), None
    if type(index).__name__ in _MAPS:
        ids = faiss.vector_to_array(index.id_map)
        index = downcast(index.index)
    if type(index).__name__ in ("IndexRefineFlat", "IndexRefine"):
        index = downcast(index.refine_index)
    return index, ids


def _metric(metric: int, faiss: Any) -> Metric:
    names: dict[int, Metric] = {faiss.METRIC_INNER_PRODUCT: "ip", faiss.METRIC_L2: "l2"}
    if metric not in names:
        raise ValueError(f"index must rank by inner product or L2, got metric {metric}")
    return names[metric]


def _portions(
    index: Any, ids: npt.NDArray[np.int64] | None
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64] | None]]:
    for first in range(0, index.ntotal, ROWS_AT_ONCE):
        n = min(ROWS_AT_ONCE, index.ntotal - first)
        yield index.reconstruct_n(first, n), None if ids is None else ids[first : first + n]


def _binary(index: Any, ids: npt.NDArray[np.int64] | None) -> IndexBinaryFlat | IndexBinaryIDMap:
    from fastfunnel.compat import faiss as front

    copy = front.IndexBinaryFlat(index.d)
    for codes, _ in _portions(index, None):
        copy.add(codes)
    return copy if ids is None else front.IndexBinaryIDMap.over(copy, ids)
