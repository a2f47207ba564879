"""The top k of all shards from the top k of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastfunnel.search import SearchResult

if TYPE_CHECKING:
    from typing_extensions import Self

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


class ShardedResult(SearchResult):
    """A SearchResult that says which shards it lacks.

    missing: the shards that had not answered at the deadline; () unless `partial=True` was given.
        Rows of these shards are not among the answers, however near they are.
    """

    missing: tuple[int, ...]

    def __new__(
        cls, ids: Ids, scores: npt.NDArray[np.float32], missing: Sequence[int] = ()
    ) -> Self:
        """Join answers and what they lack."""
        result = super().__new__(cls, ids, scores)
        result.missing = tuple(missing)
        return result

    @property
    def complete(self) -> bool:
        """Whether every shard answered."""
        return not self.missing


def merge(answers: Sequence[tuple[Ids, Scores]], n: int, k: int) -> SearchResult:
    """Return the best k of what shards found, ties by lower id, each id once.

    Scores are compared as they come, in float64: two rows that float32 cannot tell apart keep the
    order that one index would give them.

    Args:
        answers: of each shard ids (n, k), -1 for none, and scores (n, k), -inf for none.
        n: queries.
        k: answers a query.
    """
    if not answers:
        return SearchResult(np.full((n, k), -1, np.int64), np.full((n, k), -np.inf, np.float32))
    ids = np.concatenate([one for one, _ in answers], axis=1)
    scores = np.concatenate([one for _, one in answers], axis=1)
    ids, scores = _ranked(ids, scores)
    again = _seen_before(ids)
    if again.any():  # a row on its way from one shard to another is on both
        ids[again], scores[again] = -1, -np.inf
        ids, scores = _ranked(ids, scores)
    return SearchResult(
        np.ascontiguousarray(ids[:, :k]), np.ascontiguousarray(scores[:, :k], np.float32)
    )


def _ranked(ids: Ids, scores: Scores) -> tuple[Ids, Scores]:
    order = np.lexsort((ids, -scores), axis=1)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _seen_before(ids: Ids) -> npt.NDArray[np.bool_]:
    """Return which ids stand further left in their row too."""
    order = np.argsort(ids, axis=1, kind="stable")
    ordered = np.take_along_axis(ids, order, axis=1)
    same = np.zeros(ids.shape, bool)
    same[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    seen = np.empty_like(same)
    np.put_along_axis(seen, order, same, axis=1)
    return seen
