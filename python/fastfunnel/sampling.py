"""Rows of an index drawn at random, while other threads change it."""

from __future__ import annotations

import numpy as np

from fastfunnel import _core


def draw_rows(
    core: _core.Index, n: int, rng: np.random.Generator
) -> tuple[_core.IdArray, _core.QueryArray]:
    """Return ids and rows of n different rows in random order, all of them if there are fewer."""
    while True:
        ids = core.ids()
        ids = rng.choice(ids, min(n, len(ids)), replace=False)
        try:
            return ids, core.get(ids)
        except IndexError:  # one was removed between the two calls
            continue
