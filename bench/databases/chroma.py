"""Chroma: a graph over the floats, kept in memory and on disk by its own engine."""

from __future__ import annotations

import chromadb
import numpy as np
from chromadb.config import Settings

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System

_COLLECTION = "items"
_BATCH = 5_000  # below the most that a client hands over at once


class Chroma(System):
    """A collection of the persistent client, with the edges of the other graphs here."""

    name = "Chroma"
    packages = ("chromadb",)
    many = "batch"
    beyond = "texts, metadata and full text beside vectors; the same client speaks to a server"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the widths of the graph's search."""
        return [Setting("Chroma HNSW", f"ef {ef}", ef) for ef in (100, 200, 400, 800)]

    def ingest(self, base: Float32s) -> None:
        """Add in batches; the graph grows as they come."""
        self._connect()
        graph = {"space": "cosine", "max_neighbors": 32, "ef_construction": 200}
        collection = self._client.create_collection(
            _COLLECTION, configuration={"hnsw": graph}, embedding_function=None
        )
        for start in range(0, len(base), _BATCH):
            rows = base[start : start + _BATCH]
            ids = [str(number) for number in range(start, start + len(rows))]
            collection.add(ids, embeddings=rows)

    def open(self, dim: int) -> None:
        """Open the collection."""
        self._dim, self._width = dim, None
        self._load()

    def use(self, setting: Setting) -> None:
        """Set the width; only a graph that is read after that has it."""
        if setting.value != self._width:
            self._width = setting.value
            self._collection.modify(configuration={"hnsw": {"ef_search": setting.value}})
            self._client.close()
            self._load()

    def search(self, query: Float32s) -> Ids:
        """Search one query."""
        return self.search_many(query[np.newaxis])[0]

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Search all in one call."""
        found = self._collection.query(query_embeddings=queries, n_results=K, include=[])
        return [np.array(ids, np.int64) for ids in found["ids"]]

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _load(self) -> None:
        """Connect; the first search reads the graph."""
        self._connect()
        self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
        self.search(np.eye(1, self._dim, dtype=np.float32)[0])

    def _connect(self) -> None:
        self._client = chromadb.PersistentClient(
            str(self.directory / "chroma"), Settings(anonymized_telemetry=False)
        )
