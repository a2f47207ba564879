"""Rows with ids, searched by a funnel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from fastfunnel.arguments import Metric, as_count, as_metric
from fastfunnel.model import Model, ModelMismatchError
from fastfunnel.rotation import as_rotation
from fastfunnel.searching import Searching
from fastfunnel.tiers import ALL_CODES, Code, FloatDtype, FloatStore, Tiers
from fastfunnel.tuning import TuningReport, tune
from fastfunnel.tuning.cost import Objective
from fastfunnel.tuning.target import OneIndex

if TYPE_CHECKING:
    from fastfunnel.embedders import Embedder


class Index(Searching):
    """Float rows with int64 ids, and the codes that the stages of a funnel read.

    Safe to use from several threads; a search sees all rows of an add or none.

    Args:
        dim: dims of the rows, at least 1.
        model: what makes the rows, which `check_model` holds others against: a model's name, or a
            Model with its dims and recipe too. None if unknown.
        metric: what scores are, the higher the nearer: "cosine"; "ip", inner products; or "l2",
            negative squared distances. Rows must then lie within ±2^50, and sign bits, which do
            not see lengths, serve a funnel less where lengths differ.
        rotation: an orthogonal (dim, dim) map from `fit_rotation`, applied to rows and queries;
            None for none. Cosines stay the same, prefixes become useful.
        float_store: "ram", or "disk": float rows lie in files, and a search reads those few that
            its last stage scores. `create(path)` says where; without a path they lie in a
            directory of `tempfile`, which goes with the index. The newest rows, 128 MB at most,
            are in memory until `flush`.
        float_dtype: "f32"; or "f16" or "bf16", which halve the float rows: they are rounded as
            they come, and what every search, `exact=True` too, and `get` then see are the rounded
            rows. "f16" takes values within ±65504, and keeps three digits from 1e-4 on.
        codes: what stages may read beside floats: "b1", sign bits; "i8", int8 values. Without one
            its memory is spared, and a funnel that reads it is an error.

    Raises:
        TypeError, ValueError: for other values.
    """

    def __init__(
        self,
        dim: int,
        model: str | Model | None = None,
        metric: Metric = "cosine",
        *,
        rotation: npt.ArrayLike | None = None,
        float_store: FloatStore = "ram",
        float_dtype: FloatDtype = "f32",
        codes: Sequence[Code] = ALL_CODES,
    ) -> None:
        """Make an empty index."""
        metric = as_metric(metric)
        made_by = None if model is None else Model.of(model)
        dim = as_count(dim, "dim")
        tiers = Tiers.of(float_store, float_dtype, codes)
        rotated = None if rotation is None else as_rotation(rotation, dim)
        super().__init__(dim, rotated, metric, tiers)
        self.made_by = made_by

    @property
    def model(self) -> str | None:
        """The name of the model that made the rows, None if unknown."""
        return None if self.made_by is None else self.made_by.name

    def check_model(self, source: str | Model | Embedder) -> None:
        """Refuse vectors of another model; wrappers call this before they add or search.

        Args:
            source: what makes the vectors: a Model, a model's name or an embedder.

        Raises:
            ModelMismatchError: if the index holds vectors of another model, of the same one used
                differently, or of another length. An index that names no model takes any.
            TypeError: for a source of another kind.
        """
        other = Model.of(source)
        difference = None if self.made_by is None else self.made_by.difference(other)
        if difference is None and other.dim not in (None, self.dim):
            difference = f"vectors of {self.dim} dims, not {other.dim}"
        if difference is not None:
            raise ModelMismatchError("the index", difference)

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
        Where time is out before enough queries were answered for any promise, the default funnel
        stays in use for a recall up to 0.99, unless it was seen to fail; the report says so.
        Interrupted by Ctrl-C, searches go on as before. Codes that no tuned funnel reads are freed,
        and built again by the search that needs them.

        Args:
            sample_queries: (n, dim) real queries, as many as there are: a thousand can promise
                0.999, a hundred 0.99. None lets rows of the index stand in and is more careful.
            k: answers a query.
            recall: share of the true top k, ties by id, to find on average; above 0, 1 is exact.
            budget_s: seconds to spend; it may take a tenth more, or two seconds if that is longer.
            objective: what "cheapest" means: "latency" of a single query, "throughput" of a batch,
                or "memory", the codes to hold, at up to 4 times the latency of the fastest.
            seed: of the sample and its split. What is timed is remembered with the index; for
                another one a close race may end differently.
            progress: show a bar if stderr is a terminal and rich is installed.
            confidence: that the promise holds, below 1.

        Returns:
            TuningReport: prints as a table; to_json(), plot().

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for fewer than two
                different queries, for an index of k + 1 rows or fewer; ValueError for a live index
                that was closed. Nothing changes then.
            OSError: if the system refuses to write a live index, which is then unchanged.
        """
        if self._journal is not None:
            self._journal.check_usable()  # a promise that cannot be kept is not measured first
        with self._directions.at_rest():
            report = tune(
                OneIndex(self),
                sample_queries,
                k,
                recall,
                budget_s,
                objective,
                seed,
                progress,
                confidence,
            )
        with self._changing:
            tuned = self._tuned.with_front(report.front)
            if self._journal is not None:
                self._journal.keep_tuned(tuned.to_dict())
            self._tuned = tuned
        funnels = [self.default_funnel(k) for k in self._tuned.fronts]
        self._core.keep_planes([f.to_core() for f in funnels if f is not None], None in funnels)
        return report

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

    def _check_writable(self) -> None:
        super()._check_writable()
        if self._tiers.on_disk and self._journal is None:
            from fastfunnel.storage import settle

            settle(self)

    def __repr__(self) -> str:
        """Return what the index holds."""
        return f"<fastfunnel.Index: {len(self)} rows of {self.dim} dims, {self.metric}>"
