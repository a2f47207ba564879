"""Several Python threads, and processes that fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

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


FORK = """
import os
import numpy as np
import fastfunnel as ff

base = np.random.default_rng(0).standard_normal((70_000, 16)).astype(np.float32)
funnel = ff.Funnel.parse("b1@16>900 f32@16")
index = ff.Index(dim=16)
index.add(base)

def answers():
    found = index.search(base[:2], funnel=funnel, threads=4), ff.exact_search(base, base[:200], threads=4)
    return [result.ids.tolist() for result in found]

expected = answers()  # the threads of the pool are there now
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        index.add(base[:5])
        os._exit(0 if answers()[1] == expected[1] and len(index) == 70_005 else 1)
    children.append(child)
    assert answers() == expected
for child in children:
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_searches_with_threads_of_its_own() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (run.stdout.split(), run.stderr, run.returncode) == (["0", "0", "0"], "", 0)
