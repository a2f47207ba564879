"""Qdrant's local mode: the client's own engine in NumPy, for tests and notebooks.

It stores quantization settings and ignores them, so that there is nothing to measure of them here;
`qdrant_edge.py` measures them with the server's engine.
"""

from __future__ import annotations

import warnings

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, Prefetch, QueryRequest, QueryResponse, VectorParams

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System

_COLLECTION = "items"
# The client advises a server beyond 20,000 points; here that is what is measured.
warnings.filterwarnings("ignore", message="Local mode is not recommended")


class QdrantLocal(System):
    """Two named vectors and nested prefetch over them."""

    name = "Qdrant local mode"
    packages = ("qdrant-client",)
    many = "batch"
    beyond = "payload filters, sparse vectors, fusion; the same client speaks to a server"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the prefetch limits, then one pass over all dims."""
        head = dim // 4
        found = [
            Setting(f"Qdrant local prefetch {head} → {dim}", f"{keep} kept", keep)
            for keep in (80, 160, 320, 640)
        ]
        return [*found, Setting("Qdrant local exact", "one pass", None)]

    def ingest(self, base: Float32s) -> None:
        """Upload the points; there is no index to build."""
        dim = base.shape[1]
        self._connect()
        self._client.create_collection(
            _COLLECTION,
            vectors_config={
                "full": VectorParams(size=dim, distance=Distance.COSINE),
                "head": VectorParams(size=dim // 4, distance=Distance.COSINE),
            },
        )
        vectors = {"full": base, "head": np.ascontiguousarray(base[:, : dim // 4])}
        self._client.upload_collection(_COLLECTION, vectors=vectors, ids=range(len(base)))

    def open(self, dim: int) -> None:
        """Read everything into memory."""
        self._head = dim // 4
        self._connect()

    def use(self, setting: Setting) -> None:
        """Remember how many rows the head gives; None asks all dims at once."""
        self._keep = setting.value

    def search(self, query: Float32s) -> Ids:
        """Run one request."""
        request = self._request(query)
        found = self._client.query_points(
            _COLLECTION,
            prefetch=request.prefetch,
            query=request.query,
            using=request.using,
            limit=K,
            with_payload=False,
        )
        return self._ids(found)

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run all requests as one batch."""
        batch = [self._request(query) for query in queries]
        return [self._ids(found) for found in self._client.query_batch_points(_COLLECTION, batch)]

    def close(self) -> None:
        """Close the storage."""
        self._client.close()

    def _connect(self) -> None:
        self._client = QdrantClient(path=str(self.directory / "qdrant"))

    def _request(self, query: Float32s) -> QueryRequest:
        head = Prefetch(query=query[: self._head].tolist(), using="head", limit=self._keep or K)
        return QueryRequest(
            prefetch=head if self._keep else None, query=query.tolist(), using="full", limit=K
        )

    @staticmethod
    def _ids(found: QueryResponse) -> Ids:
        return np.array([point.id for point in found.points], np.int64)
