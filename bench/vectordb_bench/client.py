"""fastfunnel as VectorDBBench calls it: an index that lives on disk, one writer, many readers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel
from vectordb_bench.backend.clients.api import DBCaseConfig, DBConfig, MetricType, VectorDB
from vectordb_bench.backend.filter import Filter, FilterOp

import fastfunnel as ff

_METRICS = {MetricType.COSINE: "cosine", MetricType.IP: "ip", MetricType.L2: "l2"}


class FastFunnelConfig(DBConfig):
    """Where the index is."""

    path: str

    def to_dict(self) -> dict[str, Any]:
        """Return what `FastFunnel` is given."""
        return {"path": self.path}


class FastFunnelCaseConfig(BaseModel, DBCaseConfig):
    """How it is searched.

    Attributes:
        metric_type: COSINE, IP or L2.
        k: answers that `recall` is promised for.
        recall: what `Index.tune` must reach when loading ends; None takes the default funnel.
    """

    metric_type: MetricType = MetricType.COSINE
    k: int = 100
    recall: float | None = None

    def index_param(self) -> dict[str, Any]:
        """Return what an index is made with."""
        return {"metric": _METRICS[self.metric_type]}

    def search_param(self) -> dict[str, Any]:
        """Return nothing: what tuning found is kept with the index."""
        return {}


class FastFunnel(VectorDB):
    """One index in a directory; copied into processes, it opens the index in each."""

    name = "fastfunnel"
    thread_safe = True
    supported_filter_types = [FilterOp.NonFilter, FilterOp.NumGE]  # noqa: RUF012  (as in its base)

    def __init__(
        self,
        dim: int,
        db_config: dict[str, Any],
        db_case_config: FastFunnelCaseConfig | None,
        collection_name: str = "vectors",
        drop_old: bool = False,
        **options: Any,
    ) -> None:
        """Make the index if there is none, or anew if `drop_old`."""
        self._path = Path(db_config["path"]) / collection_name
        self._case = db_case_config or FastFunnelCaseConfig()
        self._index: ff.Index | None = None
        self._allowed: Any = None
        if drop_old and self._path.exists():
            shutil.rmtree(self._path)
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            ff.Index.create(self._path, dim, **self._case.index_param()).close()

    @contextmanager
    def init(self) -> Iterator[None]:
        """Let the index be opened by its first use; close it at the end."""
        try:
            yield
        finally:
            if self._index is not None:
                self._index.close()
            self._index, self._allowed = None, None

    def insert_embeddings(
        self, embeddings: list[list[float]], metadata: list[int], *ignored: Any, **options: Any
    ) -> tuple[int, Exception | None]:
        """Add rows under their integer ids; they are on the disk afterwards."""
        if self._index is None:
            self._index = ff.open(self._path, writable=True)
        self._index.add(embeddings, metadata)
        return len(metadata), None

    def optimize(self, data_size: int | None = None) -> None:
        """Tune, if a recall was asked for."""
        if self._case.recall is not None:
            with ff.open(self._path, writable=True) as index:
                index.tune(k=self._case.k, recall=self._case.recall, progress=False)

    def prepare_filter(self, filters: Filter) -> None:
        """Let ids from a value on answer, or all; make the codes that searches read."""
        if self._index is None:
            self._index = ff.open(self._path)
        least = filters.int_value if filters.type == FilterOp.NumGE else 0
        self._allowed = np.fromiter(self._index, np.int64) >= least if least else None
        self.search_embedding([1.0] * self._index.dim, self._case.k)

    def search_embedding(
        self, query: list[float], k: int = 100, *ignored: Any, **options: Any
    ) -> list[int]:
        """Return the ids of the nearest k rows."""
        if self._index is None:
            self._index = ff.open(self._path)
        ids = self._index.search(
            np.array(query, np.float32), k, filter=self._allowed, threads=1
        ).ids[0]
        found: list[int] = ids[ids >= 0].tolist()
        return found
