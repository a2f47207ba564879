"""sentence-transformers: its own quantization, and its own search with FAISS as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

library = pytest.importorskip("sentence_transformers.util", reason="needs sentence-transformers")
pytest.importorskip("faiss", reason="needs faiss-cpu")
torch = pytest.importorskip("torch")

from sentence_transformers.util.quantization import (
    quantize_embeddings,
    semantic_search_faiss,
    semantic_search_usearch,
)

import fastfunnel as ff
from fastfunnel.integrations.sentence_transformers import semantic_search_fastfunnel

ROWS, QUERIES, DIM = 2000, 40, 100  # not a whole number of bytes


@pytest.fixture(scope="module")
def corpus() -> np.ndarray:
    rows = np.random.default_rng(1).standard_normal((ROWS, DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def queries(corpus: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal((QUERIES, DIM)).astype(np.float32)
    return corpus[:QUERIES] + 0.1 * noise


def same(found: Any, expected: Any) -> None:
    """Compare answers: the scores are the same, and the ids but for those whose scores tie."""
    assert len(found) == len(expected) == QUERIES
    for mine, theirs in zip(found, expected, strict=True):
        scores = [one["score"] for one in theirs]
        np.testing.assert_allclose([one["score"] for one in mine], scores, rtol=1e-5, atol=1e-5)
        worst = scores[-1]
        ids = {one["corpus_id"] for one in theirs if abs(one["score"] - worst) > 1e-5}
        assert ids <= {one["corpus_id"] for one in mine}
        assert all(isinstance(one["corpus_id"], int) for one in mine)
        assert all(isinstance(one["score"], float) for one in mine)


def test_floats(corpus: np.ndarray, queries: np.ndarray) -> None:
    expected, _ = semantic_search_faiss(queries, corpus, rescore=False)
    found, seconds, index = semantic_search_fastfunnel(queries, corpus, output_index=True)
    same(found, expected)
    assert seconds > 0
    assert isinstance(index, ff.Index)
    same(semantic_search_fastfunnel(queries, corpus_index=index)[0], expected)
    by_funnel, _ = semantic_search_fastfunnel(queries, corpus_index=index, exact=False)
    tops = [[one["corpus_id"] for one in answers[:1]] for answers in (*by_funnel, *expected)]
    assert tops[:QUERIES] == tops[QUERIES:]


@pytest.mark.parametrize("precision", ["ubinary", "binary"])
@pytest.mark.parametrize("multiplier", [1, 2, 5])
def test_packed_bits(
    corpus: np.ndarray, queries: np.ndarray, precision: Any, multiplier: int
) -> None:
    codes = quantize_embeddings(corpus, precision)
    options: Any = {"top_k": 7, "rescore_multiplier": multiplier}
    found, _, index = semantic_search_fastfunnel(
        queries, codes, corpus_precision=precision, output_index=True, **options
    )
    ubinary = quantize_embeddings(corpus, "ubinary")
    expected, _ = semantic_search_faiss(queries, ubinary, corpus_precision="ubinary", **options)
    assert shortlisted_alike(ubinary, queries, found, expected, 7 * multiplier)
    again, _ = semantic_search_fastfunnel(
        queries, corpus_index=index, corpus_precision=precision, **options
    )
    assert again == found
    np.testing.assert_array_equal(index, ubinary)


def shortlisted_alike(
    codes: np.ndarray, queries: np.ndarray, found: Any, expected: Any, shortlist: int
) -> bool:
    """Compare answers of shortlists, which ties of the distance may cut differently."""
    bits = np.unpackbits(codes, axis=1, count=DIM)
    for place, (mine, theirs) in enumerate(zip(found, expected, strict=True)):
        distances = ((queries[place] > 0) != bits).sum(axis=1)
        edge = np.sort(distances)[shortlist - 1]
        sure = {
            one["corpus_id"]: one["score"] for one in theirs if distances[one["corpus_id"]] < edge
        }
        scores = {one["corpus_id"]: one["score"] for one in mine}
        floats = queries[place].astype(np.float64)
        assert all(distances[id] <= edge for id in scores)
        for id, score in scores.items():
            assert score == pytest.approx(floats @ bits[id])
        worst = min(scores.values())
        assert {id for id, score in sure.items() if score > worst + 1e-6} <= set(scores)
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
    return True


@pytest.mark.parametrize("precision", ["ubinary", "binary"])
def test_bits_against_bits(corpus: np.ndarray, queries: np.ndarray, precision: Any) -> None:
    codes = quantize_embeddings(corpus, precision)
    asked = quantize_embeddings(queries, precision)
    expected, _ = semantic_search_faiss(
        quantize_embeddings(queries, "ubinary"), quantize_embeddings(corpus, "ubinary"),
        corpus_precision="ubinary", rescore=False,
    )  # fmt: skip
    options: Any = {"corpus_precision": precision}
    same(semantic_search_fastfunnel(asked, codes, **options)[0], expected)
    same(semantic_search_fastfunnel(queries, codes, rescore=False, **options)[0], expected)


@pytest.mark.parametrize("precision", ["int8", "uint8"])
def test_scalar_codes(corpus: np.ndarray, queries: np.ndarray, precision: Any) -> None:
    options: Any = {"corpus_precision": precision, "calibration_embeddings": corpus, "top_k": 5}
    codes = quantize_embeddings(corpus, precision, calibration_embeddings=corpus)
    theirs = semantic_search_faiss if precision == "uint8" else semantic_search_usearch
    if precision == "int8":
        pytest.importorskip("usearch", reason="needs usearch")
    # Their shortlist is by products of codes; as long as the corpus, it leaves out nothing.
    expected, _ = theirs(queries, codes, rescore_multiplier=ROWS // 5, **options)
    same(semantic_search_fastfunnel(queries, codes, **options)[0], expected)
    ranges = np.vstack((corpus.min(axis=0), corpus.max(axis=0)))
    del options["calibration_embeddings"]
    same(semantic_search_fastfunnel(queries, codes, ranges=ranges, **options)[0], expected)
    quantized = quantize_embeddings(queries, precision, ranges=ranges)
    found, _ = semantic_search_fastfunnel(quantized, codes, ranges=ranges, **options)
    assert [one[0]["corpus_id"] for one in found] == list(range(QUERIES))


@pytest.mark.parametrize("precision", ["ubinary", "int8"])
def test_floats_that_are_shortlisted_by_codes(
    corpus: np.ndarray, queries: np.ndarray, precision: Any
) -> None:
    expected, _ = semantic_search_faiss(queries, corpus, rescore=False, top_k=5)
    found, _ = semantic_search_fastfunnel(
        queries, corpus, corpus_precision=precision, rescore_multiplier=ROWS // 5, top_k=5
    )
    same(found, expected)  # true inner products


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_tensors(corpus: np.ndarray, queries: np.ndarray, dtype: str) -> None:
    rows, asked = (torch.tensor(one, requires_grad=True).to(getattr(torch, dtype))
                   for one in (corpus, queries))  # fmt: skip
    expected, _ = semantic_search_fastfunnel(
        asked.detach().float().numpy(), rows.detach().float().numpy()
    )
    assert semantic_search_fastfunnel(asked, rows)[0] == expected
    assert semantic_search_fastfunnel(list(asked), list(rows))[0] == expected


def test_fewer_rows_than_asked_for(corpus: np.ndarray, queries: np.ndarray) -> None:
    for precision in ("float32", "ubinary", "binary"):
        few = quantize_embeddings(corpus[:3], precision)
        found, _ = semantic_search_fastfunnel(queries, few, corpus_precision=precision)
        assert {len(one) for one in found} == {3}
    (one,), _ = semantic_search_fastfunnel(queries[0], corpus, top_k=1)
    assert one[0]["corpus_id"] == 0


def test_bad_input_is_named(corpus: np.ndarray, queries: np.ndarray) -> None:
    search = semantic_search_fastfunnel
    ubinary = quantize_embeddings(corpus, "ubinary")
    for call, message in [
        (lambda: search(queries), "either corpus_embeddings or corpus_index"),
        (lambda: search(queries, corpus, corpus_index=ubinary), "either corpus_embeddings or"),
        (lambda: search(queries, corpus, corpus_precision="int4"), "must be one of float32"),
        (lambda: search(queries, ubinary, corpus_precision="binary"), "must be int8, got uint8"),
        (lambda: search(queries, ubinary), "float32 embeddings must be float32, got uint8"),
        (lambda: search(queries, corpus_index=ubinary), "must be an Index for float32"),
        (lambda: search(ubinary, corpus, corpus_precision="ubinary"), "need a corpus of packed"),
        (lambda: search(queries, corpus, top_k=0), "at least 1"),
        (lambda: search(queries[:1], ubinary, corpus_precision="uint8"), "ranges or calibration"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
