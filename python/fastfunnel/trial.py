"""Rows of an index that a default funnel is chosen by, and tried on.

Some ask for their neighbours, whose ids exact search over all rows finds; some stand for all rows
that those are to be told from. There are the fewer that ask, the more exact search has to look at,
so that a choice costs about as much whatever the number of rows.

Rows of a large index lie closer to each other than queries lie to them: it holds near copies. Of 3
million rows around those of WordNet, stages chosen by the ten nearest of rows found 96% of the ten
nearest of queries. So neighbours further off choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import as_threads
from fastfunnel.sampling import Ids, draw_rows, without_own

Floats = npt.NDArray[np.float32]

SAMPLE_ROWS = 16384
MOST_QUERIES = 128
_FEWEST_QUERIES = 32
_VALUES = 8e10  # of rows times queries that exact search may look at: 1 s of one Zen 4 core
_SPARSE = 250_000  # rows that hardly hold near copies; of more, neighbours are sought …
_DEEPEST = 4096  # … as deep as the nearest of so many drawn from them lie, or so deep
_LOOKED_AT = 32  # neighbours of a query whose values are read


@dataclass(frozen=True)
class Trial:
    """Queries, what they look for, and what it is hidden in.

    own: int64 (m,), ids of the rows that ask; -1 for queries that are no rows.
    queries: float32 (m, dim), these rows.
    truth: int64 (m, k), ids of their nearest other rows, by the index's metric.
    neighbours: float32 (m, j, dim), some of their nearest other rows, j at most 32, the last of
        them the k-th nearest or, of many rows, one further off.
    sample: float32 (n, dim), other rows of the index, drawn at random.
    n_rows: rows of the index.
    """

    own: Ids
    queries: Floats
    truth: Ids
    neighbours: Floats
    sample: Floats
    n_rows: int

    @classmethod
    def draw(cls, core: _core.Index, k: int) -> Trial | None:
        """Return a trial of an index, the same for the same rows; None if those are too few.

        Other threads may change the index meanwhile. Codes that exact search reads are built.
        """
        rng = np.random.default_rng(0)
        while True:
            n_rows = max(1, len(core))
            m = queries_to_ask(n_rows, core.dim)
            ids, rows = draw_rows(core, m + SAMPLE_ROWS, rng)
            if len(ids) <= max(m, k):
                return None
            own, queries, sample = ids[:m], rows[:m], rows[m:]
            depth = max(k, min(k * n_rows // _SPARSE, _DEEPEST))
            found, _ = core.search(queries, depth + 1, None, as_threads(None), None)
            found = without_own(found, own)
            neighbours = _looked_at(core, found)
            if neighbours is not None:
                return cls(own, queries, found[:, :k], neighbours, sample, n_rows)

    @classmethod
    def asked(cls, core: _core.Index, queries: Floats, k: int) -> Trial | None:
        """Return a trial by queries (m, dim) that are no rows, as `draw` does."""
        own = np.full(len(queries), -1)  # no id
        while True:
            n_rows = max(1, len(core))
            if n_rows <= k:
                return None
            _, sample = draw_rows(core, SAMPLE_ROWS, np.random.default_rng(0))
            truth, _ = core.search(queries, k, None, as_threads(None), None)
            neighbours = _looked_at(core, truth)
            if neighbours is not None:
                return cls(own, queries, truth, neighbours, sample, n_rows)

    def answers(self, core: _core.Index, stages: list[Any], k: int) -> Ids:
        """Return the ids (m, k) that stages of the core find, without the rows that ask."""
        ids, _ = core.search(self.queries, k + 1, stages, as_threads(None), None)
        return without_own(ids, self.own)


def _looked_at(core: _core.Index, found: Ids) -> Floats | None:
    """Return the values of some of the neighbours (m, depth); None if one was removed since."""
    places = np.linspace(0, found.shape[1] - 1, min(found.shape[1], _LOOKED_AT)).astype(np.int64)
    some = found[:, places]
    try:
        return core.get(some.ravel()).reshape(*some.shape, core.dim)
    except IndexError:
        return None


def queries_to_ask(n_rows: int, dim: int) -> int:
    """Return how many queries of an index may be answered exactly for a trial."""
    return int(np.clip(_VALUES / (n_rows * dim), _FEWEST_QUERIES, MOST_QUERIES))


def are_asked_quickly(n_rows: int, dim: int) -> bool:
    """Return whether exact search answers the fewest queries of a trial in about a second."""
    return n_rows * dim * _FEWEST_QUERIES <= _VALUES
