"""The blocks of docs/integrations that move vectors run as they are printed, in their own process."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NEEDS = {"faiss": ["faiss"], "arrays": ["torch", "pyarrow"], "mteb": ["mteb"]}
BLOCKS = [
    (page, code)
    for page in NEEDS
    for code in re.findall(
        r"```python\n(.*?)```",
        (HERE.parents[1] / "docs" / "integrations" / f"{page}.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
]
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
    for library in NEEDS[page]:
        if importlib.util.find_spec(library) is None and re.search(rf"import {library}\b", code):
            pytest.skip(f"needs {library}")
    if page == "mteb":
        code = LOCAL_MTEB + code
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=600, env={**os.environ, "HF_HUB_OFFLINE": "1", "MTEB_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
