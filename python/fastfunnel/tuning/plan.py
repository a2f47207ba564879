"""How much to keep at each stage: the cheapest keeps for every level of care.

Given the ranks that each stage's score gives the true neighbours, a neighbour survives a funnel if
its rank is within every stage's keep. Keeps start at their most and shrink step by step, always
where a step saves the most seconds for the fewest neighbours lost. What is passed on the way are
funnels of every level of care, each of which keeps no more anywhere than the one before: a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.cost import Costs, with_keep
from fastfunnel.tuning.stage_ranks import StageRanks

_GRID_RATIO = 1.3


@dataclass(frozen=True)
class Level:
    """How careful a funnel is on the queries that choose it.

    margin: every keep is at least so many times the rank of a neighbour that counts as found.
    loss: share of the neighbours that do not.
    """

    margin: float
    loss: float


LEVELS = (
    *(Level(margin, 0.0) for margin in (16, 8, 4, 2.8, 2, 1.4)),
    *(Level(1, loss) for loss in (0, 5e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7.5e-3)),
    *(Level(1, loss) for loss in (0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05)),
    *(Level(1, loss) for loss in (0.06, 0.07, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)),
)


@dataclass(frozen=True)
class Candidate:
    """A funnel at a level, with the seconds a query that the cost model predicts."""

    funnel: Funnel
    level: int
    seconds: float


# Funnels of the same stages, from careful to cheap. A neighbour that one of them finds the one
# before finds too, so recall falls along a path whatever the queries.
Path = tuple[Candidate, ...]


def keep_grid(k: int, most: int) -> list[int]:
    """Return the keeps to try, ascending from k to most in steps of about 30%."""
    grid = [k]
    while grid[-1] < most:
        grid.append(min(most, max(grid[-1] + 1, round(grid[-1] * _GRID_RATIO))))
    return grid


def plan(
    stages: Sequence[Stage],
    ranks: StageRanks,
    grid: Sequence[int],
    costs: Costs,
) -> Path:
    """Return the cheapest found keeps of these stages for each level they reach.

    Args:
        stages: without keeps; the last one scores all dims in floats, the others have ranks.
        ranks: of the first stage as a scan, of those before the last as later ones.
        grid: keeps to choose from, ascending, the first at least k.
        costs: seconds of the stages.
    """
    found = [ranks.scans[stages[0]], *(ranks.later[stage] for stage in stages[1:-1])]
    wanted = [one.ravel().astype(np.float32) for one in found]
    places = [len(grid) - 1] * len(wanted)
    best: dict[int, Candidate] = {}
    while True:
        keeps = [grid[place] for place in places]
        strain = _strain(wanted, keeps)
        seconds = costs.of(stages, keeps)
        reached = _level(strain)
        if reached is None:
            return tuple(best.values())
        if reached not in best or seconds < best[reached].seconds:
            best[reached] = Candidate(_funnel(stages, keeps), reached, seconds)
        step = _best_step(stages, wanted, grid, places, costs, seconds, strain)
        if step is None:
            return tuple(best.values())
        places = step


def _strain(
    wanted: Sequence[npt.NDArray[np.float32]], keeps: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Return rank / keep of each neighbour at the stage that comes nearest to dropping it."""
    strain = wanted[0] / np.float32(keeps[0])
    for ranks, keep in zip(wanted[1:], keeps[1:], strict=True):
        np.maximum(strain, ranks / np.float32(keep), out=strain)
    return strain


def _level(strain: npt.NDArray[np.float32]) -> int | None:
    """Return the most careful level that holds, None below all of them."""
    largest = float(strain.max())
    loss = float((strain > 1).mean())
    for number, level in enumerate(LEVELS):
        held = largest * level.margin <= 1 if level.loss == 0 else loss <= level.loss
        if held:
            return number
    return None


def _best_step(
    stages: Sequence[Stage],
    wanted: Sequence[npt.NDArray[np.float32]],
    grid: Sequence[int],
    places: list[int],
    costs: Costs,
    seconds: float,
    strain: npt.NDArray[np.float32],
) -> list[int] | None:
    """Return the places after the step that saves most for what it costs in strain."""
    best: tuple[float, list[int]] | None = None
    before = _harm(strain)
    for number, place in enumerate(places):
        if place == 0:
            continue
        after = list(places)
        after[number] = place - 1
        for later in range(number + 1, len(after)):  # keeps must not grow along the way
            after[later] = min(after[later], after[number])
        keeps = [grid[p] for p in after]
        saved = seconds - costs.of(stages, keeps)
        harm = _harm(_strain(wanted, keeps)) - before
        gain = saved / max(harm, 1e-9)
        if best is None or gain > best[0]:
            best = gain, after
    return None if best is None else best[1]


def _harm(strain: npt.NDArray[np.float32]) -> float:
    """Return the neighbours lost, where a near miss counts a little too."""
    clipped = np.clip(strain, 0.25, 2.0)
    return float(np.dot(clipped * clipped, clipped))


def _funnel(stages: Sequence[Stage], keeps: Sequence[int]) -> Funnel:
    kept = [with_keep(stage, keep) for stage, keep in zip(stages, keeps, strict=False)]
    return Funnel([*kept, stages[-1]])
