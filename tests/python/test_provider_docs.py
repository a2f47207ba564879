"""Every block of docs/providers runs as it is printed, in a process of its own."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from doc_blocks import DOCS, blocks, run, skip_without
from loopback import serving

NEEDS = {"openai": "openai", "voyage": "voyageai", "cohere": "cohere", "gemini": "google.genai",
         "sentence-transformers": "sentence_transformers", "model2vec": "model2vec",
         "wordllama": "wordllama"}  # fmt: skip
BLOCKS = [
    (page.stem, code) for page in sorted((DOCS / "providers").glob("*.md")) for code in blocks(page)
]
# voyageai reads no address from its environment.
PRELUDE = "import voyageai._base, os\n" \
    "voyageai._base.get_default_base_url = lambda key: os.environ['LOOPBACK'] + '/voyage'\n"  # fmt: skip


def test_every_page_has_a_block() -> None:
    assert {name for name, _ in BLOCKS} == set(NEEDS)


@pytest.mark.parametrize(
    ("name", "code"), BLOCKS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(BLOCKS)]
)
def test_the_block_runs(name: str, code: str, tmp_path: Path) -> None:
    skip_without(NEEDS[name])
    if name == "model2vec":
        leave_model2vec(tmp_path / "minishlab" / "potion-base-8M")
    if name == "sentence-transformers":
        leave_transformer(tmp_path / "nomic-ai" / "nomic-embed-text-v1.5")
    with serving() as server:
        environment = {
            **os.environ, "LOOPBACK": server.url, "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{server.url}/v1",
            "AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": server.url,
            "MY_SERVER": f"{server.url}/v1", "VOYAGE_API_KEY": "k", "CO_API_KEY": "k",
            "CO_API_URL": f"{server.url}/cohere", "GEMINI_API_KEY": "k",
            "GOOGLE_GEMINI_BASE_URL": f"{server.url}/gemini",
        }  # fmt: skip
        if "azure" in code:
            del environment["OPENAI_BASE_URL"]  # the client takes it for Azure's, too
        code = PRELUDE + code if name == "voyage" else code
        printed = run(code, tmp_path, environment)
    assert printed.strip()
    if "Collection" in code:
        assert len(printed.splitlines()) == 2


def leave_model2vec(directory: Path) -> None:
    """Leave a small random model under the name that the page loads."""
    model2vec = pytest.importorskip("model2vec")
    table = np.random.default_rng(0).standard_normal((6, 256)).astype(np.float32)
    model2vec.StaticModel(table, word_tokenizer()).save_pretrained(directory)


def leave_transformer(directory: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    table = np.random.default_rng(0).standard_normal((6, 768)).astype(np.float32)
    module = modules.StaticEmbedding(word_tokenizer(), embedding_weights=table)
    library.SentenceTransformer(modules=[module], device="cpu").save(str(directory))


def word_tokenizer():  # type: ignore[no-untyped-def]
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[UNK]", "[PAD]", "parcel", "bread", "slow", "delivery"]
    level = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(level)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return tokenizer
