"""Readers in one process while a writer in another replaces the files under them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import fastfunnel as ff

WRITER = """
import sys
import numpy as np, fastfunnel as ff
from fastfunnel.storage import live

live.LOG_BYTES = 3000  # a new segment every few changes
path, rng = sys.argv[1], np.random.default_rng(0)
index = ff.open(path, writable=True)
for step in range(250):
    ids = rng.choice(100, 10, replace=False)
    index.upsert(np.full((10, 8), step + 1.0), ids)  # ten rows at a time have one value
    if step % 10 == 9:
        index.compact()
    if step % 50 == 49:
        index.close()
        index = ff.open(path, writable=True)
"""


def check(index: ff.Index, at_least: float) -> float:
    """Every row is whole, and the last change is there with all ten rows of it."""
    rows = index.get(list(index))
    assert (rows == rows[:, :1]).all()
    latest = float(rows[:, 0].max())
    assert latest >= at_least
    assert (rows[:, 0] == latest).sum() >= 10
    return latest


def test_readers_beside_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "index"
    with ff.Index.create(path, dim=8) as index:
        index.add(np.zeros((100, 8)))
    following = ff.open(path)
    latest = 0.0
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) as writer:
        while writer.poll() is None:
            latest = check(ff.open(path), latest)
            following.reopen()
            latest = check(following, latest)
            assert following.search(np.ones(8), 100, exact=True).ids.min() >= 0
    assert writer.returncode == 0
    following.reopen()
    assert check(following, latest) == 250
