"""WordLlama: 256 Matryoshka dimensions from a 16 MB token table that its wheel carries.

It needs neither a network nor a GPU, which is why the demo stands on it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.embedders.models import chosen_dim, known_models
from fastfunnel.embedders.protocol import FloatRows
from fastfunnel.model import Setting

MODEL = "wordllama-l2-supercat"
PACKAGED_DIM = 256

# WordLlama pads a batch to its longest text, so its padded size is bounded as well as its count.
MOST_TEXTS_A_BATCH = 1024
MOST_CHARACTERS_A_BATCH = 128_000


class WordLlamaEmbedder:
    """Embed text with WordLlama's packaged weights, offline.

    `dim` may be any trained prefix: 64, 128 or 256.

    Raises:
        ValueError: `dim` is not a dimension the packaged weights were trained at.
        ImportError: WordLlama is not installed.
    """

    model: str = MODEL
    recipe: Mapping[str, Setting] = MappingProxyType({})  # nothing else changes its vectors

    def __init__(self, dim: int = PACKAGED_DIM) -> None:
        """Load the weights: 16 MB, in about half a second."""
        card = known_models()[MODEL]
        self.dim = chosen_dim(card, dim, strict=True)
        self.trained_dims = card.dims_up_to(dim)
        self._weights = _load(dim)

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows; a text without tokens gives a zero row.

        After each batch, `progress` is told how many texts that batch held.
        """
        rows: FloatRows = np.zeros((len(texts), self.dim), np.float32)
        for batch in _batches([len(text) for text in texts]):
            pooled = self._weights.embed([texts[row] for row in batch], batch_size=len(batch))
            rows[batch] = pooled
            if progress is not None:
                progress(len(batch))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def encode_queries(self, texts: Sequence[str]) -> FloatRows:
        """Return (len(texts), dim) float32 unit rows; WordLlama treats both sides alike."""
        return self.encode_documents(texts)


def _batches(lengths: Sequence[int]) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the rows of each batch, texts of like length together so that padding stays small."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for stop in range(1, len(order) + 1):
        full = stop - start == MOST_TEXTS_A_BATCH
        if stop < len(order):
            padded = (stop + 1 - start) * lengths[order[stop]]
            full = full or padded > MOST_CHARACTERS_A_BATCH
        if full or stop == len(order):
            yield order[start:stop]
            start = stop


def _load(dim: int) -> Any:
    root = logging.getLogger()
    quiet = logging.NullHandler()
    root.addHandler(quiet)  # importing WordLlama calls basicConfig: a no-op beside a handler
    try:
        wordllama = importlib.import_module("wordllama")
    except ImportError as error:
        message = f"WordLlama cannot be imported ({error}): pip install 'fastfunnel[demo]'"
        raise ImportError(message) from error
    finally:
        root.removeHandler(quiet)
    # It looks for the tokenizer in tokenizer/, but its wheel ships tokenizers/, where only a cache
    # directory is searched: naming the package as the cache finds the file without a download.
    package = Path(str(wordllama.__file__)).parent
    return wordllama.WordLlama.load(
        dim=PACKAGED_DIM,
        trunc_dim=None if dim == PACKAGED_DIM else dim,
        cache_dir=package,
        disable_download=True,
    )
