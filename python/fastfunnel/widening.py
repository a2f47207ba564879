"""A funnel tried on a whole index, and widened where it loses neighbours.

A sample of the rows cannot see how many rows lie closer than its own nearest ones: in a cluster of
near copies all of them outrank each other. So before a funnel is used, a few rows ask for their
neighbours by it, and the stage that loses the most keeps twice as many until hardly any are lost.
Real queries do so once there are some, in smaller steps: see fastfunnel/first_queries.py.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from fastfunnel import _core
from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids, are_among


class Asking(Protocol):
    """Some queries, what they look for, and what they find."""

    @property
    def truth(self) -> Ids:
        """Ids (m, k) of their true neighbours."""

    @property
    def n_rows(self) -> int:
        """Rows of the index."""

    def answers(self, core: _core.Index, stages: list[Any], k: int) -> Ids:
        """Return the ids (m, k) that stages of the core find."""


def widened(
    core: _core.Index,
    funnel: Funnel,
    trial: Asking,
    most: float,
    *,
    may_lose: float = 0.01,
    step: float = 2.0,
) -> Funnel | None:
    """Return the funnel with keeps at which it finds 99% of the neighbours of a trial.

    Args:
        core: what is searched; codes that the funnel reads are built.
        funnel: whose stages keep more rows than answers are asked for.
        trial: of the core.
        most: share of the rows that a stage may keep; None comes back where more would be needed.
        may_lose: share of the neighbours that does not matter.
        step: how many times more a stage keeps that is widened.
    """
    while True:
        if 1 - _found(core, funnel, trial) <= may_lose:
            return funnel
        lost = _lost(core, funnel, trial)
        worst = int(np.argmax(lost))
        if worst == len(funnel.stages) - 1:
            return funnel
        funnel = _wider(funnel, worst, step)
        if (funnel.stages[0].keep or 0) > most * trial.n_rows:
            return None


def _found(core: _core.Index, funnel: Funnel, trial: Asking, keep: int | None = None) -> float:
    """Return the share of the neighbours among the first `keep` answers, or those looked for."""
    answers = trial.answers(core, funnel.to_core(), keep or trial.truth.shape[1])
    return float(are_among(trial.truth, answers).mean())


def _lost(core: _core.Index, funnel: Funnel, trial: Asking) -> list[float]:
    """Return the share of the neighbours that each stage drops, by cutting the funnel behind it."""
    lost, before = [], 1.0
    for number, stage in enumerate(funnel.stages):
        cut = Funnel([*funnel.stages[:number], replace(stage, keep=None)])
        found = _found(core, cut, trial, stage.keep)
        lost.append(before - found)
        before = found
    return lost


def _wider(funnel: Funnel, place: int, step: float) -> Funnel:
    """Return the funnel where this stage keeps more; one that then drops none is left out."""
    stages = list(funnel.stages)
    keep = math.ceil(step * (stages[place].keep or 0))
    if place > 0 and keep >= (stages[place - 1].keep or 0):
        del stages[place]
    else:
        stages[place] = replace(stages[place], keep=keep)
    return Funnel(stages)
