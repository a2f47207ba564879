"""Real Matryoshka vectors: WordNet's glosses as two models embed them.

FASTFUNNEL_DATA names the folder that holds the .npy files that bench/README.md describes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from corpora import Corpus

import fastfunnel as ff
from fastfunnel import reference

DATA = Path(os.environ.get("FASTFUNNEL_DATA", ""))
NAMES = ("wordnet_mrl1024", "wordnet_wl256")
N_QUERIES = 200

pytestmark = pytest.mark.skipif(
    not all((DATA / f"{name}_{part}.npy").exists() for name in NAMES for part in ("base", "query")),
    reason="FASTFUNNEL_DATA names no folder with the .npy files that bench/README.md describes",
)


@pytest.fixture(params=NAMES, scope="module")
def corpus(request: pytest.FixtureRequest) -> Corpus:
    base = np.load(DATA / f"{request.param}_base.npy", mmap_mode="r")
    queries = np.load(DATA / f"{request.param}_query.npy")[:N_QUERIES]
    return Corpus(base, queries)


@pytest.fixture(scope="module")
def true_ids(corpus: Corpus) -> np.ndarray:
    """Ids of the top 10 in float64, ties by id: BLAS proposes 100 rows, the reference decides."""
    queries = corpus.queries.astype(np.float64)
    cosines = np.empty((len(queries), len(corpus.base)))
    for first in range(0, len(corpus.base), 8192):
        rows = corpus.base[first : first + 8192].astype(np.float64)
        lengths = np.linalg.norm(rows, axis=1)
        cosines[:, first : first + 8192] = queries @ (rows / lengths[:, np.newaxis]).T
    ids = np.empty((len(queries), 10), dtype=np.int64)
    for q, of_query in enumerate(cosines):
        proposed = np.sort(np.argpartition(-of_query, 100)[:100])
        best = reference.exact_search(corpus.base[proposed], corpus.queries[q], 10)
        ids[q] = proposed[best.ids[0]]
    return ids


def test_exact_search_is_brute_force(corpus: Corpus, true_ids: np.ndarray) -> None:
    np.testing.assert_array_equal(ff.exact_search(*corpus).ids, true_ids)


def test_an_index_left_to_itself_finds_99_of_100(corpus: Corpus, true_ids: np.ndarray) -> None:
    index = ff.Index(dim=corpus.base.shape[1])
    index.add(corpus.base)

    found = index.search(corpus.queries, k=10)

    assert index.default_funnel(10) is not None
    recall = np.mean([np.isin(*pair).mean() for pair in zip(true_ids, found.ids, strict=True)])
    assert recall >= 0.99
