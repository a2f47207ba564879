"""DuckDB: its array functions over all rows, and the graph of its `vss` extension."""

from __future__ import annotations

from pathlib import Path

import duckdb
import duckdb_extension_vss
import numpy as np
import pyarrow as pa

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import BATCH, K, System

_NEAREST = (
    "SELECT id FROM {table} ORDER BY array_cosine_distance(embedding, ?::FLOAT[{dim}]) LIMIT {k}"
)
_TWO_PASS = (
    "SELECT id FROM (SELECT id, embedding FROM heads JOIN items USING (id) ORDER BY "
    "array_cosine_distance(head, (?1::FLOAT[{dim}])[1:{head}]::FLOAT[{head}]) LIMIT {keep}) "
    "ORDER BY array_cosine_distance(embedding, ?1::FLOAT[{dim}]) LIMIT {k}"
)


class DuckDB(System):
    """One file. Its graph is held in memory, and on disk only by an experimental setting."""

    name = "DuckDB"
    packages = ("duckdb", "duckdb-extension-vss", "pyarrow")
    many = "one by one"
    beyond = "SQL analytics over Parquet, Arrow, CSV and other databases"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the graph's widths, then the scan."""
        found = [
            Setting("DuckDB vss HNSW", f"ef {ef}", ("graph", ef))
            for ef in (64, 128, 256, 512, 1024)
        ]
        return [*found, Setting("DuckDB exact", "array_cosine_distance", ("items", 64))]

    def ingest(self, base: Float32s) -> None:
        """Insert from Arrow in batches, then build the graph on a copy of the table."""
        dim = base.shape[1]
        self._connect()
        for table in ("items", "graph"):
            self._database.execute(
                f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, embedding FLOAT[{dim}])"
            )
            for start in range(0, len(base), BATCH):
                batch = base[start : start + BATCH]
                rows = pa.table(
                    {
                        "id": np.arange(start, start + len(batch)),
                        "embedding": pa.FixedSizeListArray.from_arrays(batch.ravel(), dim),
                    }
                )
                self._database.register("batch", rows)
                self._database.execute(f"INSERT INTO {table} SELECT * FROM batch")
        self._database.execute(
            "CREATE INDEX near ON graph USING HNSW (embedding) WITH (metric = 'cosine')"
        )
        self._database.execute("CHECKPOINT")

    def open(self, dim: int) -> None:
        """Open the file and ask once, which reads the graph into memory."""
        self._dim = dim
        self._connect()
        self.use(self.settings(0, dim)[0])
        self.search(np.eye(1, dim, dtype=np.float32)[0])

    def use(self, setting: Setting) -> None:
        """Choose the table and the width of the graph's search."""
        table, ef = setting.value
        self._statement = _NEAREST.format(table=table, dim=self._dim, k=K)
        self._database.execute(f"SET hnsw_ef_search = {ef}")

    def search(self, query: Float32s) -> Ids:
        """Run the statement."""
        return self._database.execute(self._statement, [query]).fetchnumpy()["id"]

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run the statement for each."""
        return [self.search(query) for query in queries]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _connect(self) -> None:
        self._database = duckdb.connect(self.directory / "items.duckdb")
        folder = Path(duckdb_extension_vss.__file__).parent / "extensions"
        [extension] = folder.rglob("vss.duckdb_extension")
        self._database.execute(f"LOAD '{extension}'")
        self._database.execute("SET hnsw_enable_experimental_persistence = true")
        self._database.execute("SET enable_progress_bar = false")
