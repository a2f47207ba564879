"""Milvus Lite: the funnel of Milvus's tutorial, a graph, and its flat search."""

from __future__ import annotations

import numpy as np
from milvus_lite.server_manager import server_manager_instance
from pymilvus import DataType, MilvusClient

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System

_BATCH = 2_000
_COLLECTION = "items"


class MilvusLite(System):
    """Two fields, the head and all dims; stages beyond the head run in the client.

    The tutorial orders its candidates with pandas, a row at a time. Here NumPy does the same.
    """

    name = "Milvus Lite"
    packages = ("milvus-lite", "pymilvus", "faiss-cpu")
    many = "batch"
    beyond = "scalar filters, full text, partitions; the same client speaks to a cluster"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the tutorial's number of candidates and more, then the flat search."""
        head = dim // 4
        found = [
            Setting(f"Milvus Lite funnel {head} → {dim // 2} → {dim}", f"{keep} candidates", keep)
            for keep in (64, 128, 256)
        ]
        return [*found, Setting("Milvus Lite flat", "FLAT", None)]

    def ingest(self, base: Float32s) -> None:
        """Insert in batches, then build the indexes that the tutorial builds."""
        dim = base.shape[1]
        self._connect()
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("head", DataType.FLOAT_VECTOR, dim=dim // 4)
        schema.add_field("embedding", DataType.FLOAT_VECTOR, dim=dim)
        indexes = self._client.prepare_index_params()
        for name in ("head", "embedding"):
            indexes.add_index(field_name=name, index_type="FLAT", metric_type="COSINE")
        self._client.create_collection(_COLLECTION, schema=schema, index_params=indexes)
        for start in range(0, len(base), _BATCH):
            data = [
                {"id": number, "head": row[: dim // 4], "embedding": row}
                for number, row in enumerate(base[start : start + _BATCH], start)
            ]
            self._client.insert(_COLLECTION, data)
        self._client.flush(_COLLECTION)

    def open(self, dim: int) -> None:
        """Start the engine and load the collection."""
        self._dim = dim
        self._connect()
        self._client.load_collection(_COLLECTION)

    def use(self, setting: Setting) -> None:
        """Remember how many candidates the head gives; None is the flat search."""
        self._candidates = setting.value

    def search(self, query: Float32s) -> Ids:
        """Search one query."""
        return self.search_many(query[np.newaxis])[0]

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Send all queries in one call, then finish each funnel here."""
        if self._candidates is None:
            hits = self._client.search(_COLLECTION, queries, anns_field="embedding", limit=K)
            return [np.array([hit["id"] for hit in found], np.int64) for found in hits]
        head = np.ascontiguousarray(queries[:, : self._dim // 4])
        hits = self._client.search(
            _COLLECTION,
            head,
            anns_field="head",
            limit=self._candidates,
            output_fields=["embedding"],
        )
        return [self._funnel(query, found) for query, found in zip(queries, hits, strict=True)]

    def close(self) -> None:
        """Close the client, and the engine, which outlives it and writes when it ends."""
        self._client.close()
        server_manager_instance.release_all()

    def _connect(self) -> None:
        self._client = MilvusClient(str(self.directory / "milvus.db"))

    def _funnel(self, query: Float32s, hits: list[dict]) -> Ids:
        """Order the candidates by twice the dims and keep half, until all dims are used."""
        ids = np.array([hit["id"] for hit in hits], np.int64)
        rows = np.array([hit["entity"]["embedding"] for hit in hits], np.float32)
        for dims in (self._dim // 2, self._dim):
            prefix = rows[:, :dims]
            scores = prefix @ query[:dims] / np.linalg.norm(prefix, axis=1)
            order = np.argsort(-scores)[: max(len(ids) // 2, K)]
            ids, rows = ids[order], rows[order]
        return ids[:K]
