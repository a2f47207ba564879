"""One answer of a collection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastfunnel.collection.store import Document


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer.

    Attributes:
        id: of the document.
        text: as it was added.
        metadata: likewise.
        score: the cosine; of a hybrid search the reciprocal rank score, which only orders.
    """

    id: str
    text: str
    metadata: dict[str, Any]
    score: float

    @classmethod
    def of(cls, document: Document, score: float) -> Hit:
        """Return the answer that a document is."""
        return cls(document.id, document.text, json.loads(document.metadata), score)
