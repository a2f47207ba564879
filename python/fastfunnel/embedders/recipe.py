"""From what a model answers to unit rows: check, layer norm where the recipe has one, cut, normalise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastfunnel.embedders.errors import EmbeddingError
from fastfunnel.embedders.protocol import FloatRows

LAYER_NORM_EPSILON = 1e-5  # torch.nn.functional.layer_norm's


def unit_rows(
    answer: npt.ArrayLike,
    count: int,
    dim: int,
    *,
    model: str,
    full_dim: int | None = None,
    layer_norm: bool = False,
) -> FloatRows:
    """Return (count, dim) float32 unit rows; a row of zeros stays one.

    Normalising comes last, whatever the model promises: Gemini's vectors are of unit length at
    full length only, and a library that normalises before it cuts leaves short ones.

    Args:
        answer: (count, n) numbers, n either `dim` or `full_dim`; at least `dim` where the full
            length is None.
        count: how many rows there must be.
        dim: how many leading dims to keep.
        model: its name, for errors.
        full_dim: the model's full length, where known.
        layer_norm: take the layer norm over the full length first, as Nomic v1.5 needs.

    Raises:
        EmbeddingError: the answer has another shape, or holds nan, inf or something else.
    """
    try:
        rows = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EmbeddingError(f"{model} answered rows that are not numbers of one length") from error
    if rows.ndim != 2 or len(rows) != count:
        shape = " by ".join(map(str, rows.shape))
        raise EmbeddingError(f"{model} answered {shape} numbers for {count} texts")
    length = rows.shape[1]
    fits = length >= dim if full_dim is None else length in (dim, full_dim)
    if layer_norm and full_dim is not None:
        fits = length == full_dim
    if not fits:
        raise EmbeddingError(f"{model} answered rows of {length} dims where {dim} were asked for")
    if not np.isfinite(rows).all():
        raise EmbeddingError(f"{model} answered nan, inf or nothing in the place of a number")
    if layer_norm:
        rows = rows - rows.mean(axis=1, keepdims=True)
        rows /= np.sqrt(np.square(rows).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
    rows = rows[:, :dim]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units: FloatRows = np.zeros(rows.shape, np.float32)
    np.divide(rows, lengths, out=units, where=lengths > 0, casting="same_kind")
    return units
