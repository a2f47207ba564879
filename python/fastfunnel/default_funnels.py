"""Default funnels of an index as it grows, by k: chosen by its rows, then tried on its queries.

Rows know how rows lie, not how they are asked for. Questions to passages, or captions to pictures,
may come from another distribution, under which a sample of the rows promises too much: of such
synthetic ones a funnel that finds 99% for rows found 57% to 94%. So the first different queries of
an index are kept, and once there are enough its funnel is widened where it loses their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.funnel import Funnel, grown
from fastfunnel.widening import MOST, widened

EXACT_BELOW = 20_000  # rows; below this exact search takes a millisecond or two
USELESS = 0.1  # a scan that must keep more of the rows than this is no better than exact search
_GROWTH = 2.0  # times more rows, or fewer, before a funnel is chosen anew


class FirstQueries:
    """The first different queries that an index was asked, `MOST` of them.

    Threads may note at once: what is kept is never changed in place, and one of them may be lost.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[bytes, npt.NDArray[np.float32]] = {}
        self._enough: npt.NDArray[np.float32] | None = None

    def note(self, queries: npt.NDArray[np.float32]) -> None:
        """Keep some of these (n, dim) if there are too few yet; of many, from all over them."""
        if self._enough is not None:
            return
        spread = np.linspace(0, len(queries) - 1, min(len(queries), MOST)).astype(int)
        kept = self._kept | {query.tobytes(): query.copy() for query in queries[spread]}
        if len(kept) < MOST:
            self._kept = kept
        else:
            self._enough = np.stack(list(kept.values())[:MOST])
            self._kept = {}

    def enough(self) -> npt.NDArray[np.float32] | None:
        """Return (MOST, dim) queries, None as long as there were fewer."""
        return self._enough


class DefaultFunnels:
    """The funnels that suit an index; a subclass says how rows choose them."""

    def __init__(self, core: _core.Index) -> None:
        """Choose nothing yet."""
        self._core = core
        self._by_rows = _Remembered()
        self._by_queries = _Remembered()

    def funnel(self, k: int, asked: npt.NDArray[np.float32] | None = None) -> Funnel | None:
        """Return the funnel for the top k; None means exact search is as good.

        Args:
            k: answers a query.
            asked: queries that it must find 99% of the neighbours of, the same ones every time;
                None leaves the choice to the rows.
        """
        n_rows = len(self._core)
        by_rows = self._by_rows.funnel(k, n_rows, lambda: self._chosen(k, n_rows))
        if by_rows is None or asked is None:
            return by_rows
        return self._by_queries.funnel(
            k, n_rows, lambda: widened(self._core, by_rows, k, USELESS * n_rows, asked)
        )

    def _chosen(self, k: int, n_rows: int) -> Funnel | None:
        """Return the funnel for the top k of so many rows, by a sample of them."""
        raise NotImplementedError


class _Remembered:
    """Funnels by k, until an index has twice or half the rows that they were chosen for.

    Choosing takes a tenth of a second, a search fractions of a millisecond. In between keeps grow
    with the rows: as many times more of them outrank a neighbour at most.
    """

    def __init__(self) -> None:
        self._funnels: dict[int, tuple[int, Funnel | None]] = {}

    def funnel(self, k: int, n_rows: int, choose: Callable[[], Funnel | None]) -> Funnel | None:
        """Return the funnel for the top k of so many rows, chosen now if it is not known.

        None means exact search, as for few rows and for a large share of them.
        """
        if n_rows < EXACT_BELOW or 8 * k > n_rows:
            return None
        known = self._funnels.get(k)
        if known is None or not 1 / _GROWTH < n_rows / known[0] < _GROWTH:
            known = self._funnels[k] = (n_rows, choose())
        chosen_for, funnel = known
        return None if funnel is None else grown(funnel, n_rows / chosen_for)
