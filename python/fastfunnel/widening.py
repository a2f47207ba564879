"""A funnel tried on a whole index, and widened where it loses neighbours.

A sample of the rows cannot see how many rows lie closer than its own nearest ones: in a cluster of
near copies all of them outrank each other. So before a funnel is used, a few rows ask for their
neighbours, by it and exactly, and the stage that loses the most keeps half as many again until
hardly any are lost. Real queries do the same once there are some: see fastfunnel/default_funnels.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import as_threads
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.sampling import Ids, are_among, draw_rows, without_own

_FEWEST, MOST = 16, 128  # rows or queries that ask
_VALUES = 8e10  # of rows times queries that exact search may look at: 0.3 s of one Zen 4 core
_STEP = 1.5  # times more that a stage keeps
_ROWS_MAY_LOSE = 0.01  # of their neighbours
_QUERIES_MAY_LOSE = 0.0075  # seen by 128 of them, since then all others lose hardly more than 1%


def widened(
    core: _core.Index,
    funnel: Funnel,
    k: int,
    most: float,
    asked: npt.NDArray[np.float32] | None = None,
) -> Funnel | None:
    """Return the funnel with keeps at which it finds 99% of the neighbours of some queries.

    Args:
        core: what is searched; codes that the funnel reads, and exact search, are built.
        funnel: whose stages keep more than k rows.
        k: answers a query, fewer than there are rows.
        most: rows that a stage may keep; None comes back where more would be needed.
        asked: (n, dim) queries, at least 16; None lets rows stand in. Of many rows of many dims
            fewer of either ask.
    """
    count = int(np.clip(_VALUES / (len(core) * core.dim), _FEWEST, MOST))
    own: Ids | None = None
    if asked is None:
        own, queries = draw_rows(core, count, np.random.default_rng(1))
    else:
        queries = asked[:count]

    def answers(stages: tuple[Stage, ...], keep: int | None) -> Ids:
        chosen = Funnel(stages).to_core() if stages else None
        last = k if own is None else k + 1
        ids, _ = core.search(queries, keep or last, chosen, as_threads(None), None)
        return ids if own is None else without_own(ids, own)

    may_lose = _ROWS_MAY_LOSE if own is not None else _QUERIES_MAY_LOSE
    truth = answers((), None)
    while True:
        lost = _lost(funnel, truth, answers)
        worst = int(np.argmax(lost))
        if sum(lost) <= may_lose or worst == len(funnel.stages) - 1:
            return funnel
        funnel = _wider(funnel, worst)
        if (funnel.stages[0].keep or 0) > most:
            return None


def _lost(
    funnel: Funnel, truth: Ids, answers: Callable[[tuple[Stage, ...], int | None], Ids]
) -> list[float]:
    """Return the share of the neighbours that each stage drops, by cutting the funnel behind it."""
    lost, before = [], 1.0
    for number, stage in enumerate(funnel.stages):
        cut = (*funnel.stages[:number], replace(stage, keep=None))
        found = float(are_among(truth, answers(cut, stage.keep)).mean())
        lost.append(before - found)
        before = found
    return lost


def _wider(funnel: Funnel, place: int) -> Funnel:
    """Return the funnel where this stage keeps more; one that then drops none is left out."""
    stages = list(funnel.stages)
    keep = math.ceil(_STEP * (stages[place].keep or 0))
    if place > 0 and keep >= (stages[place - 1].keep or 0):
        del stages[place]
    else:
        stages[place] = replace(stages[place], keep=keep)
    return Funnel(stages)
