"""A small embedder for tests: a text's vector is the sum of its words', each drawn from its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from fastfunnel.embedders import FloatRows


class WordsEmbedder:
    """Texts that share words are near. Counts what it embeds, and fails when told to."""

    model = "words"
    dim = 32
    trained_dims = (32,)

    def __init__(self, fail_after: int | None = None) -> None:
        self.embedded: list[str] = []
        self.fail_after = fail_after

    def encode_documents(self, texts: Sequence[str]) -> FloatRows:
        if self.fail_after is not None and len(self.embedded) + len(texts) > self.fail_after:
            raise ConnectionError("the line is dead")
        self.embedded += texts
        return self._rows(texts)

    def encode_queries(self, texts: Sequence[str]) -> FloatRows:
        return self._rows(texts)

    def _rows(self, texts: Sequence[str]) -> FloatRows:
        rows = np.array([sum(map(_word, text.split()), np.zeros(32)) for text in texts])
        rows = rows.reshape(len(texts), 32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _word(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.lower().encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(32)
