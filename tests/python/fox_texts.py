"""Four texts with metadata, and a collection of them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from words_embedder import WordsEmbedder

import fastfunnel as ff

TEXTS = ["a red fox sleeps", "a grey owl hunts", "bread with olives", "an old fox hunts at night"]
METADATAS: list[dict[str, Any]] = [{"n": 0, "animal": "fox"}, {"n": 1, "animal": "owl"}, {},
                                   {"n": 3, "animal": "fox"}]  # fmt: skip
IDS = ["w", "x", "y", "z"]


def fox_collection(path: Path) -> ff.Collection:
    made = ff.Collection(path, WordsEmbedder())
    made.add(TEXTS, METADATAS, IDS)
    return made


def found(hits: list[ff.Hit]) -> list[str]:
    return [hit.id for hit in hits]
