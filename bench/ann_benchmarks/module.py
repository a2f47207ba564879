"""fastfunnel as ann-benchmarks calls it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import fastfunnel as ff

from ..base.module import BaseANN  # type: ignore[import-not-found]  # ann-benchmarks' own

_METRICS = {"angular": "cosine", "euclidean": "l2"}
EXACT = "exact"


class FastFunnel(BaseANN):  # type: ignore[misc]
    """One index; what varies is how many rows the stages of its funnel keep.

    Args:
        metric: "angular" or "euclidean".
    """

    def __init__(self, metric: str) -> None:
        """Hold no rows."""
        if metric not in _METRICS:
            raise NotImplementedError(f"fastfunnel has no metric {metric}")
        self._metric = _METRICS[metric]
        self.set_query_arguments(1)

    def fit(self, X: npt.NDArray[Any]) -> None:  # noqa: N803  (ann-benchmarks calls it so)
        """Add the rows, and make the codes that searches read."""
        self._index = ff.Index(X.shape[1], metric=self._metric)
        self._index.add(np.ascontiguousarray(X, np.float32))
        self.query(X[0], 10)

    def set_query_arguments(self, width: float | str) -> None:
        """Keep `width` times the rows of the funnel that suits the data, or be "exact"."""
        self._width = width
        self._funnels: dict[int, ff.Funnel | None] = {}
        self.name = f"fastfunnel({width})"

    def query(self, v: npt.NDArray[Any], n: int) -> npt.NDArray[np.int64]:
        """Return the nearest rows, on one thread: the runner pins a process to one core."""
        return self._search(v, n, 1)[0]

    def batch_query(self, X: npt.NDArray[Any], n: int) -> None:  # noqa: N803
        """Answer all queries at once, on every core."""
        self._answers = self._search(X, n, None)

    def get_batch_results(self) -> npt.NDArray[np.int64]:
        """Return what `batch_query` found."""
        return self._answers

    def _search(
        self, queries: npt.NDArray[Any], n: int, threads: int | None
    ) -> npt.NDArray[np.int64]:
        if n not in self._funnels:
            self._funnels[n] = self._funnel(n)
        funnel = self._funnels[n]
        return self._index.search(
            queries, n, funnel=funnel, exact=funnel is None, threads=threads
        ).ids

    def _funnel(self, n: int) -> ff.Funnel | None:
        default = None if self._width == EXACT else self._index.untuned_funnel(n)
        if default is None:
            return None
        return ff.Funnel(
            ff.Stage(stage.dims, stage.precision, self._kept(stage.keep, n), stage.symmetric)
            for stage in default.stages
        )

    def _kept(self, keep: int | None, n: int) -> int | None:
        return None if keep is None else max(n, round(keep * float(self._width)))
