"""Default funnels whose first stage reads sign bits of a prefix."""

from __future__ import annotations

import numpy as np

from fastfunnel import stage_costs
from fastfunnel.calibration import Calibration, ranks_among
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tiers import Tiers
from fastfunnel.trial import Floats, Trial


def sign_funnel(trial: Trial, k: int, tiers: Tiers) -> Funnel:
    """Return the cheapest funnel by a trial.

    Args:
        trial: of an index.
        k: answers a query.
        tiers: what the index keeps, sign bits among it.
    """
    calibration = calibrate(trial)
    dim, has_int8 = trial.queries.shape[1], "i8" in tiers.codes
    # Reading all sign bits of the survivors first spares most of their int8 or float rows.
    may_read_signs = dim >= 512 or not has_int8
    behind = Stage(dim, "b1" if may_read_signs else "i8")
    first, keep = calibration.cheapest(
        k,
        lambda dims: stage_costs.of_scan(dims, "b1"),
        stage_costs.of_gathering(behind.row_bytes),
    )
    stages = [Stage(first, "b1", keep)]
    keep_all = calibration.keep(dim, k)
    if first < dim and may_read_signs and 2 * keep_all < keep:
        stages.append(Stage(dim, "b1", keep_all))
    if has_int8:
        stages.append(Stage(dim, "i8", min(2 * k, stages[-1].keep or 0)))
    return Funnel([*stages, Stage(dim, "f32")])


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
