"""A sharded index as what a tuner tunes: answers of all shards, times of the largest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import ray

from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids
from fastfunnel.search import SearchResult
from fastfunnel.tiers import Tiers
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.confidence import Found
from fastfunnel.tuning.ranks import Ranks
from fastfunnel.tuning.sample import Part, Queries

if TYPE_CHECKING:
    from fastfunnel.distributed.sharded_index import ShardedIndex
    from fastfunnel.index import Index

P = ParamSpec("P")
T = TypeVar("T")

_RANKED_QUERIES = 64  # of a call, so that deadlines get through


class ShardsTarget:
    """What the tuner asks, put to all shards or to one.

    A stage keeps so many rows of each shard, so a neighbour's rank is the one it has in its own.
    Shards work at once and hold nearly as many rows, so the largest is timed, within its process.
    """

    def __init__(self, index: ShardedIndex) -> None:
        """Stand for an index, which is only read."""
        self._index = index
        self._cluster = index._cluster
        self.dim = index.dim
        self.metric = index.metric
        self.tiers = Tiers()
        states = self._cluster.ask_all("state")
        self._rows = {shard: int(state["rows"]) for shard, state in states.items()}
        self._largest = max(self._rows, key=self._rows.__getitem__)
        [description] = self._cluster.ask("description", {self._largest: ()}).values()
        self.has_rotation = description["rotation"] is not None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._index)

    def search(
        self, queries: Queries, k: int, *, funnel: Funnel | None, exact: bool
    ) -> SearchResult:
        """Return merged answers."""
        return self._index.search(queries, k, funnel=funnel, exact=exact)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Ids, npt.NDArray[np.float32]]:
        """Return ids and rows of n different rows, from each shard by its share."""
        total = sum(self._rows.values())
        seed = int(rng.integers(2**31))
        wanted = {s: (-(-n * rows // total), seed) for s, rows in self._rows.items() if rows}
        drawn = list(self._cluster.ask("draw", wanted).values())
        ids = np.concatenate([one for one, _ in drawn])
        rows = np.concatenate([one for _, one in drawn])
        some = rng.permutation(len(ids))[:n]
        return ids[some], rows[some]

    def untuned_funnel(self, k: int) -> Funnel | None:
        """Return the funnel that the rows of the largest shard suggest."""
        return self.on_one(_untuned_funnel, k)

    def ranks(self, part: Part, funnel: Funnel, depth: int, deadline: Deadline) -> Ranks:
        """Return each neighbour's rank in its shard."""
        ranks = []
        for first in range(0, len(part), _RANKED_QUERIES):
            if first > 0:
                deadline.check()
            some = ray.put(part[first : first + _RANKED_QUERIES])
            asked = {s: (some, funnel, depth) for s, rows in self._rows.items() if rows > 1}
            found = list(self._cluster.ask("ranks", asked).values())
            ranks.append(np.minimum.reduce(found))  # others than its own say BEYOND
        return np.concatenate(ranks)

    def left(self, part: Part, keep: int, funnel: Funnel, deadline: Deadline) -> Found:
        """Return which neighbours any shard keeps."""
        asked = {s: (part, keep, funnel, deadline) for s, rows in self._rows.items() if rows > 1}
        found = list(self._cluster.ask("left", asked).values())
        both = min(map(len, found))  # queries that all had time for
        kept: Found = np.logical_or.reduce([one[:both] for one in found])
        return kept

    def on_one(
        self, function: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function with the index of the largest shard, where that is."""
        arguments: tuple[Any, ...] = (function, args, kwargs)
        found: T = self._cluster.ask("call", {self._largest: arguments})[self._largest]
        return found


def _untuned_funnel(index: Index, k: int) -> Funnel | None:
    return index.untuned_funnel(k, queries_seen=False)
