"""sentence-transformers' binary searches in FAISS and USearch, with its rescoring.

It rescores float queries against the binary rows themselves, not against the float rows; so no
oversampling reaches the recall of the floats.
"""

from __future__ import annotations

import faiss
import numpy as np
from sentence_transformers.util.quantization import (
    quantize_embeddings,
    semantic_search_faiss,
    semantic_search_usearch,
)
from usearch.index import Index

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System


class SentenceTransformers(System):
    """Two indexes of sign bits, scanned."""

    name = "sentence-transformers"
    packages = ("sentence-transformers", "faiss-cpu", "usearch", "torch")
    many = "batch"
    beyond = "the models themselves"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return the multipliers for both libraries."""
        return [
            Setting(f"sentence-transformers {name} binary, rescored", f"multiplier {n}", (name, n))
            for name in ("faiss", "usearch")
            for n in (4, 10, 40)
        ]

    def ingest(self, base: Float32s) -> None:
        """Quantize, and keep the indexes that the first search builds."""
        first = base[:1]
        codes = quantize_embeddings(base, precision="ubinary")
        *_, index = semantic_search_faiss(
            first, corpus_embeddings=codes, corpus_precision="ubinary", output_index=True
        )
        faiss.write_index_binary(index, str(self.directory / "faiss.index"))
        codes = quantize_embeddings(base, precision="binary")
        *_, index = semantic_search_usearch(
            first, corpus_embeddings=codes, corpus_precision="binary", output_index=True
        )
        index.save(str(self.directory / "usearch.index"))

    def open(self, dim: int) -> None:
        """Read both indexes."""
        self._indexes = {
            "faiss": faiss.read_index_binary(str(self.directory / "faiss.index")),
            "usearch": Index.restore(str(self.directory / "usearch.index")),
        }

    def use(self, setting: Setting) -> None:
        """Choose the library and the multiplier."""
        self._library, self._multiplier = setting.value

    def search(self, query: Float32s) -> Ids:
        """Search one query."""
        return self.search_many(query[np.newaxis])[0]

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Search all in one call."""
        search, precision = {
            "faiss": (semantic_search_faiss, "ubinary"),
            "usearch": (semantic_search_usearch, "binary"),
        }[self._library]
        found, _ = search(
            queries,
            corpus_index=self._indexes[self._library],
            corpus_precision=precision,
            top_k=K,
            rescore=True,
            rescore_multiplier=self._multiplier,
            exact=True,
        )
        return [np.array([hit["corpus_id"] for hit in hits], np.int64) for hits in found]

    def close(self) -> None:
        """Let go of the indexes."""
        self._indexes = {}
