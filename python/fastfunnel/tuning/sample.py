"""Queries with their exact answers: some to choose a funnel by, others to check the choice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids, are_among, without_own
from fastfunnel.tuning.budget import NEVER, Deadline, OutOfTimeError

if TYPE_CHECKING:
    from fastfunnel.index import Index
    from fastfunnel.tuning.target import Target

Queries = npt.NDArray[np.float32]

MOST_ROWS = 2000  # rows drawn as queries
MOST_QUERIES = 10_000  # queries used of those given
FIT_SHARE = 0.3  # of the queries choose; checking needs the more, since its bound is the promise
MOST_FIT = 300
_FIRST_CHUNK, _MOST_CHUNK = 8, 256  # queries of a call; about so many as take …
_CHUNK_SECONDS = 0.1  # … this long, so that deadlines and Ctrl-C get through


@dataclass(frozen=True)
class Part:
    """Queries and their true neighbours.

    queries: float32 (n, dim).
    truth: int64 (n, k), ids of the true top k, ties by lower id.
    own: int64 (n,), ids of the rows that serve as queries; None for real queries.
    """

    queries: Queries
    truth: Ids
    own: Ids | None

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.queries)

    def __getitem__(self, rows: slice) -> Part:
        """Return some of the queries."""
        return Part(
            self.queries[rows], self.truth[rows], None if self.own is None else self.own[rows]
        )

    def asked(self, k: int) -> int:
        """Return how many answers to ask for so that k are left without the query's own row."""
        return k if self.own is None else k + 1

    def answers(
        self, index: Index | Target, k: int, funnel: Funnel | None, deadline: Deadline = NEVER
    ) -> Ids:
        """Return ids (n, k) that a funnel finds, None meaning exact search, without own rows.

        Raises:
            OutOfTimeError: the deadline passed first.
        """
        return np.concatenate(list(self.in_chunks(index, k, funnel, deadline)))

    def answers_in_time(
        self, index: Index | Target, k: int, funnel: Funnel | None, deadline: Deadline
    ) -> Ids:
        """Return what `answers` does for as many of the queries as the time suffices for."""
        chunks: list[Ids] = []
        with suppress(OutOfTimeError):
            for ids in self.in_chunks(index, k, funnel, deadline):
                chunks.append(ids)  # noqa: PERF402 - what was answered in time must stay
        return np.concatenate(chunks)

    def in_chunks(
        self, index: Index | Target, k: int, funnel: Funnel | None, deadline: Deadline
    ) -> Iterator[Ids]:
        """Yield what `answers` returns, some queries at a time, the first of them in any case."""
        first, size = 0, _FIRST_CHUNK
        while first < len(self):
            if first > 0:
                deadline.check()
            start = monotonic()
            some = self[first : first + size]
            ids = index.search(some.queries, self.asked(k), funnel=funnel, exact=funnel is None).ids
            yield ids if some.own is None else without_own(ids, some.own)
            first += size
            seconds = monotonic() - start
            if seconds > _CHUNK_SECONDS:
                size = max(1, size // 2)
            elif 2 * seconds < _CHUNK_SECONDS:
                size = min(2 * size, _MOST_CHUNK)

    def found(
        self, index: Index | Target, funnel: Funnel | None, deadline: Deadline = NEVER
    ) -> npt.NDArray[np.bool_]:
        """Return which of the true neighbours a funnel finds, (n, k); raises as `answers` does."""
        return are_among(self.truth, self.answers(index, self.truth.shape[1], funnel, deadline))

    def loss(self, index: Index | Target, funnel: Funnel, deadline: Deadline) -> float:
        """Return the share of the neighbours that a funnel drops, 1 if there is no time to see."""
        with suppress(OutOfTimeError):
            return float(1 - self.found(index, funnel, deadline).mean())
        return 1.0


@dataclass(frozen=True)
class Sample:
    """The queries of a tuning, split at random.

    fit: they choose the funnels to try.
    check: they have no part in that; the promise rests on them.
    source: "queries" for those given, "rows" for rows of the index standing in.
    is_cut: whether time was out before all there are had been answered exactly.
    """

    fit: Part
    check: Part
    source: Literal["queries", "rows"]
    is_cut: bool = False


def draw(
    index: Index | Target, queries: Queries | None, k: int, seed: int, deadline: Deadline
) -> Sample:
    """Return a seeded sample with exact answers, as large as can be answered in the time.

    Args:
        index: what is searched.
        queries: (n, dim); equal ones count once, so that no query is on both sides of the split.
            None takes rows of the index, each looking for its neighbours other than itself.
        k: neighbours a query, fewer than the index has rows.
        seed: of the order in which queries are taken and split.
        deadline: of the exact answers; a few are given in any case.

    Raises:
        ValueError: fewer than two different queries.
    """
    rng = np.random.default_rng(seed)
    own: Ids | None = None
    if queries is None:
        own, queries = index.draw(MOST_ROWS, rng)
    else:
        queries = rng.permutation(np.unique(queries, axis=0))[:MOST_QUERIES]
    if len(queries) < 2:
        raise ValueError(f"sample_queries must hold at least 2 different ones, got {len(queries)}")
    asked = Part(queries, np.empty((len(queries), 0), np.int64), own)
    truth = asked.answers_in_time(index, k, None, deadline)
    answered = Part(queries, truth, own)[: len(truth)]
    n_fit = min(max(1, int(FIT_SHARE * len(answered))), MOST_FIT)
    source: Literal["queries", "rows"] = "queries" if own is None else "rows"
    return Sample(answered[:n_fit], answered[n_fit:], source, len(answered) < len(asked))
