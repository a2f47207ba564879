"""Float rows, searched by a funnel."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from fastfunnel.compat.faiss.flat import IndexFlat
from fastfunnel.compat.faiss.metrics import METRIC_INNER_PRODUCT
from fastfunnel.compat.faiss.selectors import Labels
from fastfunnel.compat.faiss.threads import omp_get_max_threads
from fastfunnel.compat.faiss.vectors import Floats
from fastfunnel.funnel import Funnel
from fastfunnel.search import SearchResult, as_funnel
from fastfunnel.tuning import TuningReport


class IndexFunnel(IndexFlat):
    """Nearly the true best k, with their true distances, at a fraction of the time.

    Args:
        d: dims.
        metric: METRIC_INNER_PRODUCT (give it unit rows for cosines) or METRIC_L2.
        funnel: the stages, or their text like "b1@256>800 f32@1024"; None lets a sample of the
            rows decide, or what `tune` found.
    """

    def __init__(
        self, d: int, metric: int = METRIC_INNER_PRODUCT, funnel: Funnel | str | None = None
    ) -> None:
        """Hold no rows."""
        super().__init__(d, metric)
        self.funnel = funnel

    @property
    def funnel(self) -> Funnel | None:
        """The stages that a search uses; None if it chooses them."""
        return self._funnel

    @funnel.setter
    def funnel(self, funnel: Funnel | str | None) -> None:
        parsed = Funnel.parse(funnel) if isinstance(funnel, str) else funnel
        self._funnel = None if parsed is None else as_funnel(parsed)

    def tune(
        self, x: npt.ArrayLike | None = None, k: int = 10, recall: float = 0.99, **options: Any
    ) -> TuningReport:
        """Find the cheapest funnel that reaches a recall; `fastfunnel.Index.tune` says how."""
        report = self._index.tune(x, k, recall, **options)
        self._funnel = None
        return report

    def _found(self, queries: Floats, k: int, filter: Labels | None) -> SearchResult:
        return self._index.search(
            queries, k, funnel=self._funnel, filter=filter, threads=omp_get_max_threads()
        )
