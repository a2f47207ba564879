"""Every block of docs/integrations runs as it is printed, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_blocks import DOCS, blocks, run, skip_without

NEEDS = {"langchain": "langchain_core", "llama-index": "llama_index", "haystack": "haystack",
         "sentence-transformers": "sentence_transformers"}  # fmt: skip
BLOCKS = {name: blocks(DOCS / "integrations" / f"{name}.md") for name in NEEDS}
LINES = {"langchain": 2, "llama-index": 1, "haystack": 2, "sentence-transformers": 3}


def test_every_page_has_one_block() -> None:
    assert {name: len(found) for name, found in BLOCKS.items()} == dict.fromkeys(NEEDS, 1)


@pytest.mark.parametrize("name", NEEDS)
def test_the_block_runs(name: str, tmp_path: Path) -> None:
    skip_without(NEEDS[name])
    printed = run(BLOCKS[name][0], tmp_path)
    assert len(printed.splitlines()) == LINES[name]
