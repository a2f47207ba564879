"""A funnel tried on a whole index, and widened where it loses neighbours.

A sample of the rows cannot see how many rows lie closer than its own nearest ones: in a cluster of
near copies all of them outrank each other. So before a funnel is used, a few rows ask for their
neighbours by it, and the stage that loses the most keeps twice as many until hardly any are lost.
Real queries do so once there are some, in smaller steps: see fastfunnel/first_queries.py.

A hundred queries that lose 1% say little more of the others than that they lose half to twice as
much. So the loss and one standard error of it must be 1% at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.funnel import Funnel
from fastfunnel.sampling import Ids, are_among

Shares = npt.NDArray[np.float64]

_MAY_LOSE = 0.01  # of the neighbours


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
    is_affordable: Callable[[Funnel], bool],
    *,
    step: float = 2.0,
) -> Funnel | None:
    """Return the funnel with keeps at which it finds 99% of the neighbours of a trial.

    Args:
        core: what is searched; codes that the funnel reads are built.
        funnel: whose stages keep more rows than answers are asked for.
        trial: of the core.
        is_affordable: whether a funnel may be used; None comes back where it may not.
        step: how many times more a stage keeps that is widened.
    """
    if not is_affordable(funnel):
        return None
    is_narrowest = True
    while not is_enough(_found(core, funnel, trial)):
        if is_narrowest and _is_hopeless(core, funnel, trial, is_affordable, step):
            return None
        is_narrowest = False
        lost = _lost(core, funnel, trial)
        worst = int(np.argmax(lost))
        if worst == len(funnel.stages) - 1:
            return funnel
        funnel = _wider(funnel, worst, step)
        if not is_affordable(funnel):
            return None
    return funnel


def _is_hopeless(
    core: _core.Index,
    funnel: Funnel,
    trial: Asking,
    is_affordable: Callable[[Funnel], bool],
    step: float,
) -> bool:
    """Return whether the first stage alone loses too many, at the most that it may keep."""
    while is_affordable(wider := _wider(funnel, 0, step)):
        funnel = wider
    first = funnel.stages[0]
    alone = Funnel([replace(first, keep=None)])
    return not is_enough(_found(core, alone, trial, first.keep))


def is_enough(found: Shares) -> bool:
    """Return whether queries (m,) that find such shares say that all others lose little."""
    error = found.std() / math.sqrt(len(found))
    return float(1 - found.mean() + error) <= _MAY_LOSE


def _found(core: _core.Index, funnel: Funnel, trial: Asking, keep: int | None = None) -> Shares:
    """Return the share of each query's neighbours among `keep` answers, or those looked for."""
    answers = trial.answers(core, funnel.to_core(), keep or trial.truth.shape[1])
    shares: Shares = are_among(trial.truth, answers).mean(axis=1)
    return shares


def _lost(core: _core.Index, funnel: Funnel, trial: Asking) -> list[float]:
    """Return the share of the neighbours that each stage drops, by cutting the funnel behind it."""
    lost, before = [], 1.0
    for number, stage in enumerate(funnel.stages):
        cut = Funnel([*funnel.stages[:number], replace(stage, keep=None)])
        found = float(_found(core, cut, trial, stage.keep).mean())
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
