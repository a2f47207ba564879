"""USearch: a graph over the floats."""

from __future__ import annotations

import numpy as np
from usearch.index import Index

from bench.contenders.contender import Contender, Float32s, Ids, Setting

EDGES, EXPANSION_ADD = 32, 128
_EXPANSIONS = (32, 64, 128, 256, 512, 1024)


def contenders(rows: int, dim: int) -> list[Contender]:
    """Return the graph."""
    return [USearch()]


class USearch(Contender):
    """usearch.index.Index, metric ip, float32."""

    name = "usearch"

    @property
    def settings(self) -> list[Setting]:
        """How far the graph is searched."""
        return [Setting(self.name, f"expansion={count}", count) for count in _EXPANSIONS]

    def build(self, base: Float32s, threads: int) -> None:
        """Add the rows."""
        self._index = Index(
            ndim=base.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=EDGES,
            expansion_add=EXPANSION_ADD,
        )
        self._index.add(np.arange(len(base)), base, threads=threads)

    def use(self, setting: Setting) -> None:
        """Set the expansion."""
        self._index.expansion_search = setting.value

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search; its keys are unsigned."""
        found = self._index.search(queries, k, threads=threads)
        return np.asarray(found.keys).astype(np.int64).reshape(len(queries), -1)

    def bytes_per_row(self) -> float:
        """What USearch says it uses."""
        return self._index.memory_usage / len(self._index)
