"""One text of the corpus, and the question that can be cut out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to be found.

    `query` is a sentence inside `text` that somebody could have asked; empty when there is none.
    """

    text: str
    source: str
    query: str = ""

    def without_query(self) -> str:
        """Return `text` with `query`, and the quotation marks around it, cut out."""
        cut = rf';?\s*"?\s*{re.escape(self.query)}\s*"?'
        return " ".join(re.sub(cut, " ", self.text, count=1).split())


def distinct(passages: list[Passage]) -> list[Passage]:
    """Return the passages in order, without those whose text came before."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.text, passage)
    return list(first.values())
