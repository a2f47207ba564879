"""Network models: the providers' own clients against a server on the loopback."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from loopback import Failure, Loopback, serving, vector

import fastfunnel as ff
from fastfunnel import embedders
from fastfunnel.embedders import Embedder, EmbeddingError, as_codes

TEXTS = [f"text number {n}" for n in range(7)]
Make = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


def openai(server: Loopback, **options: Any) -> Embedder:
    pytest.importorskip("openai")
    options = {"model": "text-embedding-3-small", "dim": 512, **options}
    return embedders.OpenAIEmbedder(api_key="k", base_url=f"{server.url}/v1", **options)


def azure(server: Loopback, **options: Any) -> Embedder:
    pytest.importorskip("openai")
    return embedders.OpenAIEmbedder(
        **{"model": "text-embedding-3-large", "dim": 256, **options},
        deployment="mine", api_key="k", azure_endpoint=server.url, api_version="2024-10-21",
    )  # fmt: skip


def voyage(server: Loopback, **options: Any) -> Embedder:
    pytest.importorskip("voyageai")
    options = {"model": "voyage-3.5", "dim": 256, **options}
    return embedders.VoyageEmbedder(api_key="k", base_url=f"{server.url}/voyage", **options)


def cohere(server: Loopback, **options: Any) -> Embedder:
    pytest.importorskip("cohere")
    options = {"model": "embed-v4.0", "dim": 256, **options}
    return embedders.CohereEmbedder(api_key="k", base_url=f"{server.url}/cohere", **options)


def gemini(server: Loopback, **options: Any) -> Embedder:
    pytest.importorskip("google.genai")
    types = importlib.import_module("google.genai").types
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01, jitter=0.01)
    http = types.HttpOptions(base_url=f"{server.url}/gemini", retry_options=retries)
    options = {"model": "gemini-embedding-001", "dim": 768, **options}
    return embedders.GeminiEmbedder(api_key="k", http_options=http, **options)


EVERY = pytest.mark.parametrize("make", [openai, azure, voyage, cohere, gemini])


def expected(texts: list[str], dim: int) -> np.ndarray:
    rows = np.array([vector(text, dim) for text in texts], np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@EVERY
def test_rows_are_unit_float32_in_the_order_of_the_texts(make: Make, server: Loopback) -> None:
    embedder = make(server)
    assert isinstance(embedder, Embedder)
    rows = embedder.encode_documents(["", *TEXTS, "  \n"])
    assert rows.dtype == np.float32
    assert rows.shape == (9, embedder.dim)
    np.testing.assert_allclose(rows[1:-1], expected(TEXTS, embedder.dim), atol=1e-6)
    assert not rows[[0, -1]].any()
    queries = embedder.encode_queries(TEXTS[:2])
    np.testing.assert_allclose(queries, expected(TEXTS[:2], embedder.dim), atol=1e-6)


@EVERY
def test_nothing_to_embed_costs_no_call(make: Make, server: Loopback) -> None:
    embedder = make(server)
    assert embedder.encode_documents([]).shape == (0, embedder.dim)
    assert embedder.encode_queries([" "]).shape == (1, embedder.dim)
    assert server.requests == []


def test_what_each_provider_is_asked(server: Loopback) -> None:
    openai(server).encode_queries(["a"])
    openai(server, dim=None).encode_queries(["a"])
    azure(server).encode_queries(["a"])
    (_, small), (_, full), (path, large) = server.requests
    assert small["dimensions"] == 512
    assert "dimensions" not in full
    assert "/deployments/mine/" in path
    assert large["dimensions"] == 256


def test_each_side_is_named_as_its_provider_names_it(server: Loopback) -> None:
    for make in (voyage, cohere):
        made = make(server)
        made.encode_documents(["a"])
        made.encode_queries(["a"])
    assert [body["input_type"] for body in server.bodies] == [
        "document", "query", "search_document", "search_query",
    ]  # fmt: skip
    assert [body["output_dimension"] for body in server.bodies] == [256] * 4


def test_gemini_tasks_and_prefixes(server: Loopback) -> None:
    gemini(server).encode_documents(["a"])
    gemini(server).encode_queries(["a"])
    rows = gemini(server, model="gemini-embedding-2").encode_documents(["a", "b"])
    first, second, third = (body["requests"] for body in server.bodies)
    assert (first[0]["taskType"], second[0]["taskType"]) == (
        "RETRIEVAL_DOCUMENT",
        "RETRIEVAL_QUERY",
    )
    assert [one["content"]["parts"][0]["text"] for one in third] == [
        "title: none | text: a", "title: none | text: b",
    ]  # fmt: skip
    assert "taskType" not in third[0]
    assert rows.shape == (2, 768)  # a vector a text, not one for all


@pytest.mark.parametrize(("make", "most"), [(cohere, 96), (gemini, 100), (voyage, 1000)])
def test_requests_stay_within_the_limits(make: Make, most: int, server: Loopback) -> None:
    texts = [f"{n}" for n in range(most + 5)]
    rows = make(server).encode_documents(texts)
    np.testing.assert_allclose(rows, expected(texts, rows.shape[1]), atol=1e-6)
    assert len(server.requests) == 2


def test_long_texts_are_spread_over_requests(server: Loopback) -> None:
    openai(server).encode_documents(["é" * 70_000, "e" * 200_000, "short", "x" * 400_000, "end"])
    sizes = [[len(text.encode()) for text in body["input"]] for body in server.bodies]
    assert sizes == [[140_000], [200_000, 5], [400_000], [3]]


@pytest.mark.parametrize("make", [voyage, cohere])
@pytest.mark.parametrize("kind", ["binary", "ubinary", "int8"])
def test_small_types_of_documents(make: Make, kind: str, server: Loopback) -> None:
    embedder = make(server, output_type=kind)
    rows = embedder.encode_documents(TEXTS)
    floats = expected(TEXTS, 256)
    if kind == "int8":
        np.testing.assert_allclose(rows, floats, atol=0.01)
    else:
        np.testing.assert_allclose(rows, np.where(floats > 0, 1, -1) / 16, atol=1e-6)
    np.testing.assert_allclose(embedder.encode_queries(TEXTS), floats, atol=1e-6)


def test_codes_are_those_of_binarize() -> None:
    rows = np.array([[-1, 1, -1, -1, 1, 1, -1, 1]], np.float32)
    assert as_codes([[77]], "ubinary").tolist() == as_codes([[-51]], "binary").tolist() == [[77]]
    np.testing.assert_array_equal(ff.binarize(rows), as_codes([[-51]], "binary"))
    for answer, kind in (([[200]], "binary"), ([[-1]], "ubinary"), ([[0.5]], "binary")):
        with pytest.raises(ValueError, match="rows must"):
            as_codes(answer, kind)
    with pytest.raises(ValueError, match="got 'uint8'"):
        as_codes([[1]], "uint8")


BUSY = {"error": {"message": "slow down", "code": 429, "status": "RESOURCE_EXHAUSTED"},
        "detail": "slow down", "message": "slow down"}  # fmt: skip


@EVERY
@pytest.mark.parametrize("status", [429, 503])
def test_the_client_tries_again(make: Make, status: int, server: Loopback) -> None:
    server.failures = [Failure(status, BUSY, {"retry-after-ms": "1"})]
    rows = make(server).encode_documents(TEXTS)
    np.testing.assert_allclose(rows, expected(TEXTS, rows.shape[1]), atol=1e-6)
    assert len(server.requests) == 2


@EVERY
@pytest.mark.parametrize("status", [401, 400])
def test_a_refusal_is_one_clear_error(make: Make, status: int, server: Loopback) -> None:
    server.failures = [Failure(status, {**BUSY, "detail": "no such key", "message": "no such key",
                                        "error": {"message": "no such key", "code": status}})]  # fmt: skip
    with pytest.raises(EmbeddingError, match="no such key") as caught:
        make(server).encode_documents(TEXTS)
    assert caught.value.__cause__ is not None
    assert "\n" not in str(caught.value)


def drop_one(answer: dict[str, Any]) -> dict[str, Any]:
    for rows in (answer.get("data"), answer.get("embeddings")):
        if isinstance(rows, list):
            rows.pop()
        elif isinstance(rows, dict):
            next(iter(rows.values())).pop()
    return answer


def shorten(answer: dict[str, Any]) -> dict[str, Any]:
    for row in answer.get("data", []):
        row["embedding"] = [0.5, 0.5]
    found = answer.get("embeddings", [])
    if isinstance(found, dict):
        found["float"] = [[0.5, 0.5] for _ in found["float"]]
    else:
        for row in found:
            row["values"] = [0.5, 0.5]
    return answer


@EVERY
@pytest.mark.parametrize("twist", [drop_one, shorten, lambda _: {}, lambda _: b"<html>busy</html>"])
def test_nonsense_is_refused(make: Make, twist: Any, server: Loopback) -> None:
    server.twist = twist
    with pytest.raises(EmbeddingError):
        make(server).encode_documents(TEXTS)


def test_rows_out_of_order_are_put_in_order(server: Loopback) -> None:
    server.twist = lambda answer: {**answer, "data": answer["data"][::-1]}
    rows = openai(server).encode_documents(TEXTS)
    np.testing.assert_allclose(rows, expected(TEXTS, 512), atol=1e-6)


def test_a_server_that_is_not_there(server: Loopback) -> None:
    elsewhere = Loopback("http://127.0.0.1:9")
    with pytest.raises(EmbeddingError, match="Connection"):
        openai(elsewhere, max_retries=0).encode_documents(TEXTS)


def test_untabled_models_of_compatible_servers(server: Loopback) -> None:
    rows = openai(server, model="my-model", dim=100).encode_documents(TEXTS)
    assert "dimensions" not in server.bodies[0]
    np.testing.assert_allclose(rows, expected(TEXTS, 100), atol=1e-6)
    with pytest.raises(ValueError, match="dim must be given: my-model is not in the table"):
        openai(server, model="my-model", dim=None)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EmbeddingError, match="OPENAI_API_KEY"):
        embedders.OpenAIEmbedder()
