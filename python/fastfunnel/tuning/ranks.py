"""At which rank a stage's score puts the true neighbours: what it would have to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastfunnel.funnel import Funnel
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.sample import Part

if TYPE_CHECKING:
    from fastfunnel.index import Index

Ranks = npt.NDArray[np.int32]

BEYOND = np.iinfo(np.int32).max


def neighbour_ranks(
    index: Index, part: Part, funnel: Funnel, depth: int, deadline: Deadline
) -> Ranks:
    """Return the rank of every true neighbour under the score of a funnel's last stage.

    A funnel of one stage ranks all rows. A later stage ranks survivors only, among which a
    neighbour stands no lower: a funnel that keeps these ranks finds at least what they say.

    Args:
        index: what is searched.
        part: queries with their truth (n, k).
        funnel: its last stage has no keep, the one before keeps more than depth.
        depth: ranks looked at.
        deadline: of the search.

    Returns:
        int32 (n, k), 1 for the first; BEYOND where the rank exceeds depth, and where a stage
        before drops the neighbour.

    Raises:
        OutOfTimeError: the deadline passed first.
    """
    return ranks_in(part.truth, part.answers(index, depth, funnel, deadline))


def ranks_in(truth: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> Ranks:
    """Return the 1-based positions of truth (n, k) in ids (n, depth), BEYOND where absent."""
    ranks = np.full(truth.shape, BEYOND, dtype=np.int32)
    for row, (wanted, listed) in enumerate(zip(truth, ids, strict=True)):
        order = np.argsort(listed)
        places = np.minimum(np.searchsorted(listed, wanted, sorter=order), len(listed) - 1)
        there = listed[order[places]] == wanted
        ranks[row, there] = order[places][there] + 1
    return ranks
