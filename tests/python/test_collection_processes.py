"""One collection in several processes: what one adds the others find, whichever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import final

import pytest
from words_embedder import WordsEmbedder

import fastfunnel as ff

OTHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from words_embedder import WordsEmbedder
import fastfunnel as ff
collection = ff.Collection(Path(sys.argv[1]), WordsEmbedder())
print("open", flush=True)
for line in sys.stdin:
    word, *texts = line.rstrip().split(",")
    if word == "add":
        collection.add(texts, ids=texts)
    elif word == "upsert":
        collection.upsert(texts[1:], ids=texts[:1])
    elif word == "delete":
        collection.delete(texts)
    elif word == "search":
        print(*(hit.id for hit in collection.search(texts[0], k=1)), flush=True)
        continue
    elif word == "stream":
        for number in range(10**6):
            collection.add([f"streamed {number}"], ids=[f"s{number}"])
            print("added", number, flush=True)
    print("done", flush=True)
"""


@final
class Process:
    """Another process that has the collection open, and does as it is told."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OTHER, str(path), str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "open"

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def begin(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(",".join(words) + "\n")
        self.process.stdin.flush()

    def does(self, *words: str) -> str:
        self.begin(*words)
        return self.answer()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def nearest(collection: ff.Collection, text: str) -> str:
    return collection.search(text, k=1)[0].id


@pytest.mark.parametrize("holds_the_index", ["this process", "the other"])
def test_each_sees_what_the_other_does(holds_the_index: str, tmp_path: Path) -> None:
    path = tmp_path / "c"
    first = ff.Collection(path, WordsEmbedder())
    first.add(["a red fox", "a grey owl"], ids=["fox", "owl"])
    if holds_the_index == "the other":
        first.close()
    with Process(path) as other, ff.Collection(path, WordsEmbedder()) as late:
        collection = first if holds_the_index == "this process" else late
        assert other.does("search", "a grey owl") == "owl"
        assert other.does("add", "a blue whale") == "done"
        assert nearest(collection, "a blue whale") == "a blue whale"
        collection.add(["bread with olives"], ids=["bread"])
        assert other.does("search", "bread with olives") == "bread"
        assert other.does("upsert", "fox", "a fox in snow") == "done"
        assert collection.search("a fox in snow", k=1)[0].text == "a fox in snow"
        assert other.does("delete", "owl") == "done"
        assert {hit.id for hit in collection.search("a grey owl", k=9)} == {
            "fox", "bread", "a blue whale",
        }  # fmt: skip
        with pytest.raises(ValueError, match="ids must not be taken, got 'fox'"):
            collection.add(["another"], ids=["fox"])
        assert collection.verify() == []
    first.close()
    with ff.Collection(path, WordsEmbedder()) as again:
        assert again.verify() == []


def test_both_add_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with ff.Collection(path, WordsEmbedder()) as collection, Process(path) as other:
        for turn in range(40):
            other.begin("add", *(f"theirs {turn} {n}" for n in range(5)))
            collection.add([f"ours {turn}"], ids=[f"ours {turn}"])
            assert other.answer() == "done"
        assert len(collection) == 240
        assert nearest(collection, "theirs 39 4") == "theirs 39 4"
        assert other.does("search", "ours 39") == "ours 39"
        assert collection.verify() == []
    with ff.Collection(path, WordsEmbedder()) as again:
        assert len(again) == 240
        assert again.verify() == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("holds_the_index", [True, False])
def test_one_goes_on_when_the_other_is_killed(holds_the_index: bool, tmp_path: Path) -> None:
    path = tmp_path / "c"
    if holds_the_index:  # whoever opens it first
        collection = ff.Collection(path, WordsEmbedder())
        collection.add(["a red fox"], ids=["fox"])
    with Process(path) as other:
        if not holds_the_index:
            collection = ff.Collection(path, WordsEmbedder())
            collection.add(["a red fox"], ids=["fox"])
        other.begin("stream")
        said = [other.answer() for _ in range(25)]
        os.kill(other.process.pid, signal.SIGKILL)
        assert other.process.stdout is not None
        said += [line.rstrip("\n") for line in other.process.stdout if line.endswith("\n")]
    last = int(said[-1].split()[1])
    assert nearest(collection, f"streamed {last}") == f"s{last}"
    collection.add(["a grey owl"], ids=["owl"])
    assert nearest(collection, "a grey owl") == "owl"
    assert len(collection) in (last + 3, last + 4)  # one may be in that was not said
    assert collection.verify() == []
    collection.close()
    with ff.Collection(path, WordsEmbedder()) as again:
        assert again.verify() == []
        assert nearest(again, f"streamed {last}") == f"s{last}"
