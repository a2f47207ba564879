"""sqlite-vec: scans of virtual tables in SQLite, of floats or of sign bits with rescoring."""

from __future__ import annotations

import apsw
import numpy as np
import sqlite_vec

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System

_TABLES = """
CREATE VIRTUAL TABLE items USING vec0(
    id INTEGER PRIMARY KEY, embedding float[{dim}] distance_metric=cosine);
CREATE VIRTUAL TABLE codes USING vec0(id INTEGER PRIMARY KEY, bits bit[{dim}]);
CREATE VIRTUAL TABLE heads USING vec0(
    id INTEGER PRIMARY KEY, head float[{head}] distance_metric=cosine);
"""
_INSERTS = (
    "INSERT INTO items (id, embedding) VALUES (?1, ?2)",
    "INSERT INTO codes (id, bits) VALUES (?1, vec_quantize_binary(?2))",
    "INSERT INTO heads (id, head) VALUES (?1, vec_slice(?2, 0, {head}))",
)
_EXACT = "SELECT id FROM items WHERE embedding MATCH :q AND k = :k"
_BITS = "SELECT id FROM codes WHERE bits MATCH vec_quantize_binary(:q) AND k = :keep"
_HEADS = "SELECT id FROM heads WHERE head MATCH vec_slice(:q, 0, {head}) AND k = :keep"
_RESCORED = (
    "WITH near AS MATERIALIZED ({first}) SELECT items.id FROM near CROSS JOIN items "
    "ON items.id = near.id ORDER BY vec_distance_cosine(items.embedding, :q) LIMIT :k"
)


class SqliteVec(System):
    """One file, one connection of `apsw`, which keeps prepared statements."""

    name = "sqlite-vec"
    packages = ("sqlite-vec", "apsw")
    many = "one by one"
    beyond = "SQL and transactions in one file that every language reads"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return bits and a prefix with rescoring, then the scan of all floats."""
        found = [
            Setting("sqlite-vec bits, rescored", f"{keep} kept", (_BITS, keep))
            for keep in (50, 100, 200, 400)
        ]
        found += [
            Setting(f"sqlite-vec two-pass {dim // 4} → {dim}", f"{keep} kept", (_HEADS, keep))
            for keep in (80, 160, 320)
        ]
        return [*found, Setting("sqlite-vec exact", "float scan", (None, K))]

    def ingest(self, base: Float32s) -> None:
        """Insert in one transaction a table."""
        dim = base.shape[1]
        self._connect()
        self._database.execute(_TABLES.format(dim=dim, head=dim // 4))
        for insert in _INSERTS:
            with self._database:
                rows = ((number, row.tobytes()) for number, row in enumerate(base))
                self._database.executemany(insert.format(head=dim // 4), rows)

    def open(self, dim: int) -> None:
        """Open the file, with memory for its pages."""
        self._head = dim // 4
        self._connect()
        self._database.execute("PRAGMA mmap_size = 4000000000")

    def use(self, setting: Setting) -> None:
        """Choose the statement."""
        first, self._keep = setting.value
        self._statement = _RESCORED.format(first=first.format(head=self._head)) if first else _EXACT

    def search(self, query: Float32s) -> Ids:
        """Run the statement."""
        values = {"q": query.tobytes(), "k": K, "keep": self._keep}
        found = self._database.execute(self._statement, values)
        return np.array([row[0] for row in found], np.int64)

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run the statement for each."""
        return [self.search(query) for query in queries]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _connect(self) -> None:
        self._database = apsw.Connection(str(self.directory / "items.db"))
        self._database.enable_load_extension(True)
        self._database.load_extension(sqlite_vec.loadable_path())
