"""Queries that the searched vectors have never seen."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel.demo.passage import Passage
from fastfunnel.embedders import FloatRows

Encode = Callable[[Sequence[str]], FloatRows]

NOUNS = {
    "docstring": "docstring summaries",
    "WordNet": "WordNet example sentences",
}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Passages whose query is cut out of them; `rows` are their places in the corpus."""

    passages: list[Passage]
    rows: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.passages)

    @property
    def queries(self) -> list[str]:
        """The cut-out sentences, one a held-out passage."""
        return [passage.query for passage in self.passages]

    def describe(self) -> str:
        """Say what the queries are and what became of the texts they came from."""
        counts = Counter(NOUNS.get(p.source, f"lines of {p.source}") for p in self.passages)
        parts = " and ".join(f"{count:,} {noun}" for noun, count in counts.most_common())
        return f"{parts}, taken out of the searched texts"


def hold_out(passages: list[Passage], most: int, seed: int = 0) -> HeldOut:
    """Choose at most `most` queries, and of at most a tenth of the passages.

    Raises:
        ValueError: `most` is below 1, or no passage has a query.
    """
    if most < 1:
        raise ValueError(f"at least one query must be held out, not {most}")
    candidates = [row for row, passage in enumerate(passages) if passage.query]
    if not candidates:
        raise ValueError("no text holds a sentence that could be cut out of it as a query")
    count = min(most, len(candidates), max(1, len(passages) // 10))
    rows = sorted(random.Random(seed).sample(candidates, count))
    return HeldOut([passages[row] for row in rows], np.array(rows, np.int64))


def searched_rows(vectors: FloatRows, held_out: HeldOut, encode: Encode) -> FloatRows:
    """Return a copy of `vectors` (n, dim) that knows nothing of the held-out queries.

    A held-out passage is embedded again from what is left of it, or dropped if nothing is.
    """
    remainders = [passage.without_query() for passage in held_out.passages]
    rows = vectors.copy()
    left = np.array([bool(remainder) for remainder in remainders])
    if left.any():
        rows[held_out.rows[left]] = encode([remainder for remainder in remainders if remainder])
    return np.delete(rows, held_out.rows[~left], axis=0) if not left.all() else rows
