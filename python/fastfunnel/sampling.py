"""Rows of an index that stand in for queries, and which of their neighbours were found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastfunnel import _core

Ids = npt.NDArray[np.int64]


def draw_rows(
    core: _core.Index, n: int, rng: np.random.Generator
) -> tuple[_core.IdArray, _core.QueryArray]:
    """Return ids and rows of n different rows in random order, all of them if there are fewer.

    Other threads may change the index meanwhile.
    """
    while True:
        ids = core.ids()
        places = rng.choice(len(ids), min(n, len(ids)), replace=False)
        try:
            # In row order: 16,416 of 10 million on a cold disk came in 1.4 s instead of 14.6.
            by_place = np.argsort(places)
            in_order = core.get(ids[places[by_place]])
        except IndexError:  # one was removed between the two calls
            continue
        rows = np.empty_like(in_order)
        rows[by_place] = in_order
        return ids[places], rows


def are_among(truth: Ids, ids: Ids) -> npt.NDArray[np.bool_]:
    """Return which of truth (n, k) are in ids (n, m), row by row."""
    found = np.empty(truth.shape, dtype=bool)
    for column in range(truth.shape[1]):
        found[:, column] = (ids == truth[:, column, np.newaxis]).any(axis=1)
    return found


def without_own(ids: Ids, own: Ids) -> Ids:
    """Return ids (n, k) of (n, k + 1) without each query's own, or without the last."""
    is_own = ids == own[:, np.newaxis]
    is_own[~is_own.any(axis=1), -1] = True
    rest: Ids = ids[~is_own].reshape(len(ids), -1)
    return rest
