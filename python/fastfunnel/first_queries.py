"""The default funnel tried on the first queries of an index, and widened where it loses.

Rows know how rows lie, not how they are asked for. Questions to passages, or captions to pictures,
may come from another distribution, under which the rows promise too much: of such synthetic ones a
funnel that finds 99% for rows found 57% to 94%. So the first different queries of an index are
kept, and once there are enough its funnel is widened where it loses their neighbours: in the middle of
a search, so only where exact answers to some of them take about a second at most.

Queries that need many times what the rows ask for may be no real ones: an index may be warmed up
with random vectors. A funnel chosen by them alone serves until as many others were asked, which decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastfunnel import _core
from fastfunnel.arguments import as_threads
from fastfunnel.funnel import Funnel
from fastfunnel.remembered import DefaultFunnels, Remembered
from fastfunnel.sampling import Ids
from fastfunnel.stage_costs import of_exact, of_funnel
from fastfunnel.tiers import Tiers
from fastfunnel.trial import MOST_QUERIES, Floats, Trial, are_asked_quickly, queries_to_ask
from fastfunnel.widening import widened

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

    def __init__(self, tiers: Tiers, chosen: DefaultFunnels) -> None:
        """Keep nothing yet."""
        # Exact search would read every float from the disk.
        self._reads_files = tiers.on_disk and "i8" not in tiers.codes
        self._chosen = chosen
        self._kept: dict[bytes, Floats] = {}
        self._enough: Floats | None = None
        self._heard: frozenset[bytes] = frozenset()  # which those are
        self._are_last = False  # whatever they ask for

    @property
    def deciding(self) -> Floats | None:
        """The queries that decided, or None if more are to be heard."""
        return None if self._chosen.doubted else self._enough

    def note(self, queries: Floats) -> None:
        """Keep some of these (n, dim) if there are too few yet; of many, from all over them."""
        if self.deciding is not None:
            return
        if len(queries) > MOST_QUERIES:
            queries = queries[np.linspace(0, len(queries) - 1, MOST_QUERIES).astype(int)]
        found = {query.tobytes(): query for query in queries}
        if found.keys() <= self._kept.keys() | self._heard:
            return
        new = found.keys() - self._heard
        kept = self._kept | {key: query.copy() for key, query in found.items() if key in new}
        if len(kept) < MOST_QUERIES:
            self._kept = kept
            return
        self._enough = np.stack(list(kept.values())[:MOST_QUERIES])
        self._heard = frozenset(kept)
        self._kept = {}
        if self._chosen.doubted:
            self._are_last = True
            for known in self._chosen.by_queries.values():
                known.forget()
            self._chosen.doubted = False

    def funnel(
        self,
        core: _core.Index,
        by_rows: Funnel,
        k: int,
        known: Remembered,
        choose: Callable[[Trial | None], Funnel | None],
    ) -> Funnel | None:
        """Return the funnel that finds 99% of their neighbours; None where exact search is as good.

        Args:
            core: what is searched.
            by_rows: what the rows chose, which comes back as long as there were too few queries, or
                where exact answers take long.
            k: answers a query.
            known: what first queries have chosen before.
            choose: returns the funnel that a trial asks for.
        """
        asked = self._enough
        if asked is None or self._reads_files or not are_asked_quickly(len(core), core.dim):
            return known.known(k, by_rows)
        return known.funnel(k, lambda: self._tried(core, by_rows, asked, k, choose))

    def _tried(
        self,
        core: _core.Index,
        by_rows: Funnel,
        asked: Floats,
        k: int,
        choose: Callable[[Trial | None], Funnel | None],
    ) -> Funnel | None:
        trial = Asked.draw(core, asked, k)
        most, limit = _MOST * (by_rows.stages[0].keep or 0), of_exact(core.dim)

        def is_affordable(wider: Funnel) -> bool:
            keep = wider.stages[0].keep or 0
            return keep <= most and of_funnel(wider, trial.n_rows) < limit

        found = widened(core, by_rows, trial, is_affordable, step=_STEP)
        if found is not None:
            return found
        self._chosen.doubted = not self._are_last
        return choose(Trial.asked(core, trial.queries, k))
