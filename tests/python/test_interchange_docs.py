"""The blocks of docs/integrations that move vectors run as they are printed, in their own process."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from doc_blocks import DOCS, blocks, run, skip_without

HERE = Path(__file__).parent
NEEDS = {"faiss": ["faiss"], "arrays": ["torch", "pyarrow"], "mteb": ["mteb"]}
BLOCKS = [(page, code) for page in NEEDS for code in blocks(DOCS / "integrations" / f"{page}.md")]
# The model and the task of the page are on the hub; those of our own test stand in.
LOCAL_MTEB = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import mteb, test_integration_mteb as local
mteb.get_model = lambda name: local.WordVectors(local.ScoringFunction.COSINE)
mteb.get_tasks = lambda tasks: [local.WordTask()]
"""


@pytest.mark.parametrize(
    ("page", "code"), BLOCKS, ids=[f"{page}-{number}" for number, (page, _) in enumerate(BLOCKS)]
)
def test_the_block_runs(page: str, code: str, tmp_path: Path) -> None:
    skip_without(*(one for one in NEEDS[page] if re.search(rf"import {one}\b", code)))
    if page == "mteb":
        code = LOCAL_MTEB + code
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "MTEB_CACHE": str(tmp_path)}
    assert run(code, tmp_path, environment).strip()
