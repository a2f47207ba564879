"""All rows within a distance, by searches for the best k."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.compat.faiss.selectors import Labels

Answers = tuple[npt.NDArray[Any], Labels]
_FIRST_K = 1024
_GROWTH = 8
_ANSWERS_AT_ONCE = 1 << 22  # held while queries are searched together: 50 MB


def within(
    search: Callable[[npt.NDArray[Any], int], Answers],
    is_within: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]],
    queries: npt.NDArray[Any],
    ntotal: int,
) -> list[Answers]:
    """Return distances and labels of each query's answers, by label.

    Args:
        search: returns the best k of `ntotal` rows, label -1 where there are fewer.
        is_within: says which distances count; if one does, so do all better ones.
        queries: (n, width).
        ntotal: at least 1.
    """
    answers: list[Answers] = [(np.empty(0), np.empty(0, np.int64))] * len(queries)
    waiting, k = np.arange(len(queries)), min(_FIRST_K, ntotal)
    while len(waiting):
        wanting: list[int] = []  # all k answers count, so there may be more
        step = max(1, _ANSWERS_AT_ONCE // k)
        for first in range(0, len(waiting), step):
            part = waiting[first : first + step]
            distances, labels = search(queries[part], k)
            good = (labels >= 0) & is_within(distances)
            for place, query in enumerate(part.tolist()):
                if k < ntotal and good[place].all():
                    wanting.append(query)
                    continue
                taken = labels[place, good[place]]
                order = np.argsort(taken)
                answers[query] = distances[place, good[place]][order], taken[order]
        waiting, k = np.array(wanting, np.int64), min(_GROWTH * k, ntotal)
    return answers
