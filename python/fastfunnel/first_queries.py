"""The default funnel tried on the first queries of an index, and widened where it loses.

Rows know how rows lie, not how they are asked for. Questions to passages, or captions to pictures,
may come from another distribution, under which the rows promise too much: of such synthetic ones a
funnel that finds 99% for rows found 57% to 94%. So the first different queries of an index are
kept, and once there are enough its funnel is widened where it loses their neighbours: in the middle of
a search, so only where exact answers to some of them take about a second at most. Queries that would
need many times what the rows ask for decide nothing: an index may be warmed up with random vectors.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastfunnel import _core
from fastfunnel.arguments import as_threads
from fastfunnel.calibration import USELESS
from fastfunnel.funnel import Funnel
from fastfunnel.remembered import Remembered
from fastfunnel.sampling import Ids
from fastfunnel.tiers import Tiers
from fastfunnel.trial import MOST_QUERIES, Floats, are_asked_quickly, queries_to_ask
from fastfunnel.widening import widened

_MAY_LOSE = 0.0075  # seen by 128 queries, since then all others lose hardly more than 1%
_STEP = 1.5  # times more that a stage keeps
_MOST = 3.0  # times what the rows ask for, in all


@dataclass(frozen=True)
class Asked:
    """Queries, what they look for, and the rows of the index: what `widened` asks of a trial."""

    queries: Floats
    truth: Ids
    n_rows: int

    @classmethod
    def draw(cls, core: _core.Index, queries: Floats, k: int) -> Asked:
        """Return a trial by these queries, by fewer of them where exact search has much to do."""
        n_rows = max(1, len(core))
        some = queries[: queries_to_ask(n_rows, core.dim)]
        truth, _ = core.search(some, k, None, as_threads(None), None)
        return cls(some, truth, n_rows)

    def answers(self, core: _core.Index, stages: list[Any], k: int) -> Ids:
        """Return the ids (m, k) that stages of the core find."""
        ids, _ = core.search(self.queries, k, stages, as_threads(None), None)
        return ids


class FirstQueries:
    """The first different queries that an index was asked, 128 of them, and what they widened.

    Threads may note at once: what is kept is never changed in place, and one of them may be lost.
    """

    def __init__(self, tiers: Tiers) -> None:
        """Keep nothing yet."""
        # Exact search would read every float from the disk.
        self._reads_files = tiers.on_disk and "i8" not in tiers.codes
        self._kept: dict[bytes, Floats] = {}
        self._enough: Floats | None = None
        self._widened: defaultdict[str, Remembered] = defaultdict(Remembered)

    def note(self, queries: Floats) -> None:
        """Keep some of these (n, dim) if there are too few yet; of many, from all over them."""
        if self._enough is not None:
            return
        if len(queries) > MOST_QUERIES:
            queries = queries[np.linspace(0, len(queries) - 1, MOST_QUERIES).astype(int)]
        found = {query.tobytes(): query for query in queries}
        if found.keys() <= self._kept.keys():
            return
        kept = self._kept | {key: query.copy() for key, query in found.items()}
        if len(kept) < MOST_QUERIES:
            self._kept = kept
        else:
            self._enough = np.stack(list(kept.values())[:MOST_QUERIES])
            self._kept = {}

    def widened(self, core: _core.Index, by_rows: Funnel, k: int) -> Funnel | None:
        """Return the funnel that finds 99% of their neighbours; None where exact search is as good.

        Args:
            core: what is searched.
            by_rows: what the rows chose, which comes back as long as there were too few queries, where
                exact answers take long, and if they need too many times more.
            k: answers a query.
        """
        asked = self._enough
        if asked is None or self._reads_files or not are_asked_quickly(len(core), core.dim):
            return by_rows
        known = self._widened[by_rows.stages[0].precision]
        return known.funnel(k, len(core), lambda: _tried(core, by_rows, asked, k))


def _tried(core: _core.Index, by_rows: Funnel, asked: Floats, k: int) -> Funnel | None:
    trial = Asked.draw(core, asked, k)
    most = _MOST * (by_rows.stages[0].keep or 0) / trial.n_rows
    found = widened(core, by_rows, trial, min(most, USELESS), may_lose=_MAY_LOSE, step=_STEP)
    return by_rows if found is None and most < USELESS else found
