"""FAISS: flat, binary with NumPy rescoring, HNSW, 4-bit PQ and RaBitQ with its own refinement."""

from __future__ import annotations

import faiss
import numpy as np

from bench.contenders.contender import Contender, Float32s, Ids, Setting
from bench.contenders.rescoring import rescore
from bench.numpy_baseline import binarize

HNSW_EDGES, HNSW_EF_CONSTRUCTION = 32, 128
_K_FACTORS = (2, 4, 10, 20, 40, 100)
_EFS = (32, 64, 128, 256, 512, 1024)
_CANDIDATES = (20, 50, 100, 200, 400, 1000)
_TRAINING_ROWS = 50_000


def contenders(rows: int, dim: int) -> list[Contender]:
    """Return every index; PQ only where it divides the dims."""
    pq = [FaissRefined(f"PQ{dim // part}x4fs,RFlat") for part in (4, 8) if dim % part == 0]
    return [FaissFlat(), FaissBinary(), *pq, FaissRefined("RaBitQfs,RFlat"), FaissHNSW()]


class _Faiss(Contender):
    """What the float indexes share."""

    index: faiss.Index

    def build(self, base: Float32s, threads: int) -> None:
        """Train on a seeded sample if need be, then add."""
        faiss.omp_set_num_threads(threads)
        self.index = self.make(base.shape[1])
        if not self.index.is_trained:
            rows = min(len(base), _TRAINING_ROWS)
            sample = np.random.default_rng(0).choice(len(base), rows, replace=False)
            self.index.train(base[np.sort(sample)])
        self.index.add(base)

    def make(self, dim: int) -> faiss.Index:
        """Return the empty index."""
        return faiss.index_factory(
            dim, self.name.removeprefix("faiss "), faiss.METRIC_INNER_PRODUCT
        )

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search the index."""
        faiss.omp_set_num_threads(threads)
        return self.index.search(queries, k)[1]

    def bytes_per_row(self) -> float:
        """The size of the index as FAISS writes it."""
        writer = _Counter()
        faiss.write_index(self.index, faiss.PyCallbackIOWriter(writer))
        return writer.n_bytes / self.index.ntotal


class FaissFlat(_Faiss):
    """IndexFlatIP: exact."""

    name = "faiss Flat"

    @property
    def settings(self) -> list[Setting]:
        """There is nothing to set."""
        return [Setting(self.name, "IndexFlatIP")]

    def use(self, setting: Setting) -> None:
        """Do nothing."""


class FaissRefined(_Faiss):
    """A factory string that ends in RFlat: k * k_factor candidates, rescored with the floats."""

    def __init__(self, spec: str) -> None:
        """Remember the factory string."""
        self.name = f"faiss {spec}"

    @property
    def settings(self) -> list[Setting]:
        """How many candidates are rescored."""
        return [Setting(self.name, f"k_factor={factor}", factor) for factor in _K_FACTORS]

    def use(self, setting: Setting) -> None:
        """Set k_factor."""
        self.index.k_factor = setting.value


class FaissHNSW(_Faiss):
    """A graph over the floats."""

    name = f"faiss HNSW{HNSW_EDGES}"

    @property
    def settings(self) -> list[Setting]:
        """How far the graph is searched."""
        return [Setting(self.name, f"efSearch={ef}", ef) for ef in _EFS]

    def make(self, dim: int) -> faiss.Index:
        """Return the empty graph."""
        index = faiss.IndexHNSWFlat(dim, HNSW_EDGES, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = HNSW_EF_CONSTRUCTION
        return index

    def use(self, setting: Setting) -> None:
        """Set efSearch."""
        self.index.hnsw.efSearch = setting.value


class FaissBinary(Contender):
    """IndexBinaryFlat over all sign bits; candidates rescored in NumPy."""

    name = "faiss BinaryFlat + rescoring"

    @property
    def settings(self) -> list[Setting]:
        """How many candidates are rescored."""
        return [Setting(self.name, f"{count} candidates", count) for count in _CANDIDATES]

    def build(self, base: Float32s, threads: int) -> None:
        """Binarise with NumPy and add."""
        faiss.omp_set_num_threads(threads)
        codes = binarize(base)
        self._base = base
        self._bits = base.shape[1]
        self._index = faiss.IndexBinaryFlat(8 * codes.shape[1])
        self._index.add(codes)

    def use(self, setting: Setting) -> None:
        """Set the number of candidates."""
        self._candidates = setting.value

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search the bits, then rescore."""
        faiss.omp_set_num_threads(threads)
        candidates = self._index.search(binarize(queries), min(self._candidates, len(self._base)))
        return rescore(self._base, queries, candidates[1], k)

    def bytes_per_row(self) -> float:
        """The floats and the bits."""
        return 4 * self._bits + (self._bits + 7) // 8


class _Counter:
    """A file that only counts, so that measuring an index does not copy it."""

    n_bytes = 0

    def __call__(self, data: bytes) -> int:
        """Count."""
        self.n_bytes += len(data)
        return len(data)
