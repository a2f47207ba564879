"""A kill at any instant: texts, full text and vectors stay in step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from words_embedder import WordsEmbedder

import fastfunnel as ff

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from words_embedder import WordsEmbedder
import fastfunnel as ff
collection = ff.Collection(Path(sys.argv[1]), WordsEmbedder())
for turn in range(10**6):
    collection.add([f"text {turn}"], [{"turn": turn}], [str(turn)])
    print("added", turn, flush=True)
    if turn % 5 == 4:
        collection.upsert([f"changed {turn}"], [{"turn": turn}], [str(turn)])
        print("changed", turn, flush=True)
    if turn % 7 == 6:
        collection.add([f"extra {turn}"], ids=["extra"])
        collection.delete(["extra"])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("lines", [1, 6, 13, 30, 41])
def test_what_was_said_to_be_there_is_there(lines: int, tmp_path: Path) -> None:
    path = tmp_path / "c"
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [next(writer.stdout).split() for _ in range(lines)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [line.split() for line in writer.stdout if line.endswith("\n")]
    embedder = WordsEmbedder()
    with ff.Collection(path, embedder) as collection:
        for word, turn in said:
            (hit,) = collection.get([turn])
            assert hit is not None
            if word == "changed":
                assert hit.text == f"changed {turn}"
            (nearest,) = collection.search(hit.text, k=1)
            assert nearest.id == turn
            assert collection.search(turn, k=1, hybrid=True)
        assert collection.verify() == []
        assert embedder.embedded == []  # nothing was paid for twice
        added = sum(word == "added" for word, _ in said)
        assert added <= len(collection) <= added + 1
    with ff.Collection(path, WordsEmbedder()) as again:
        assert again.verify() == []
