"""Several Python threads that share an index."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from agreement import assert_identical
from corpora import Corpus, gaussian

import fastfunnel as ff

FUNNEL = ff.Funnel.parse("b1@32>500 i8@32>100 f32@32")


@pytest.fixture
def corpus(rng: np.random.Generator) -> Corpus:
    return gaussian(rng, n=40_000, dim=32, n_queries=8)


def test_the_gil_is_released_while_searching(corpus: Corpus) -> None:
    n_searches = 30
    finished: list[int] = []
    begun = threading.Event()

    def search() -> None:
        begun.set()
        for i in range(n_searches):
            ff.exact_search(*corpus, threads=1, isa="scalar")
            finished.append(i)

    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # from here on threads take turns only where the GIL is released
    try:
        searcher = threading.Thread(target=search)
        searcher.start()
        begun.wait()
        n_finished = len(finished)
        searcher.join()
    finally:
        sys.setswitchinterval(switch_interval)

    assert n_finished < n_searches
    assert len(finished) == n_searches


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL for everybody"
)
def test_the_import_brings_no_gil_back() -> None:
    code = "import sys, fastfunnel; print(sys._is_gil_enabled())"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("False\n", "")


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_searches_at_once_give_the_answers_of_one(corpus: Corpus, threads: int) -> None:
    index = ff.Index(dim=32)
    index.add(corpus.base)
    expected = ff.funnel_search(*corpus, 10, FUNNEL)
    exact = ff.exact_search(*corpus, 10)

    def search(i: int) -> ff.SearchResult:
        if i % 3 == 0:
            return ff.exact_search(*corpus, threads=threads)
        return index.search(corpus.queries, funnel=FUNNEL, threads=threads)

    with ThreadPoolExecutor(6) as pool:
        for i, found in enumerate(pool.map(search, range(24))):
            assert_identical(found, exact if i % 3 == 0 else expected)


def test_adds_at_once_lose_nothing(rng: np.random.Generator) -> None:
    base, _ = gaussian(rng, n=4000, dim=16)
    index = ff.Index(dim=16)

    def add(first: int) -> tuple[int, np.ndarray]:
        return first, index.add(base[first : first + 20])

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(0, 4000, 20)))

    assert sorted(index) == list(range(4000))
    for first, ids in added:
        np.testing.assert_array_equal(index.get(ids), base[first : first + 20])


def test_a_search_sees_all_rows_of_an_add_or_none(rng: np.random.Generator) -> None:
    rows = np.ones((50, 16), np.float32)
    index = ff.Index(dim=16)
    index.add(gaussian(rng, n=5000, dim=16).base)
    query = np.ones(16, np.float32)
    funnel = ff.Funnel.parse("b1@16>3000 f32@16")

    def count() -> int:
        found = index.search(query, k=2000, funnel=funnel)
        return int((found.scores > 1 - 1e-6).sum())

    with ThreadPoolExecutor(4) as pool:
        adds = [pool.submit(index.add, rows) for _ in range(30)]
        counts = [pool.submit(count) for _ in range(60)]
        for add in adds:
            add.result()

    assert {future.result() % 50 for future in counts} == {0}
    assert count() == 30 * 50


def test_an_error_in_one_thread_leaves_the_others_alone(corpus: Corpus) -> None:
    broken = corpus.base.copy()
    broken[39_999, 31] = np.nan
    expected = ff.funnel_search(*corpus, 10, FUNNEL)

    def search(i: int) -> ff.SearchResult | str:
        base = broken if i % 2 else corpus.base
        try:
            return ff.funnel_search(base, corpus.queries, 10, FUNNEL, threads=2)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        for i, found in enumerate(pool.map(search, range(12))):
            if i % 2:
                assert found == "base must be finite, got nan or inf in row 39999"
            else:
                assert isinstance(found, ff.SearchResult)
                assert_identical(found, expected)


@pytest.mark.parametrize("live", [False, True])
def test_answers_are_true_while_rows_come_and_go(live: bool, tmp_path: Path) -> None:
    """A row is a function of its id, so that every answer can be checked whenever it comes."""

    def row(ids: np.ndarray) -> np.ndarray:
        return np.random.default_rng(7).standard_normal((2000, 16), np.float32)[ids]

    index = ff.Index.create(tmp_path / "live", 16) if live else ff.Index(16)
    always = np.arange(0, 2000, 2)
    index.add(row(always), always)
    odd = always + 1
    done = threading.Event()

    def search(seed: int) -> int:
        rng = np.random.default_rng(seed)
        n_searches = 0
        while not done.is_set() or n_searches < 5:
            query = rng.standard_normal((1, 16), np.float32)
            funnel = None if rng.random() < 0.5 else ff.Funnel.parse("b1@16>2000 f32@16")
            allowed = always[::3] if rng.random() < 0.5 else None
            ids, scores = index.search(
                query, 20, funnel=funnel, exact=funnel is None, filter=allowed
            )
            assert (ids >= 0).all()
            if allowed is not None:
                assert np.isin(ids, allowed).all()
            rows = row(ids[0]).astype(np.float64)
            cosines = rows @ query[0] / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
            np.testing.assert_allclose(scores[0], cosines, atol=1e-5)
            n_searches += 1
        return n_searches

    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(search, seed) for seed in range(3)]
        try:
            for round in range(15):
                index.add(row(odd), odd)
                index.upsert(row(always[:500]), always[:500])
                assert index.remove(odd) == 1000
                if round % 4 == 0:
                    index.compact()
        finally:
            done.set()
        assert all(future.result() >= 5 for future in searches)
    assert sorted(index) == always.tolist()
    index.close()


@pytest.mark.parametrize("live", [False, True])
def test_every_call_at_once(live: bool, tmp_path: Path) -> None:
    """Four threads change rows of their own, four ask in every way; nothing is lost or invented."""
    dim, n_rounds = 16, 12
    queries = np.random.default_rng(1).standard_normal((5, dim), np.float32)
    index = ff.Index.create(tmp_path / "live", dim) if live else ff.Index(dim)
    index.add(np.random.default_rng(2).standard_normal((21_000, dim), np.float32))
    done = threading.Event()

    def change(number: int) -> set[int]:
        rng = np.random.default_rng(number)
        own: list[int] = []
        for _ in range(n_rounds):
            own += index.add(rng.standard_normal((30, dim), np.float32)).tolist()
            index.upsert(rng.standard_normal((10, dim), np.float32), own[:10])
            assert index.remove(own[10:20]) == 10
            del own[10:20]
            assert all(i in index for i in own)
            if rng.random() < 0.2:
                index.compact()
        return set(own)

    def ask(number: int) -> int:
        n_asked = 0
        while not done.is_set() or n_asked < 3:
            found = index.search(queries, 10)  # the default funnel, which everybody may be choosing
            assert (found.ids >= 0).all()
            assert (np.diff(found.scores, axis=1) <= 0).all()
            index.search(queries, 10, exact=True, threads=2)
            assert index.explain(queries[0], 10)
            assert len(index) >= 21_000
            assert np.isfinite(index.get([number])).all()
            assert len(set(index)) >= 21_000
            n_asked += 1
        return n_asked

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, number) for number in range(4)]
        changing = [pool.submit(change, number) for number in range(4)]
        try:
            own = [future.result() for future in changing]
        finally:
            done.set()
        assert all(future.result() >= 3 for future in asking)
    assert sum(map(len, own)) == 4 * n_rounds * 20  # no id was given twice
    assert sorted(index) == [*range(21_000), *sorted(set().union(*own))]
    index.close()
    if live:
        assert set(ff.open(tmp_path / "live")) == set(range(21_000)).union(*own)
