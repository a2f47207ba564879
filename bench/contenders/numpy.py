"""NumPy: brute force, and the literature's float funnel."""

from __future__ import annotations

from bench.contenders.contender import Contender, Float32s, Ids, Setting
from bench.numpy_baseline import PrefixFunnel, exact_search

_KEEPS = (10_000, 2_500, 500, 100)


def contenders(rows: int, dim: int) -> list[Contender]:
    """Return both."""
    return [NumpyExact(), NumpyFunnel()]


class NumpyExact(Contender):
    """A matrix product, then argpartition."""

    name = "numpy exact"

    @property
    def settings(self) -> list[Setting]:
        """There is nothing to set."""
        return [Setting("numpy exact", "matmul + argpartition")]

    def build(self, base: Float32s, threads: int) -> None:
        """Keep the rows."""
        self._base = base

    def use(self, setting: Setting) -> None:
        """Do nothing."""

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search; the pinned BLAS has the threads."""
        return exact_search(self._base, queries, k)

    def bytes_per_row(self) -> float:
        """The float rows."""
        return self._base.itemsize * self._base.shape[1]


class NumpyFunnel(Contender):
    """1/32, 1/16, 1/8, 1/4 of the dims, then all; arXiv 2205.13147's schedule at this dim."""

    name = "numpy funnel"

    @property
    def settings(self) -> list[Setting]:
        """The schedule of the literature."""
        return [Setting("numpy funnel", "1/32 1/16 1/8 1/4 1, keep " + " ".join(map(str, _KEEPS)))]

    def build(self, base: Float32s, threads: int) -> None:
        """Prepare the prefixes."""
        self._dim = base.shape[1]
        dims = [max(1, self._dim // divisor) for divisor in (32, 16, 8, 4, 1)]
        self._funnel = PrefixFunnel(base, dims, _KEEPS)

    def use(self, setting: Setting) -> None:
        """Do nothing."""

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search; the pinned BLAS has the threads."""
        return self._funnel.search(queries, k)

    def bytes_per_row(self) -> float:
        """The float rows, the first prefix, four lengths."""
        return 4 * (self._dim + self._dim // 32 + 4)
