"""Every block of docs/integrations runs as it is printed, in a process of its own."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[3] / "docs" / "integrations"
NEEDS = {"langchain": "langchain_core", "llama-index": "llama_index", "haystack": "haystack",
         "sentence-transformers": "sentence_transformers"}  # fmt: skip
BLOCKS = {
    page.stem: re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for page in (PAGES / f"{name}.md" for name in NEEDS)
}
LINES = {"langchain": 2, "llama-index": 1, "haystack": 2, "sentence-transformers": 3}


def test_every_page_has_one_block() -> None:
    assert {name: len(blocks) for name, blocks in BLOCKS.items()} == dict.fromkeys(NEEDS, 1)


@pytest.mark.parametrize("name", NEEDS)
def test_the_block_runs(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"needs {NEEDS[name]}")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[name][0]], cwd=tmp_path, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == LINES[name]
