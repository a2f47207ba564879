"""LanceDB: one table in Lance files, RaBitQ codes in an inverted file, refined from the floats."""

from __future__ import annotations

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfRq

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import BATCH, K, System


class LanceDB(System):
    """`IvfRq` with `refine_factor`, by the synchronous client."""

    name = "LanceDB"
    packages = ("lancedb", "pylance", "pyarrow")
    many = "batch"
    beyond = "SQL filters, full text, versions and branches of a table, object stores, Arrow"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return probed shares and factors, then the scan of all rows."""
        lists = _lists(rows)
        shares = (
            (16, 3),
            (8, 3),
            (8, 5),
            (4, 5),
            (4, 10),
            (2, 5),
            (2, 10),
            (1, 5),
            (1, 10),
            (1, 20),
            (1, 40),
        )
        pairs = [(max(lists // part, 1), factor) for part, factor in shares]
        found = [
            Setting(
                "LanceDB IvfRq, refined",
                f"nprobes {n} of {lists}, refine {f}",
                (n, f),
            )
            for n, f in pairs
        ]
        return [*found, Setting("LanceDB exact", "bypass_vector_index", None)]

    def ingest(self, base: Float32s) -> None:
        """Write one table in batches, then train and build the index."""
        dim = base.shape[1]
        schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), dim))])
        starts = range(0, len(base), BATCH)
        reader = pa.RecordBatchReader.from_batches(
            schema, (_record(base[start : start + BATCH], start, schema) for start in starts)
        )
        database = lancedb.connect(self.directory / "lance")
        self._table = database.create_table("items", reader)
        lists = _lists(len(base))
        self._table.create_index(
            "vector", config=IvfRq(distance_type="cosine", num_partitions=lists)
        )
        self._table.optimize()

    def open(self, dim: int) -> None:
        """Open the table and read its index into memory."""
        self._table = lancedb.connect(self.directory / "lance").open_table("items")
        for index in self._table.list_indices():
            self._table.prewarm_index(index.name)

    def use(self, setting: Setting) -> None:
        """Remember how far to look."""
        self._setting = setting.value

    def search(self, query: Float32s) -> Ids:
        """Run one query."""
        return self._run(query)["id"].to_numpy()

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run all in one call."""
        found = self._run(queries)
        numbers, ids = found["query_index"].to_numpy(), found["id"].to_numpy()
        return [ids[numbers == number] for number in range(len(queries))]

    def close(self) -> None:
        """Let go of the table."""
        del self._table

    def _run(self, queries: Float32s) -> pa.Table:
        request = (
            self._table.search(queries).distance_type("cosine").select(["id", "_distance"]).limit(K)
        )
        if self._setting is None:
            return request.bypass_vector_index().to_arrow()
        nprobes, factor = self._setting
        return request.nprobes(nprobes).refine_factor(factor).to_arrow()


def _lists(rows: int) -> int:
    """Return a power of two near the square root of the rows."""
    return 2 ** round(np.log2(rows) / 2)


def _record(rows: Float32s, start: int, schema: pa.Schema) -> pa.RecordBatch:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    ids = pa.array(np.arange(start, start + len(rows)))
    return pa.record_batch([ids, vectors], schema=schema)
