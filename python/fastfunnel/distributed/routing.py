"""Which shard an id belongs to: the same on every machine and in every version.

An id is mixed by the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), then placed by
jump consistent hashing (Lamping and Veach, arXiv 1406.2294). It needs no table, spreads ids
evenly, and from n to n + 1 shards moves one row in n + 1, always to the new shard.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(2862933555777941757)  # of the paper's generator


def mixed(ids: Ids) -> npt.NDArray[np.uint64]:
    """Return 64 well-mixed bits an id: the first output of SplitMix64 seeded with it."""
    bits = ids.astype(np.uint64) + _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


def homes(ids: Ids, n_shards: int) -> Ids:
    """Return the shard of each id, int64 (n,), 0 … n_shards - 1."""
    keys = mixed(ids)
    home = np.zeros(len(ids), np.int64)
    moving = np.arange(len(ids))  # places of the ids that may jump on
    while len(moving):
        keys[moving] = keys[moving] * _STEP + np.uint64(1)
        draws = (keys[moving] >> np.uint64(33)).astype(np.float64) + 1
        target = ((home[moving] + 1) * (float(1 << 31) / draws)).astype(np.int64)
        inside = target < n_shards
        moving = moving[inside]
        home[moving] = target[inside]
    return home


def by_home(home: Ids) -> Iterator[tuple[int, Ids]]:
    """Yield each shard that has ids, and the places of its ids in their order."""
    order = np.argsort(home, kind="stable")
    shards, firsts = np.unique(home[order], return_index=True)
    yield from zip(shards.tolist(), np.split(order, firsts)[1:], strict=True)
