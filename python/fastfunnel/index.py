"""Rows with ids, searched by a funnel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from fastfunnel.arguments import as_count, as_isa, as_queries, as_threads
from fastfunnel.automatic import AutomaticFunnels
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.principal import PrincipalDirections
from fastfunnel.rotation import as_rotation
from fastfunnel.rows import Rows
from fastfunnel.search import SearchResult, as_funnel
from fastfunnel.tuning import Tuned, TuningReport, tune
from fastfunnel.tuning.cost import Objective


@dataclass(frozen=True)
class StageReport:
    """What one stage did for one query: rows it scored, bytes of them it read, seconds."""

    stage: Stage
    rows: int
    bytes: int
    seconds: float


class Index(Rows):
    """Float rows with int64 ids, and the codes that the stages of a funnel read.

    Safe to use from several threads; a search sees all rows of an add or none.

    Args:
        dim: dims of the rows, at least 1.
        model: name of the model the rows come from, for the record.
        metric: "cosine".
        rotation: an orthogonal (dim, dim) map from `fit_rotation`, applied to rows and queries;
            None for none. Cosines stay the same, prefixes become useful.

    Raises:
        TypeError, ValueError: for other values.
    """

    def __init__(
        self,
        dim: int,
        model: str | None = None,
        metric: Literal["cosine"] = "cosine",
        *,
        rotation: npt.ArrayLike | None = None,
    ) -> None:
        """Make an empty index."""
        if metric != "cosine":
            raise ValueError(f"metric must be 'cosine', got {metric!r}")
        if model is not None and not isinstance(model, str):
            raise TypeError(f"model must be a str, got {type(model).__name__}")
        dim = as_count(dim, "dim")
        super().__init__(dim, None if rotation is None else as_rotation(rotation, dim))
        self._tuned = Tuned({})
        self._automatic = AutomaticFunnels(self._core)
        self._directions = PrincipalDirections(self._core)
        self.model = model
        self.metric = metric

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        funnel: Funnel | None = None,
        exact: bool = False,
        recall: float | None = None,
        threads: int | None = None,
        isa: str | None = None,
    ) -> SearchResult:
        """Return the top k rows by cosine.

        Args:
            queries: (n_queries, dim) or (dim,).
            k: answers a query, at least 1.
            funnel: the stages to use; None uses `default_funnel(k)`.
            exact: True returns the true top k instead, as `exact_search` does.
            recall: use the funnel that `tune` found to reach this recall at this k.
            threads: None uses every core.
            isa: force one of `available_isas()`; None uses `active_isa()`.

        Returns:
            SearchResult with the ids of the rows; id -1, score -inf where the index has fewer
            than k rows.

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for nan or inf, for a
                funnel that does not fit dim or k, for more than one of funnel, exact and recall,
                for a recall that was not tuned.
        """
        found = self._rotated(as_queries(queries, self.dim))
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
            chosen = self.default_funnel(k) if funnel is None else as_funnel(funnel)
        if chosen is None:
            self._directions.asked(len(found))
        stages = None if chosen is None else chosen.to_core()
        return SearchResult(*self._core.search(found, k, stages, as_threads(threads), as_isa(isa)))

    def default_funnel(self, k: int = 10) -> Funnel | None:
        """Return the funnel that `search` uses when it is given none; None means exact search.

        The tuned one if `tune` was called for this k, else `untuned_funnel(k)`.
        """
        k = as_count(k, "k")
        if k in self._tuned.fronts:
            return self._tuned.funnel(k, None, len(self))
        return self.untuned_funnel(k)

    def untuned_funnel(self, k: int = 10) -> Funnel | None:
        """Return the funnel that suits a sample of the rows: see fastfunnel/automatic.py."""
        return self._automatic.funnel(as_count(k, "k"))

    def tune(
        self,
        sample_queries: npt.ArrayLike | None = None,
        k: int = 10,
        recall: float = 0.99,
        budget_s: float = 30.0,
        objective: Objective = "latency",
        seed: int = 0,
        progress: bool = True,
        *,
        confidence: float = 0.99,
    ) -> TuningReport:
        """Find the cheapest funnel that reaches a recall on unseen queries; use it from now on.

        Some of the queries choose funnels, the others check them; the funnel installed is the best
        whose recall on those exceeds the target by what the stated confidence asks. From then on
        `search(queries, k)` uses it, and `search(..., recall=r)` the best one for a lower recall.
        Interrupted by Ctrl-C, searches go on as before.

        Args:
            sample_queries: (n, dim) real queries, as many as there are: a thousand can promise
                0.999, a hundred 0.99. None lets rows of the index stand in and is more careful.
            k: answers a query.
            recall: share of the true top k, ties by id, to find on average; above 0, 1 is exact.
            budget_s: seconds to spend, softly.
            objective: what "cheapest" means: "latency" of a single query, "throughput" of a batch,
                or "memory", the codes to hold, at up to 4 times the latency of the fastest.
            seed: of the sample and its split. What is timed is remembered for the life of the
                process; in another one a close race may end differently.
            progress: show a bar if stderr is a terminal and rich is installed.
            confidence: that the promise holds, below 1.

        Returns:
            TuningReport: prints as a table; to_json(), plot().

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for fewer than two
                different queries, for an index of k + 1 rows or fewer. Nothing changes then.
        """
        report = tune(
            self, sample_queries, k, recall, budget_s, objective, seed, progress, confidence
        )
        with self._changing:
            self._tuned = self._tuned.with_front(report.front)
            if self._journal is not None:
                self._journal.keep_tuned(self._tuned.to_dict())
        return report

    def explain(
        self, query: npt.ArrayLike, k: int = 10, *, funnel: Funnel | None = None
    ) -> list[StageReport]:
        """Return what each stage does for one query on one thread.

        Args:
            query: (dim,) or (1, dim).
            k: answers, at least 1.
            funnel: as in `search`. Exact search shows as one f32 stage.

        Returns:
            One StageReport a stage.

        Raises:
            TypeError, ValueError: as `search`; ValueError for several queries.
        """
        found = self._rotated(as_queries(query, self.dim, "query"))
        if len(found) != 1:
            raise ValueError(f"query must be one vector, got {len(found)}")
        k = as_count(k, "k")
        chosen = self.default_funnel(k) if funnel is None else as_funnel(funnel)
        chosen = Funnel([Stage(self.dim, "f32")]) if chosen is None else chosen
        traces = self._core.trace(found, k, chosen.to_core())
        return [
            StageReport(stage, rows, rows * stage.row_bytes, seconds)
            for stage, (rows, seconds) in zip(chosen.stages, traces, strict=True)
        ]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a directory, atomically: a kill leaves the old state or the new one.

        Args:
            path: a directory that does not exist (its parent must), is empty, or holds an index,
                which is replaced. Removed rows are not written.

        Raises:
            ValueError: if the directory holds something else, or an index that cannot be read.
            BlockingIOError: if the directory holds an index that is open for writing; a live
                index is on disk as it is, `compact` tidies it.
            OSError: if the system refuses to write; an index that was there is unchanged.
        """
        from fastfunnel.storage import save

        with self._changing:
            save(self, path)

    @classmethod
    def create(cls, path: str | os.PathLike[str], dim: int, **options: Any) -> Index:
        """Make an index that lives on disk: every change is there when it returns.

        Args:
            path: a directory that does not exist (its parent must) or is empty.
            dim: as for `Index`.
            **options: as for `Index`.

        Returns:
            The index, empty, with this process as its one writer until `close` or its end.

        Raises:
            TypeError, ValueError: as `Index`; ValueError if the directory holds something else.
            FileExistsError: if there is an index; `fastfunnel.open(path, writable=True)` opens it.
            OSError: if the system refuses to write.
        """
        from fastfunnel.storage import create

        return create(path, dim, **options)

    def reopen(self) -> bool:
        """Bring an index that was opened from disk to what its writer has done since.

        Searches see the old state or the new one. A writer is up to date already.

        Returns:
            Whether there was news.

        Raises:
            ValueError: for an index that is not from a directory, or as `fastfunnel.open`.
            FileNotFoundError, OSError: as `fastfunnel.open`. The index is then as it was.
        """
        with self._changing:
            if self._source is None:
                raise ValueError("the index must have been opened from disk to be reopened")
            return self._journal is None and self._source.refresh(self)

    def __repr__(self) -> str:
        """Return what the index holds."""
        return f"<fastfunnel.Index: {len(self)} rows of {self.dim} dims, {self.metric}>"
