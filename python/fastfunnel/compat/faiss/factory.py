"""An index from its description."""

from __future__ import annotations

from fastfunnel.compat.faiss.flat import IndexFlat
from fastfunnel.compat.faiss.funnel import IndexFunnel
from fastfunnel.compat.faiss.id_map import IndexIDMap, IndexIDMap2
from fastfunnel.compat.faiss.index import Index
from fastfunnel.compat.faiss.metrics import METRIC_L2

_MAPS = {"IDMap": IndexIDMap, "IDMap2": IndexIDMap2}


def index_factory(d: int, description: str, metric: int = METRIC_L2) -> Index:
    """Return "Flat" or "Funnel", perhaps behind "IDMap," or "IDMap2,".

    Raises:
        ValueError: for other descriptions and metrics.
    """
    *wrappers, kind = description.split(",")
    if kind not in ("Flat", "Funnel") or len(wrappers) > 1 or not _MAPS.keys() >= set(wrappers):
        raise ValueError(
            f"description must be Flat or Funnel, perhaps behind IDMap or IDMap2, got {description!r}"
        )
    index: Index = IndexFlat(d, metric) if kind == "Flat" else IndexFunnel(d, metric)
    return _MAPS[wrappers[0]](index) if wrappers else index
