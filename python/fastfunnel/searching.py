"""Searching the rows of an index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import (
    Metric,
    as_candidates,
    as_count,
    as_filter,
    as_isa,
    as_queries,
    as_score,
    as_threads,
)
from fastfunnel.automatic import AutomaticFunnels
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.principal import PrincipalDirections
from fastfunnel.remembered import DefaultFunnels, Extent
from fastfunnel.rotation import Rotation
from fastfunnel.rows import Rows
from fastfunnel.search import SearchResult, as_funnel
from fastfunnel.tiers import ALL_CODES, Tiers
from fastfunnel.tuning import Tuned


@dataclass(frozen=True)
class StageReport:
    """What one stage did for one query: rows it scored, bytes of them it read, seconds."""

    stage: Stage
    rows: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class _Settled:
    """A default funnel, what decided on it, and for which rows."""

    by: object
    rows: Extent
    funnel: Funnel | None


class Searching(Rows):
    """What `Index` does with queries. A search sees all rows of a change or none."""

    def __init__(self, dim: int, rotation: Rotation | None, metric: Metric, tiers: Tiers) -> None:
        """Hold no rows."""
        super().__init__(dim, rotation, metric, tiers)
        self._tuned = Tuned({})
        self._chosen = DefaultFunnels(self._core)
        self._settled: dict[int, _Settled] = {}  # by k
        self._automatic = AutomaticFunnels(self._core, metric, tiers, self._chosen)
        self._directions = PrincipalDirections(self._core)

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        funnel: Funnel | None = None,
        exact: bool = False,
        recall: float | None = None,
        filter: npt.ArrayLike | None = None,
        min_score: float | None = None,
        threads: int | None = None,
        isa: str | None = None,
    ) -> SearchResult:
        """Return the top k rows by the metric: those with the highest scores.

        Args:
            queries: (n_queries, dim) or (dim,).
            k: answers a query, at least 1.
            funnel: the stages to use; None uses `default_funnel(k)`. Until one is tuned, the first
                128 different queries are also answered exactly, at once, to widen it if it loses (not
                where that takes seconds: of 2.5e9 values on, or where floats alone lie on disk).
            exact: True returns the true top k instead, as `exact_search` does.
            recall: use the funnel that `tune` found to reach this recall at this k.
            filter: the rows that may answer, None for all: their ids, in any order (ids that are
                not in the index are skipped), or a bool for every row, in the order of
                `list(index)`. k of them come back wherever there are k. A filter that leaves rows
                far from what the queries ask for costs recall (docs/tuning.md), unless exact.
                Batches cost less the fewer they are; a single query does where they lie together,
                or from about one row in thirty on.
            min_score: leave out answers with lower scores.
            threads: None uses every core.
            isa: force one of `available_isas()`; None uses `active_isa()`.

        Returns:
            SearchResult with the ids of the rows and their scores: cosines, inner products or
            negative squared distances. Id -1, score -inf where fewer than k rows may answer.

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for nan or inf, for a
                funnel that does not fit dim, k or the codes of the index, for more than one of funnel, exact and recall,
                for a recall that was not tuned, for a filter that does not fit.
        """
        found = self._as_queries(queries)
        k = as_count(k, "k")
        if funnel is not None and exact:
            raise ValueError("funnel must be None when exact=True, got a funnel")
        if recall is not None:
            if funnel is not None or exact:
                raise ValueError("recall must be None when a funnel or exact=True is given")
            chosen = self._tuned.funnel(k, recall, len(self))
        elif exact:
            chosen = None
        else:
            chosen = self._default_for(found, k) if funnel is None else as_funnel(funnel)
        if chosen is None and self.metric == "cosine" and self._tiers.codes == ALL_CODES:
            self._directions.asked(len(found))
        stages = None if chosen is None else chosen.to_core()
        allowed = as_filter(filter)
        lowest = as_score(min_score, "min_score")
        ids, scores = self._core.search(
            found, k, stages, as_threads(threads), as_isa(isa), allowed.ids, allowed.flags
        )
        if lowest is not None:
            too_low = scores < lowest
            ids[too_low], scores[too_low] = -1, -np.inf
        return SearchResult(ids, scores)

    def rescore(
        self, candidate_ids: npt.ArrayLike, queries: npt.ArrayLike, *, threads: int | None = None
    ) -> _core.ScoreArray:
        """Return the exact scores of rows that something else found.

        Args:
            candidate_ids: (n,) ids, the same for all queries, or (n_queries, n).
            queries: (n_queries, dim) or (dim,).
            threads: None uses every core.

        Returns:
            float32 (n_queries, n), summed in float64; -inf for ids that are not in the index, as
            the -1 of a missing answer never is.

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
        """
        found = self._as_queries(queries)
        ids = as_candidates(candidate_ids, len(found))
        return self._core.rescore(ids, found, as_threads(threads)).astype(np.float32)

    def default_funnel(self, k: int = 10) -> Funnel | None:
        """Return the funnel that `search` uses when it is given none; None means exact search.

        The tuned one if `tune` was called for this k and had time to find one, else `untuned_funnel(k)`.
        """
        k = as_count(k, "k")
        if self._tuned.decide(k):
            return self._tuned.funnel(k, None, len(self))
        return self.untuned_funnel(k)

    def untuned_funnel(self, k: int = 10, *, queries_seen: bool = True) -> Funnel | None:
        """Return the funnel that suits a sample of the rows and, if queries_seen, the first queries.

        See fastfunnel/automatic.py and fastfunnel/first_queries.py.
        """
        return self._automatic.funnel(as_count(k, "k"), queries_seen)

    def _default_for(self, queries: _core.QueryArray, k: int) -> Funnel | None:
        """Return the default funnel; where none is tuned, these queries may have a say in it.

        Once all had their say it is looked up: of a query's 300 us all the asking took 25.
        """
        known, now = self._settled.get(k), Extent.of(self._core)
        if known is not None and known.by is self._decider(k) and known.rows == now:
            return known.funnel
        if not self._tuned.decide(k):
            self._automatic.first_queries.note(queries)
        decider = self._decider(k)
        funnel = self.default_funnel(k)
        if decider is not None and decider is self._decider(k):
            self._settled[k] = _Settled(decider, now, funnel)
        return funnel

    def _decider(self, k: int) -> object:
        """Return what the default funnel follows from, the rows aside; None if it may yet change."""
        return self._tuned if self._tuned.decide(k) else self._automatic.first_queries.deciding

    def explain(
        self,
        query: npt.ArrayLike,
        k: int = 10,
        *,
        funnel: Funnel | None = None,
        filter: npt.ArrayLike | None = None,
    ) -> list[StageReport]:
        """Return what each stage does for one query on one thread.

        Args:
            query: (dim,) or (1, dim).
            k: answers, at least 1.
            funnel: as in `search`. Exact search shows as one f32 stage.
            filter: as in `search`.

        Returns:
            One StageReport a stage; 0 rows where a filter leaves a stage nothing to do.

        Raises:
            TypeError, ValueError: as `search`; ValueError for several queries.
        """
        found = self._as_queries(query, "query")
        if len(found) != 1:
            raise ValueError(f"query must be one vector, got {len(found)}")
        k = as_count(k, "k")
        chosen = self.default_funnel(k) if funnel is None else as_funnel(funnel)
        chosen = Funnel([Stage(self.dim, "f32")]) if chosen is None else chosen
        allowed = as_filter(filter)
        traces = self._core.trace(found, k, chosen.to_core(), allowed.ids, allowed.flags)
        return [
            StageReport(stage, rows, rows * stage.row_bytes, seconds)
            for stage, (rows, seconds) in zip(chosen.stages, traces, strict=True)
        ]

    def _as_queries(self, value: npt.ArrayLike, name: str = "queries") -> _core.QueryArray:
        queries = as_queries(value, self.dim, name, self.metric)
        rotated: _core.QueryArray = self._rotated(queries)
        return rotated
