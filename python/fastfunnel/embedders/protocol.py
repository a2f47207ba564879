"""What fastfunnel asks of anything that turns text into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

FloatRows: TypeAlias = npt.NDArray[np.float32]
"""A float32 matrix, one vector a row."""


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into unit float32 rows. Any object with these five members will do.

    One that also has a `recipe`, a mapping by name of what else changes its vectors, like prompts,
    cannot be mixed up with the same model used differently (`fastfunnel.Model`).
    """

    @property
    def model(self) -> str:
        """The model's name, as an index remembers it."""

    @property
    def dim(self) -> int:
        """The length of a vector."""

    @property
    def trained_dims(self) -> tuple[int, ...]:
        """The prefix lengths the model was trained at, ascending; the last one is `dim`."""

    def encode_documents(self, texts: Sequence[str]) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows, one for each text to be found."""

    def encode_queries(self, texts: Sequence[str]) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows, one for each question asked."""
