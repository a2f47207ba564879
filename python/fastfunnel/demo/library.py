"""An index with its texts: open it, ask it in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import fastfunnel as ff
from fastfunnel.demo.passage import Passage
from fastfunnel.demo.texts import read_texts
from fastfunnel.embedders import Embedder, embedder_for


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: its id, its cosine score, and its passage where the texts are known."""

    id: int
    score: float
    passage: Passage | None


class Library:
    """A saved index that answers questions asked in words."""

    def __init__(self, directory: Path, index: ff.Index, embedder: Embedder) -> None:
        """Put together what `open` loads; ModelMismatchError if they do not belong together."""
        index.check_model(embedder)
        self.directory = directory
        self.index = index
        self._embedder = embedder

    @classmethod
    def open(cls, directory: Path) -> Library:
        """Open the index in `directory` and load the model its vectors come from.

        Raises:
            FileNotFoundError: there is no such directory.
            ValueError: it holds no readable index, or one whose model cannot be called here.
            ImportError: the model's library is not installed.
        """
        if not directory.is_dir():
            raise FileNotFoundError(f"there is no index at {directory}")
        index = ff.open(directory)
        return cls(directory, index, embedder_for(index.model, index.dim))

    def search(self, question: str, k: int = 10, *, exact: bool = False) -> list[Hit]:
        """Return at most k hits, best first.

        Raises:
            ValueError: the question is blank, or k is below 1.
        """
        if not question.strip():
            raise ValueError("the question is empty")
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        query = self._embedder.encode_queries([question])
        found = self.index.search(query, k=k, exact=exact)
        ids = [int(one) for one in found.ids[0] if one >= 0]
        passages = read_texts(self.directory, ids)
        return [
            Hit(one, float(score), passages.get(one))
            for one, score in zip(ids, found.scores[0], strict=False)
        ]
