"""This project: the default funnel, hand-picked funnels, exact search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import fastfunnel as ff
from bench.contenders.contender import Contender, Float32s, Ids, Setting

_MEASURED_ROWS = 20_000  # of a small index that tells how many bytes a funnel needs


def contenders(rows: int, dim: int, funnels: Sequence[str] = ()) -> list[Contender]:
    """Return one index with all the ways to search it."""
    parsed = [ff.Funnel.parse(text) for text in funnels]
    return [FastFunnel([*hand_picked(rows, dim), *parsed])]


def hand_picked(rows: int, dim: int) -> list[ff.Funnel]:
    """Return funnels over the sensible range: cheap and lossy to dear and nearly exact."""
    firsts = sorted({min(d, dim) for d in (256, 512)} | ({dim} if dim < 512 else set()))
    texts = []
    for first in firsts:
        for share, middle in ((0.001, 20), (0.003, 30), (0.01, 40), (0.03, 80)):
            keep = max(int(rows * share), 2 * middle)
            texts.append(f"b1@{first}>{keep} i8@{dim}>{middle} f32@{dim}")
        keep = max(rows // 100, 200)
        texts.append(f"b1@{first}(hamming)>{keep} b1@{dim}>100 f32@{dim}")
    return [ff.Funnel.parse(text) for text in texts]


class FastFunnel(Contender):
    """fastfunnel.Index."""

    name = "fastfunnel"

    def __init__(self, funnels: Sequence[ff.Funnel]) -> None:
        """Remember the funnels to sweep."""
        self._funnels = list(dict.fromkeys(funnels, None))
        self._funnel: ff.Funnel | None = None
        self._is_exact = False

    @property
    def settings(self) -> list[Setting]:
        """The default funnel, exact search, and every funnel given."""
        return [
            Setting("fastfunnel default", "default funnel"),
            *(Setting("fastfunnel funnels", str(f), f) for f in self._funnels),
            Setting("fastfunnel exact", "exact=True", "exact"),
        ]

    def build(self, base: Float32s, threads: int) -> None:
        """Add the rows and search once, which makes the codes of the default funnel."""
        self._sample = base[:_MEASURED_ROWS]
        self._index = ff.Index(base.shape[1])
        self._index.add(base)
        self._index.search(base[:1], 10, threads=threads)

    def use(self, setting: Setting) -> None:
        """Choose a funnel, or exact search."""
        self._is_exact = setting.value == "exact"
        self._funnel = None if self._is_exact else setting.value

    def search(self, queries: Float32s, k: int, threads: int) -> Ids:
        """Search the index."""
        return self._index.search(
            queries, k, funnel=self._funnel, exact=self._is_exact, threads=threads
        ).ids

    def bytes_per_row(self) -> float:
        """Floats and codes of a small index that was searched with nothing but this setting."""
        index = ff.Index(self._index.dim)
        index.add(np.ascontiguousarray(self._sample))
        funnel = self._funnel or (None if self._is_exact else self._index.default_funnel(10))
        index.search(self._sample[:1], 10, funnel=funnel, exact=funnel is None)
        return sum(index._core.sizes()) / len(index)
