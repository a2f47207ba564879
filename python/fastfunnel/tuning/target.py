"""What a tuner asks of what it tunes: one index, or many that answer together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import Metric
from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids, are_among
from fastfunnel.search import SearchResult
from fastfunnel.tiers import Tiers
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.confidence import Found
from fastfunnel.tuning.ranks import Ranks, neighbour_ranks
from fastfunnel.tuning.sample import Part, Queries

if TYPE_CHECKING:
    from fastfunnel.index import Index

P = ParamSpec("P")
T = TypeVar("T")


class Target(Protocol):
    """Answers and ranks are those of all rows; times are those of one index."""

    dim: int
    metric: Metric
    has_rotation: bool
    tiers: Tiers

    def __len__(self) -> int:
        """Return the number of rows."""

    def search(
        self, queries: Queries, k: int, *, funnel: Funnel | None, exact: bool
    ) -> SearchResult:
        """Return the answers of all rows."""

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Ids, npt.NDArray[np.float32]]:
        """Return ids and rows of n different rows, or of all."""

    def untuned_funnel(self, k: int) -> Funnel | None:
        """Return the default funnel that rows suggest: queries that check had no say in it."""

    def ranks(self, part: Part, funnel: Funnel, depth: int, deadline: Deadline) -> Ranks:
        """Return `neighbour_ranks` among the rows that a funnel ranks together."""

    def left(self, part: Part, keep: int, funnel: Funnel, deadline: Deadline) -> Found:
        """Return `neighbours_left` where a last stage keeps so many rows."""

    def on_one(
        self, function: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return function(index, ...) for the index whose times count."""


def neighbours_left(
    index: Index, part: Part, keep: int, funnel: Funnel, deadline: Deadline
) -> Found:
    """Return which true neighbours are among the rows that a funnel keeps, bool (m, k).

    m are the queries that there is time for.
    """
    ids = part.answers_in_time(index, min(keep, len(index) - 1), funnel, deadline)
    return are_among(part.truth[: len(ids)], ids)


class OneIndex:
    """An index as a target."""

    def __init__(self, index: Index) -> None:
        """Stand for an index, which is only read."""
        self._index = index
        self.dim = index.dim
        self.metric = index.metric
        self.has_rotation = index.rotation is not None
        self.tiers = index._tiers
        self.search = index.search
        self.draw = index.draw

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._index)

    def untuned_funnel(self, k: int) -> Funnel | None:
        """Return what the rows suggest."""
        return self._index.untuned_funnel(k, queries_seen=False)

    def ranks(self, part: Part, funnel: Funnel, depth: int, deadline: Deadline) -> Ranks:
        """Return the ranks among all rows."""
        return neighbour_ranks(self._index, part, funnel, depth, deadline)

    def left(self, part: Part, keep: int, funnel: Funnel, deadline: Deadline) -> Found:
        """Return which neighbours a funnel leaves."""
        return neighbours_left(self._index, part, keep, funnel, deadline)

    def on_one(
        self, function: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function with the index."""
        return function(self._index, *args, **kwargs)
