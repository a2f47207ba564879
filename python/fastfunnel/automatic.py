"""The funnel that an index uses when it is given none.

How many rows a stage must keep depends on the model: its prefixes may carry the neighbours or not,
its signs may say much or nothing. So some rows ask for their neighbours, exactly, by sign bits and
by int8 values of several prefixes, and the cheapest scan and rescoring wins. What it keeps is then
tried on all rows: see fastfunnel/widening.py. This is done once, and again when half as many rows
have come or taken the place of others, or when the first queries turn out to be unlike the rows: see
fastfunnel/first_queries.py. It is a good guess, not a promise: `Index.tune` promises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastfunnel import _core
from fastfunnel.arguments import Metric
from fastfunnel.by_int8 import int8_funnel, least_cost
from fastfunnel.by_signs import sign_funnel
from fastfunnel.first_queries import FirstQueries
from fastfunnel.funnel import Funnel
from fastfunnel.interruptible import interruptibly
from fastfunnel.remembered import EXACT_BELOW, DefaultFunnels, Kind
from fastfunnel.stage_costs import of_exact, of_funnel
from fastfunnel.tiers import Tiers
from fastfunnel.trial import Trial
from fastfunnel.widening import widened

ALIKE = 1.01  # lengths that differ by less leave the order to the cosines


class AutomaticFunnels:
    """The funnels that suit an index as it grows; remembers what it chose.

    Sign bits do not see how long a row is, so where lengths differ an inner product or a distance
    is estimated from int8 values alone.
    """

    def __init__(
        self, core: _core.Index, metric: Metric, tiers: Tiers, chosen: DefaultFunnels
    ) -> None:
        """Measure nothing yet."""
        self._core = core
        self._metric = metric
        self._tiers = tiers
        self._chosen = chosen
        self._alike: tuple[int, bool] | None = None  # rows, and whether their lengths were
        self.first_queries = FirstQueries(tiers, chosen)

    def funnel(self, k: int, queries_seen: bool) -> Funnel | None:
        """Return the funnel for the top k; None means exact search is as good.

        Args:
            k: answers a query.
            queries_seen: whether the first queries may have a say.
        """
        kind = self._kind()
        if kind == "by_int8" and "i8" not in self._tiers.codes:
            return None
        by_rows = self._chosen.by_rows[kind].funnel(
            k, lambda: self._suiting(Trial.draw(self._core, k), k, kind)
        )
        if by_rows is None or not queries_seen:
            return by_rows
        return self.first_queries.funnel(
            self._core,
            by_rows,
            k,
            self._chosen.by_queries[kind],
            lambda trial: self._suiting(trial, k, kind),
        )

    def _suiting(self, trial: Trial | None, k: int, kind: Kind) -> Funnel | None:
        if trial is None:
            return None
        ways = []
        if kind == "by_signs":
            ways.append(Way(0.0, lambda: sign_funnel(trial, k, self._tiers)))
        if "i8" in self._tiers.codes:
            ways.append(
                Way(
                    least_cost(self._core.dim),
                    lambda: int8_funnel(trial, k, self._metric, self._tiers),
                )
            )
        return cheapest(self._core, trial, ways)

    def _kind(self) -> Kind:
        """Return by what rows may be told apart, if at all."""
        if "b1" not in self._tiers.codes:
            return "by_int8"
        n_rows = len(self._core)
        if self._metric == "cosine" or n_rows < EXACT_BELOW:
            return "by_signs"
        if self._alike is None or self._alike[0] != n_rows:
            shortest, longest = self._core.lengths()
            self._alike = (n_rows, longest <= ALIKE * shortest)
        return "by_signs" if self._alike[1] else "by_int8"


@dataclass(frozen=True)
class Way:
    """A kind of first stage.

    least_cost: that a funnel with it has, as stage_costs has it.
    suggest: returns the cheapest that calibration finds.
    """

    least_cost: float
    suggest: Callable[[], Funnel]


def cheapest(core: _core.Index, trial: Trial, ways: Sequence[Way]) -> Funnel | None:
    """Return the cheapest funnel that finds 99% of a trial's neighbours, None for exact search.

    Args:
        core: what is searched.
        trial: of it.
        ways: to begin a funnel.
    """
    best, limit = None, of_exact(core.dim)

    def is_cheaper(funnel: Funnel) -> bool:
        return of_funnel(funnel, trial.n_rows) < limit

    for way in ways:
        if way.least_cost < limit:
            found = widened(core, interruptibly(way.suggest), trial, is_cheaper)
            if found is not None:
                best, limit = found, of_funnel(found, trial.n_rows)
    return best
