"""Default funnels by k, for as long as they suit the number of rows, and as plain data."""

from __future__ import annotations

from collections.abc import Callable

from fastfunnel.funnel import Funnel, grown

EXACT_BELOW = 20_000  # rows; below this exact search takes a millisecond or two

_GROWTH = 2.0  # times more rows, or fewer, before a funnel is chosen anew


class Remembered:
    """Funnels by k, until an index has twice or half the rows that they were chosen for.

    Choosing takes tenths of a second, a search fractions of a millisecond. In between keeps grow
    with the rows: as many times more of them outrank a neighbour at most.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
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
