"""This project: a live index on disk, every call with its defaults."""

from __future__ import annotations

import numpy as np

import fastfunnel as ff
from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import BATCH, OURS, K, System


class FastFunnel(System):
    """`ff.Index.create`, `add`, then `ff.open` and `search`."""

    name = OURS
    packages = ("fastfunnel", "numpy")
    many = "batch"
    beyond = ""

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the default funnel and exact search."""
        return [
            Setting(f"{OURS} default", "default funnel", {}),
            Setting(f"{OURS} exact", "exact=True", {"exact": True}),
        ]

    def ingest(self, base: Float32s) -> None:
        """Add the rows durably in batches, as the others are given them."""
        self._index = ff.Index.create(self.directory / "index", base.shape[1])
        for start in range(0, len(base), BATCH):
            self._index.add(base[start : start + BATCH])

    def open(self, dim: int) -> None:
        """Open the index, and ask what it prepares on first use or after 200 exact answers."""
        self._index = ff.open(self.directory / "index")
        some = np.eye(256, dim, dtype=np.float32)
        self._index.search(some, K)
        self._index.search(some, K, exact=True)

    def use(self, setting: Setting) -> None:
        """Choose the arguments of `search`."""
        self._arguments = setting.value

    def search(self, query: Float32s) -> Ids:
        """Search one query."""
        return self._index.search(query, K, **self._arguments).ids.ravel()

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Search all in one call."""
        return list(self._index.search(queries, K, **self._arguments).ids)

    def close(self) -> None:
        """Close the index."""
        self._index.close()
