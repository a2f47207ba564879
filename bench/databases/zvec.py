"""zvec: Alibaba's embedded engine; a graph over int8 codes, refined from the floats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import zvec

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import CORES, K, System

_FIELD = "embedding"
_BATCH = 1_000  # the most that one call takes is 1,024


class Zvec(System):
    """One collection with the edges of the other graphs here, asked from threads."""

    name = "zvec"
    packages = ("zvec",)
    many = f"{CORES} threads"
    beyond = "filters, full text, sparse vectors and fusion in process"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return widths of the graph's search, then the scan of all floats."""
        found = [
            Setting(
                "zvec HNSW on int8, refined",
                f"ef {ef}",
                zvec.HnswQueryParam(ef=ef, is_using_refiner=True),
            )
            for ef in (32, 64, 128, 160, 192, 256, 512)
        ]
        linear = zvec.HnswQueryParam(is_linear=True, is_using_refiner=True)
        return [*found, Setting("zvec linear", "is_linear", linear)]

    def ingest(self, base: Float32s) -> None:
        """Insert in batches, then let it merge and build the graph."""
        graph = zvec.HnswIndexParam(
            zvec.MetricType.COSINE, 32, 200, quantize_type=zvec.QuantizeType.INT8
        )
        field = zvec.VectorSchema(
            _FIELD, zvec.DataType.VECTOR_FP32, base.shape[1], index_param=graph
        )
        schema = zvec.CollectionSchema("items", vectors=[field])
        self._collection = zvec.create_and_open(str(self.directory / "zvec"), schema)
        for start in range(0, len(base), _BATCH):
            rows = base[start : start + _BATCH]
            docs = [zvec.Doc(str(n), vectors={_FIELD: row}) for n, row in enumerate(rows, start)]
            refused = [status for status in self._collection.insert(docs) if not status.ok()]
            if refused:
                raise RuntimeError(f"zvec refused rows: {refused[0].message()}")
        self._collection.optimize(zvec.OptimizeOption(concurrency=CORES))
        self._collection.flush()

    def open(self, dim: int) -> None:
        """Open the collection."""
        option = zvec.CollectionOption(read_only=True)
        self._collection = zvec.open(str(self.directory / "zvec"), option)
        self._pool = ThreadPoolExecutor(CORES)

    def use(self, setting: Setting) -> None:
        """Remember the parameters of the next queries."""
        self._param = setting.value

    def search(self, query: Float32s) -> Ids:
        """Run one query."""
        asked = zvec.Query(_FIELD, vector=query, param=self._param)
        found = self._collection.query(asked, topk=K, output_fields=[])
        return np.array([doc.id for doc in found], np.int64)

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Run the queries in threads: there is no batch."""
        return list(self._pool.map(self.search, queries))

    def close(self) -> None:
        """Close the collection."""
        self._collection.close()
