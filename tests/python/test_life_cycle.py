"""An index through any order of changes and searches, against a dict and float64 brute force."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import fastfunnel as ff

DIM = 24
K = 6
FUNNELS = [
    ff.Funnel.parse("f32@24"),
    ff.Funnel.parse("i8@16>200 f32@24"),
    ff.Funnel.parse("b1@24>200 b1@24>200 i8@24>200 f32@24"),
]
IDS = st.integers(0, 60) | st.integers(0, 2**63 - 2)
ID_LISTS = st.lists(IDS, max_size=8)
UNIQUE_IDS = st.lists(IDS, min_size=1, max_size=8, unique=True)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows in float64 at length 1; zero rows stay zero."""
    wide = np.asarray(rows, np.float64).reshape(-1, DIM)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)


class Life(RuleBasedStateMachine):
    """Rules change an index and a dict alike; searches must say what brute force says."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.index = ff.Index(DIM)
        self.rows: dict[int, np.ndarray] = {}  # in the order in which they were added
        self.next_id = 0

    def draw(self, n: int) -> np.ndarray:
        # Few different values, so that some rows tie and some are zero.
        return self.rng.integers(-1, 2, (n, DIM)).astype(np.float32)

    def note(self, ids: list[int], rows: np.ndarray) -> None:
        for i, row in zip(ids, rows, strict=True):
            self.rows.pop(i, None)
            self.rows[i] = row
        self.next_id = max(self.next_id, *(i + 1 for i in ids))

    @rule(ids=UNIQUE_IDS)
    def add(self, ids: list[int]) -> None:
        rows = self.draw(len(ids))
        if any(i in self.rows for i in ids):
            with pytest.raises(ValueError, match=r"^ids must be new"):
                self.index.add(rows, ids)
        else:
            self.index.add(rows, ids)
            self.note(ids, rows)

    @rule(n=st.integers(1, 100))
    def add_without_ids(self, n: int) -> None:
        rows = self.draw(n)
        if self.next_id + n > 2**63:
            with pytest.raises(ValueError, match=r"would pass 2\^63 - 1"):
                self.index.add(rows)
            return
        ids = self.index.add(rows)
        assert ids.tolist() == list(range(self.next_id, self.next_id + n))
        self.note(ids.tolist(), rows)

    @rule(ids=UNIQUE_IDS)
    def upsert(self, ids: list[int]) -> None:
        rows = self.draw(len(ids))
        assert self.index.upsert(rows, ids) == sum(i in self.rows for i in ids)
        self.note(ids, rows)

    @rule(ids=ID_LISTS)
    def remove(self, ids: list[int]) -> None:
        assert self.index.remove(ids) == len(set(ids) & set(self.rows))
        for i in ids:
            self.rows.pop(i, None)

    @rule(share=st.sampled_from([0.1, 0.5, 1.0]))
    def remove_some(self, share: float) -> None:
        gone = [i for i in self.rows if self.rng.random() < share]
        assert self.index.remove(gone) == len(gone)
        for i in gone:
            del self.rows[i]

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.compact() == 0

    @rule(
        funnel=st.sampled_from([None, *FUNNELS]),
        share=st.sampled_from([None, 0.0, 0.02, 0.3, 1.0]),
        as_ids=st.booleans(),
        min_score=st.sampled_from([None, 0.2]),
        threads=st.integers(1, 2),
    )
    def search(
        self,
        funnel: ff.Funnel | None,
        share: float | None,
        as_ids: bool,
        min_score: float | None,
        threads: int,
    ) -> None:
        queries = self.draw(3) + np.float32(0.01) * self.rng.standard_normal((3, DIM))
        queries = queries.astype(np.float32)
        ids = np.fromiter(self.rows, np.int64, len(self.rows))
        allowed = np.ones(len(ids), bool) if share is None else self.rng.random(len(ids)) < share
        given: np.ndarray | None = None
        if share is not None:
            unknown = np.setdiff1d(self.rng.integers(0, 100, 3), ids)
            given = np.concatenate([ids[allowed], unknown]) if as_ids else allowed
        found = self.index.search(
            queries,
            K,
            funnel=funnel,
            exact=funnel is None,
            filter=given,
            min_score=min_score,
            threads=threads,
        )
        cosines = unit(queries) @ unit([self.rows[i] for i in ids[allowed].tolist()]).T
        for q in range(3):
            order = np.lexsort((ids[allowed], -cosines[q].round(9)))[:K]
            if min_score is not None:
                order = order[cosines[q][order] >= min_score]
            expected = np.full(K, -np.inf)
            expected[: len(order)] = cosines[q][order]
            np.testing.assert_allclose(found.scores[q], expected, atol=2e-6)
            if funnel is None:
                assert found.ids[q, : len(order)].tolist() == ids[allowed][order].tolist()
            assert set(found.ids[q].tolist()) <= {*ids[allowed].tolist(), -1}
            assert (found.ids[q] >= 0).sum() == len(order)

    @rule(ids=ID_LISTS)
    def rescore(self, ids: list[int]) -> None:
        queries = self.draw(2)
        known = [*list(self.rows)[:5], *ids, -1]
        scores = self.index.rescore(known, queries)
        each = self.index.rescore([known, known[::-1]], queries)
        expected = np.full((2, len(known)), -np.inf)
        for column, i in enumerate(known):
            if i in self.rows:
                expected[:, column] = (unit(queries) @ unit(self.rows[i]).T)[:, 0]
        np.testing.assert_allclose(scores, expected, atol=1e-6)
        np.testing.assert_array_equal(each, [scores[0], scores[1][::-1]])

    @invariant()
    def holds_the_rows(self) -> None:
        assert len(self.index) == len(self.rows)
        assert list(self.index) == list(self.rows)
        for i in (0, 1, 17, 60):
            assert (i in self.index) == (i in self.rows)
        if self.rows:
            ids = list(self.rows)
            np.testing.assert_array_equal(self.index.get(ids), [self.rows[i] for i in ids])


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
