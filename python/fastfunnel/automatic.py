"""The funnel that an index uses when it is given none.

How many rows a stage of sign bits must keep depends on the model: its prefixes may carry the
neighbours or not. So some rows ask for their neighbours, exactly and by sign bits of several
prefixes, and the prefix with the cheapest scan and rescoring wins. What it keeps is then tried on
all rows: see fastfunnel/widening.py. This is done once, and again when the index has doubled.
It is a good guess, not a promise: `Index.tune` promises.
"""

from __future__ import annotations

import numpy as np

from fastfunnel import _core
from fastfunnel.calibration import USELESS, Calibration, Cost, ranks_among
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.interruptible import interruptibly
from fastfunnel.remembered import Remembered
from fastfunnel.tiers import Tiers
from fastfunnel.trial import Floats, Trial
from fastfunnel.widening import widened


class AutomaticFunnels:
    """The funnels that suit an index as it grows; remembers what it chose."""

    def __init__(self, core: _core.Index, tiers: Tiers, remembered: Remembered) -> None:
        """Measure nothing yet."""
        self._core = core
        self._tiers = tiers
        self._remembered = remembered

    def funnel(self, k: int) -> Funnel | None:
        """Return the funnel for the top k; None means exact search is as good."""
        return self._remembered.funnel(k, len(self._core), lambda: self._chosen(k))

    def _chosen(self, k: int) -> Funnel | None:
        trial = Trial.draw(self._core, k)
        if trial is None:
            return None
        calibration = interruptibly(lambda: calibrate(trial))
        funnel = automatic_funnel(calibration, self._core.dim, k, self._tiers)
        return None if funnel is None else widened(self._core, funnel, trial, USELESS)


def prefixes(dim: int) -> list[int]:
    """Return the prefix lengths a first stage may read: some multiples of 64, and all dims."""
    return [d for d in (128, 192, 256, 320, 384, 512) if d < dim] + [dim]


def calibrate(trial: Trial) -> Calibration:
    """Return the ranks of true neighbours under the sign-bit scores of prefixes."""
    of_sample = np.zeros((len(trial.queries), len(trial.sample)), np.float32)
    of_neighbours = np.zeros(trial.neighbours.shape[:2], np.float32)
    ranks = {}
    summed = 0
    for dims in prefixes(trial.queries.shape[1]):
        part = slice(summed, dims)
        queries = trial.queries[:, part]
        of_sample += queries @ _signs(trial.sample[:, part]).T
        of_neighbours += np.einsum("qd,qjd->qj", queries, _signs(trial.neighbours[:, :, part]))
        summed = dims
        ranks[dims] = ranks_among(of_neighbours, of_sample)
    return Calibration(ranks, len(trial.sample), trial.n_rows)


def _signs(values: Floats) -> Floats:
    return np.where(values > 0, np.float32(1), np.float32(-1))


def automatic_funnel(calibration: Calibration, dim: int, k: int, tiers: Tiers) -> Funnel | None:
    """Return the cheapest funnel by the calibration, or None where exact search is as good.

    Args:
        calibration: of this index.
        dim: its dims.
        k: answers a query.
        tiers: what the index keeps, sign bits among it.
    """
    # Reading all sign bits of the survivors first spares most of their int8 or float rows.
    may_read_signs = dim >= 512 or "i8" not in tiers.codes
    found = calibration.first_stage(k, _cost(dim, tiers, may_read_signs))
    if found is None:
        return None
    first, keep = found
    stages = [Stage(first, "b1", keep)]
    keep_all = calibration.keep(dim, k)
    if first < dim and may_read_signs and 2 * keep_all < keep:
        stages.append(Stage(dim, "b1", keep_all))
    if "i8" in tiers.codes:
        stages.append(Stage(dim, "i8", min(2 * k, stages[-1].keep or 0)))
    return Funnel([*stages, Stage(dim, "f32")])


def _cost(dim: int, tiers: Tiers, reads_signs: bool) -> Cost:
    """Return what a scan and the stage behind it, which reads all dims, take on Zen 4.

    With AVX-512 and VBMI; with AVX2 both take about 1.5 times as long.
    """
    gathered = dim / 8 if reads_signs else dim if "i8" in tiers.codes else 4 * dim  # bytes
    return Cost(scan=0.11 / 64, gather=40 + 0.1 * gathered)
