"""Qdrant Edge: the engine of the Qdrant server, in this process, through `qdrant-edge-py`."""

from __future__ import annotations

import numpy as np
from qdrant_edge import (
    BinaryQuantizationConfig,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    HnswIndexConfig,
    Memory,
    Point,
    Prefetch,
    QuantizationSearchParams,
    Query,
    QueryBatchRequest,
    QueryRequest,
    SearchParams,
    UpdateOperation,
)

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System

_BATCH = 2_000


class QdrantEdge(System):
    """Two named vectors with a graph each; sign bits in memory beside the longer one."""

    name = "Qdrant Edge"
    packages = ("qdrant-edge-py",)
    many = "batch"
    beyond = (
        "payload filters and indexes, sparse vectors, fusion; a server with shards and replicas"
    )

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return nested prefetch, binary quantization, all dims, exact."""
        head = dim // 4
        found = [
            Setting(
                f"{self.name} prefetch {head} → {dim}", f"{keep} kept, ef {ef}", ("head", keep, ef)
            )
            for keep, ef in ((80, 80), (80, 200), (80, 400), (160, 400), (320, 400), (640, 800))
        ]
        found += [
            Setting(
                f"{self.name} binary quantization, rescored",
                f"oversampling {n}, ef {ef}",
                ("bits", n, ef),
            )
            for n, ef in ((3, 128), (8, 128), (8, 256), (20, 256), (40, 512), (100, 1000))
        ]
        found += [
            Setting(f"{self.name} HNSW on all dims", f"ef {ef}", ("full", None, ef))
            for ef in (64, 128, 256, 512, 1024)
        ]
        return [*found, Setting(f"{self.name} exact", "exact", ("exact", None, None))]

    def ingest(self, base: Float32s) -> None:
        """Write the points, then let the optimizers merge and build the graphs."""
        dim = base.shape[1]
        graph = HnswIndexConfig(m=32, ef_construct=200, full_scan_threshold=1_000)
        bits = BinaryQuantizationConfig(memory=Memory.Pinned)
        vectors = {
            "full": EdgeVectorParams(dim, Distance.Cosine, quantization_config=bits),
            "head": EdgeVectorParams(dim // 4, Distance.Cosine),
        }
        path = self.directory / "shard"
        path.mkdir()
        self._shard = EdgeShard.create(str(path), EdgeConfig(vectors, hnsw_config=graph))
        for start in range(0, len(base), _BATCH):
            points = [
                Point(number, {"full": row.tolist(), "head": row[: dim // 4].tolist()}, None)
                for number, row in enumerate(base[start : start + _BATCH], start)
            ]
            self._shard.update(UpdateOperation.upsert_points(points))
        while self._shard.optimize():
            pass
        self._shard.flush()

    def open(self, dim: int) -> None:
        """Load the shard."""
        self._head = dim // 4
        self._shard = EdgeShard.load(str(self.directory / "shard"))

    def use(self, setting: Setting) -> None:
        """Remember which request to make."""
        self._kind, self._kept, self._ef = setting.value

    def search(self, query: Float32s) -> Ids:
        """Run one request."""
        return self._ids(self._shard.query(self._request(query)))

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run all requests as one batch."""
        batch = QueryBatchRequest([self._request(query) for query in queries])
        return [self._ids(points) for points in self._shard.query_batch(batch)]

    def close(self) -> None:
        """Close the shard."""
        self._shard.close()

    def _request(self, query: Float32s) -> QueryRequest:
        full = Query.Nearest(query.tolist(), using="full")
        floats = QuantizationSearchParams(ignore=True)
        if self._kind == "head":
            params = SearchParams(hnsw_ef=self._ef)
            head = Query.Nearest(query[: self._head].tolist(), using="head")
            first = Prefetch(self._kept, query=head, params=params)
            last = SearchParams(quantization=floats)
            return QueryRequest(K, query=full, prefetches=[first], params=last)
        if self._kind == "bits":
            floats = QuantizationSearchParams(rescore=True, oversampling=float(self._kept))
        params = SearchParams(hnsw_ef=self._ef, exact=self._kind == "exact", quantization=floats)
        return QueryRequest(K, query=full, params=params)

    @staticmethod
    def _ids(points: list[object]) -> Ids:
        return np.array([point.id for point in points], np.int64)
