"""What every embedder of a tabled model shares: dims, sides, batches, the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from fastfunnel.embedders.batches import Limits, batches, check_texts
from fastfunnel.embedders.errors import client_errors
from fastfunnel.embedders.models import Side, chosen_dim, known_models, untabled_dim
from fastfunnel.embedders.protocol import FloatRows
from fastfunnel.embedders.recipe import unit_rows
from fastfunnel.model import Setting


class ModelEmbedder:
    """An Embedder whose subclass only says how to ask: `_answer(texts, side)`.

    Rows come in the order of the texts. A blank text costs no call and gives a zero row.
    """

    provider: ClassVar[str]
    limits: ClassVar[Limits]
    documents: ClassVar[Side] = Side()  # what an untabled model is told
    queries: ClassVar[Side] = Side()

    def __init__(
        self, model: str, dim: int | None, *, strict: bool, full_dim: int | None = None
    ) -> None:
        """Find the model in the table; `full_dim` is the length of one that is not in it."""
        self.model = model
        self._card = known_models().get(model)
        self._sides = (self.documents, self.queries)
        if self._card is None:
            self.dim = untabled_dim(model, dim, full_dim, strict)
            self.trained_dims: tuple[int, ...] = (self.dim,)
        else:
            self.dim = chosen_dim(self._card, dim, strict)
            self.trained_dims = self._card.dims_up_to(self.dim)
            self._sides = (self._card.documents, self._card.queries)
            full_dim = self._card.dim
        self._full_dim = full_dim
        self._more_recipe: dict[str, Setting] = {}  # what only this kind of embedder has

    @property
    def recipe(self) -> dict[str, Setting]:
        """What changes the vectors beside the model's name and dim, for `fastfunnel.Model`."""
        documents, queries = self._sides
        return {
            "document_prefix": documents.prefix,
            "document_task": documents.task,
            "layer_norm": self._card is not None and self._card.layer_norm,
            "query_prefix": queries.prefix,
            "query_task": queries.task,
            **self._more_recipe,
        }

    @property
    def _asked_dim(self) -> int | None:
        """What to ask a service for that cuts its vectors itself; None if the model has one length."""
        return self.dim if self._card is None or self._card.matryoshka else None

    def encode_documents(self, texts: Sequence[str]) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows, one for each text to be found.

        Raises:
            EmbeddingError: the model cannot be reached, refuses, or answers nonsense.
        """
        return self._encode(texts, self._sides[0])

    def encode_queries(self, texts: Sequence[str]) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows, one for each question asked.

        Raises:
            EmbeddingError: the model cannot be reached, refuses, or answers nonsense.
        """
        return self._encode(texts, self._sides[1])

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        """Return one row a text: (len(texts), dim or the full length) numbers."""
        raise NotImplementedError

    def _encode(self, texts: Sequence[str], side: Side) -> FloatRows:
        check_texts(texts)
        rows: FloatRows = np.zeros((len(texts), self.dim), np.float32)
        for batch in batches(texts, self.limits, side.prefix):
            with client_errors(self.provider):
                answer = self._answer([side.prefix + texts[place] for place in batch], side)
            rows[batch] = unit_rows(
                answer,
                len(batch),
                self.dim,
                model=self.model,
                full_dim=self._full_dim,
                layer_norm=self._card is not None and self._card.layer_norm,
            )
        return rows

    def __repr__(self) -> str:
        """Return what it embeds with."""
        return f"<{type(self).__name__}: {self.model}, {self.dim} dims>"
