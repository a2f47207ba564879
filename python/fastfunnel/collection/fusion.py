"""Words and vectors together: an FTS5 query from what was typed, and reciprocal rank fusion."""

from __future__ import annotations

import re
from collections.abc import Sequence

RANK_OFFSET = 60  # Cormack, Clarke and Büttcher, SIGIR 2009
LEAST_DEPTH = 100  # rows of each ranking that are fused, however few are asked for


def words_query(text: str) -> str:
    """Return an FTS5 query for texts with any of the words; empty where there are none.

    Every word is quoted, so nothing in the text is an operator.
    """
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", text)))


def reciprocal_ranks(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Return (row, score), best first: the sum over the rankings of 1 / (60 + rank from 1 on)."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + 1 / (RANK_OFFSET + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
