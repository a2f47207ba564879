"""An index knows what made its rows, and refuses what something else made."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from words_embedder import WordsEmbedder

import fastfunnel as ff

MADE_BY = ff.Model("nomic-embed", 8, {"prompt": "search_document: ", "layer_norm": True})


@pytest.mark.parametrize(
    "same",
    [
        "nomic-embed",
        MADE_BY,
        ff.Model("nomic-embed"),
        ff.Model("nomic-embed", 8, {"layer_norm": True}),
        ff.Model("nomic-embed", recipe={"revision": "abc"}),  # of which the index says nothing
    ],
)
def test_the_same_model_passes(same: str | ff.Model) -> None:
    ff.Index(8, model=MADE_BY).check_model(same)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("bge", "the index holds vectors of 'nomic-embed', not 'bge': "),
        (ff.Model("nomic-embed", 4), "the index holds vectors of 'nomic-embed' at 8 dims, not 4: "),
        (
            ff.Model("nomic-embed", 8, {"prompt": ""}),
            "the index holds vectors of 'nomic-embed' with prompt 'search_document: ', not '': ",
        ),
    ],
)
def test_another_model_is_refused(other: str | ff.Model, message: str) -> None:
    with pytest.raises(ff.ModelMismatchError, match=f"^{re.escape(message)}embeddings of"):
        ff.Index(8, model=MADE_BY).check_model(other)


def test_an_index_without_a_model_takes_any_of_its_length() -> None:
    index = ff.Index(8)
    index.check_model("anything")
    index.check_model(ff.Model("anything", 8))
    with pytest.raises(ff.ModelMismatchError, match=r"^the index holds vectors of 8 dims, not 9: "):
        index.check_model(ff.Model("anything", 9))


def test_an_embedder_is_a_source_of_vectors() -> None:
    embedder = WordsEmbedder()
    index = ff.Index(embedder.dim, model=embedder)
    assert (index.model, index.made_by) == (embedder.model, ff.Model(embedder.model, embedder.dim))
    index.check_model(embedder)
    with pytest.raises(ff.ModelMismatchError):
        ff.Index(embedder.dim, model="another").check_model(embedder)
    with pytest.raises(TypeError, match="must be a str, a Model or an embedder, got float"):
        index.check_model(1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [None, "by-name", MADE_BY])
@pytest.mark.parametrize("live", [False, True])
def test_the_model_is_saved(tmp_path: Path, model: str | ff.Model | None, live: bool) -> None:
    if live:
        ff.Index.create(tmp_path / "index", 8, model=model).close()
    else:
        index = ff.Index(8, model=model)
        index.add(np.eye(8, dtype=np.float32))
        index.save(tmp_path / "index")
    opened = ff.open(tmp_path / "index")
    assert opened.made_by == (None if model is None else ff.Model.of(model))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ff.Model(3),  # type: ignore[arg-type]
        lambda: ff.Model("a", 0),
        lambda: ff.Model("a", True),
        lambda: ff.Model("a", 8, {"prompts": ["a"]}),  # type: ignore[dict-item]
        lambda: ff.Model.from_dict({"name": "a", "recipe": 7}),
        lambda: ff.Model.from_dict({}),
    ],
)
def test_what_is_no_model(make: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        make()  # type: ignore[operator]


def test_models_and_their_mismatch_reach_other_processes() -> None:
    for other in (pickle.loads(pickle.dumps(MADE_BY)), copy.deepcopy(MADE_BY)):
        assert other == MADE_BY
        assert dict(other.recipe) == dict(MADE_BY.recipe)
    with pytest.raises(ff.ModelMismatchError) as refused:
        ff.Index(8, model=MADE_BY).check_model("bge")
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
