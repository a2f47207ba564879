"""hnswlib: a graph over the floats."""

from __future__ import annotations

import hnswlib
import numpy as np

from bench.contenders.contender import Contender, Float32s, Ids, Setting

EDGES, EF_CONSTRUCTION = 32, 128
_EFS = (32, 64, 128, 256, 512, 1024)


def contenders(rows: int, dim: int) -> list[Contender]:
    """Return the graph."""
    return [Hnswlib()]


class Hnswlib(Contender):
    """hnswlib.Index, space ip."""

    name = "hnswlib"

    @property
    def settings(self) -> list[Setting]:
        """How far the graph is searched."""
        return [Setting(self.name, f"ef={ef}", ef) for ef in _EFS]

    def build(self, base: Float32s, threads: int) -> None:
        """Add the rows."""
        self._index = hnswlib.Index("ip", base.shape[1])
        self._index.init_index(len(base), M=EDGES, ef_construction=EF_CONSTRUCTION, random_seed=0)
        self._index.add_items(base, num_threads=threads)

    def use(self, setting: Setting) -> None:
        """Set ef."""
        self._index.set_ef(setting.value)

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search the graph."""
        return self._index.knn_query(queries, k, num_threads=threads)[0].astype(np.int64)

    def bytes_per_row(self) -> float:
        """The size of the index as hnswlib writes it."""
        return self._index.index_file_size() / self._index.get_current_count()
