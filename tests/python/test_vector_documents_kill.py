"""A kill at any instant: documents and their vectors stay in step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fastfunnel.integrations.documents import VectorDocuments

WRITER = """
import sys
from fastfunnel.integrations.documents import VectorDocuments
store = VectorDocuments(sys.argv[1])
for turn in range(10**6):
    store.put([f"text {turn}"], [[turn, 1.0, 0.0]], ids=[str(turn)])
    print("added", turn, flush=True)
    if turn % 5 == 4:
        store.put([f"changed {turn}"], [[turn, 0.0, 1.0]], ids=[str(turn)])
        print("changed", turn, flush=True)
    if turn % 7 == 6:
        store.put(["extra"], [[0.0, 1.0, 1.0]], ids=["extra"])
        store.delete(["extra"])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("lines", [1, 13, 41])
def test_what_was_said_to_be_there_is_there(lines: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [next(writer.stdout).split() for _ in range(lines)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [line.split() for line in writer.stdout if line.endswith("\n")]
    store = VectorDocuments(tmp_path / "s")
    changed = {turn for word, turn in said if word == "changed"}
    for _, turn in said:
        (document,) = store.get([turn])
        assert turn not in changed or document.text == f"changed {turn}"
        vector = [int(turn), *([0.0, 1.0] if document.text.startswith("changed") else [1.0, 0.0])]
        (hit,) = store.search(vector, 1, keep=lambda one, turn=turn: one.id == turn)
        assert hit.score == pytest.approx(1)
        assert hit.vector is not None
        assert hit.vector.tolist() == vector
    added = sum(word == "added" for word, _ in said)
    found = store.search([0.0, 1.0, 1.0], 10 * lines + 1000)
    assert added <= len(store) == len(found) <= added + 2
    store.close()
