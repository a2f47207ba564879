"""Cosines do not depend on lengths, as far as float32 reaches."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import ROUNDING, assert_equal
from corpora import Corpus, gaussian

import fastfunnel as ff
from fastfunnel import reference

MAGNITUDES = [
    (1e-20, 1e-20),
    (1e-20, 1.0),
    (1.0, 1e-20),
    (1e-20, 1e18),
    (1e18, 1e-20),
    (1e18, 1.0),
    (1.0, 1e18),
    (1e18, 1e18),
]


def scaled(rng: np.random.Generator, rows: float, queries: float) -> Corpus:
    corpus = gaussian(rng, n=500, dim=24)
    return Corpus(corpus.base * np.float32(rows), corpus.queries * np.float32(queries))


@pytest.mark.parametrize(("rows", "queries"), MAGNITUDES)
def test_exact_search(rng: np.random.Generator, isa: str, rows: float, queries: float) -> None:
    corpus = scaled(rng, rows, queries)

    found = ff.exact_search(*corpus, isa=isa)

    assert_equal(found, reference.exact_search(*corpus))


@pytest.mark.parametrize(
    "text",
    [
        "f32@24",
        "f32@9>99 f32@24",
        "i8@24",
        "i8@9>99 i8@24",
        "b1@24",
        "b1@24(hamming)",
        "b1@9>99 b1@24",
        "b1@9>99 i8@24>50 f32@24",
    ],
)
@pytest.mark.parametrize(("rows", "queries"), MAGNITUDES)
def test_funnel_search(
    rng: np.random.Generator, isa: str, rows: float, queries: float, text: str
) -> None:
    corpus = scaled(rng, rows, queries)
    funnel = ff.Funnel.parse(text)

    found = ff.funnel_search(*corpus, 10, funnel, isa=isa)

    assert_equal(found, reference.funnel_search(*corpus, 10, funnel))


def test_lengths_may_differ_from_row_to_row(rng: np.random.Generator, isa: str) -> None:
    base, queries = gaussian(rng, n=500, dim=24)
    lengths = (10.0 ** rng.uniform(-12, 12, (500, 1))).astype(np.float32)

    plain = reference.exact_search(base, queries)
    found = ff.exact_search(base * lengths, queries, isa=isa)

    np.testing.assert_allclose(found.scores, plain.scores, rtol=0, atol=ROUNDING)
