"""The blocks of a page run in order, in one process; what a page leaves to the reader is set up first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import DOCS, ROOT, blocks, run, skip_without
from loopback import serving

# Rows whose dims matter less and less, as Matryoshka training makes them.
ROWS = """
import numpy as np
import fastfunnel as ff

rng = np.random.default_rng(0)

def rows(n, dim):
    return rng.standard_normal((n, dim), np.float32) / np.sqrt(np.arange(1, dim + 1, dtype=np.float32))
"""
SETUPS = {
    "README.md": ROWS + """
vectors, queries, sample_queries = rows(3000, 1024), rows(20, 1024), rows(200, 1024)
tensor = rows(10, 1024)
np.save("rows.npy", vectors)
texts = ["the parcel arrived late", "a recipe for olive bread"]
""",
    "docs/index.md": ROWS + """
vectors, queries, sample_queries = rows(3000, 1024), rows(20, 1024), rows(200, 1024)
""",
    "docs/storage.md": ROWS + """
vectors, ids = rows(3000, 1024), np.arange(3000)
index = ff.Index(1024)
index.add(vectors)
""",
    "docs/tuning.md": ROWS + """
vectors, queries, sample_queries = rows(3000, 256), rows(20, 256), rows(300, 256)
""",
    "docs/tutorial.md": "",
    "docs/collections.md": "",
    "docs/two-axes.md": "",
}  # fmt: skip
# A block may speak of something else than the blocks before it.
BETWEEN = {
    ("docs/tuning.md", 1): "vectors = rows(3000, 384)\n",
    ("README.md", 3): "index = ff.Index(1024)\n",
}
# Pages that show what is printed, in a comment or a block of text.
SHOWN = {"docs/tutorial.md", "docs/two-axes.md", "docs/collections.md"}
# Pages whose shell commands run as well.
SHELL = ["docs/collections.md"]
# Pages whose blocks have a test of their own, beside the tests of what they are about.
ELSEWHERE = {"docs/providers", "docs/integrations", "docs/distributed.md", "docs/migration.md"}


def test_every_block_is_run_somewhere() -> None:
    pages = [ROOT / "README.md", *DOCS.rglob("*.md")]
    names = {page.relative_to(ROOT).as_posix() for page in pages if blocks(page)}
    known = {name for name in names if name in ELSEWHERE or name.rpartition("/")[0] in ELSEWHERE}

    assert names - known == set(SETUPS)


@pytest.mark.parametrize("name", SETUPS)
def test_the_page_runs(name: str, tmp_path: Path) -> None:
    code = SETUPS[name]
    for number, block in enumerate(blocks(ROOT / name)):
        code += BETWEEN.get((name, number), "") + block
    if "text-embedding-3-small" in code:
        skip_without("openai")
    if "WordLlama" in code or "ff.Collection(" in code:
        skip_without("wordllama")
    with serving() as server:
        environment = {
            **os.environ, "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{server.url}/v1",
        }  # fmt: skip
        printed = run(code, tmp_path, environment)
    if name in SHOWN:
        page = (ROOT / name).read_text(encoding="utf-8")
        for line in re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE):
            assert line.partition(":")[0] in printed
        for shown in re.findall(r"^```text\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
            assert shown in printed


@pytest.mark.skipif(os.name != "posix", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize("name", SHELL)
def test_the_commands_run(name: str, tmp_path: Path) -> None:
    skip_without("wordllama")
    commands = "".join(blocks(ROOT / name, "sh"))
    script = f'fastfunnel() {{ "{sys.executable}" -m fastfunnel.cli "$@"; }}\n{commands}'
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "arrived a week late" in done.stdout  # found …
    assert "0 texts, all well" in done.stdout  # … and removed at the end
