"""The demo's steps, without a word of output: embed, leave an index, measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fastfunnel as ff
from fastfunnel.demo.comparison import Measurement, compare, one_numpy_thread
from fastfunnel.demo.contenders import contenders
from fastfunnel.demo.corpora import Corpus
from fastfunnel.demo.held_out import HeldOut, searched_rows
from fastfunnel.demo.home import replacing
from fastfunnel.demo.texts import write_texts
from fastfunnel.embedders import FloatRows
from fastfunnel.embedders.wordllama import WordLlamaEmbedder

K = 10
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Embedded:
    """A corpus and its (n, dim) float32 unit rows."""

    corpus: Corpus
    vectors: FloatRows
    embedder: WordLlamaEmbedder


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured, over how many rows of which length, with how many queries."""

    rows: int
    dim: int
    queries: int
    measured: list[Measurement]


def prepare() -> WordLlamaEmbedder:
    """Load the model, having made sure that nothing the later steps need is missing.

    Raises:
        ImportError: WordLlama or threadpoolctl is not installed.
    """
    with one_numpy_thread():
        return WordLlamaEmbedder()


def embed(
    corpus: Corpus, embedder: WordLlamaEmbedder, progress: Callable[[int], None] | None = None
) -> Embedded:
    """Embed every passage; `progress` is told the size of each finished batch."""
    texts = [passage.text for passage in corpus.passages]
    return Embedded(corpus, embedder.encode_documents(texts, progress), embedder)


def leave_index(embedded: Embedded, directory: Path) -> None:
    """Save the index of the whole corpus, and its texts, in place of an earlier demo's.

    Raises:
        ValueError: `directory` holds something that is not a demo index.
    """
    index = ff.Index(dim=embedded.embedder.dim, model=ff.Model.of(embedded.embedder))
    index.add(embedded.vectors)
    with replacing(directory) as built:
        index.save(built)
        write_texts(built, embedded.corpus.passages)


def measure(
    embedded: Embedded,
    held_out: HeldOut,
    *,
    repeats: int = REPEATS,
    on_turn: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare the ways to search on the held-out queries, over rows that do not know them.

    `on_turn` is told (turns done, turns in all).
    """
    encode = embedded.embedder.encode_documents
    base = searched_rows(embedded.vectors, held_out, encode)
    queries = embedded.embedder.encode_queries(held_out.queries)
    searches = contenders(base, K)
    measured = compare(searches, base, queries, k=K, repeats=repeats, on_turn=on_turn)
    rows, dim = base.shape
    return Comparison(rows, dim, len(queries), measured)
