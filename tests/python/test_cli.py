"""The command line: real runs over a small file of texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastfunnel.cli import main

CORPUS = [
    *(f"the {colour} {animal} sleeps in the {place}"
      for colour in ("red", "grey", "old") for animal in ("fox", "cat", "owl", "horse")
      for place in ("barn", "forest", "garden", "kitchen")),
    "parse the arguments of a command line",
    "a recipe for bread with olives and salt",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home in which the demo ran over CORPUS, its output beside it."""
    for library in ("typer", "rich", "wordllama", "threadpoolctl"):
        pytest.importorskip(library)
    home = tmp_path_factory.mktemp("home")
    (home / "corpus.txt").write_text("\n".join(CORPUS), encoding="utf-8")
    done = run(home, "demo", "--corpus", str(home / "corpus.txt"), "--repeats", "1")
    assert done.returncode == 0, done.stderr
    (home / "output.txt").write_text(done.stdout, encoding="utf-8")
    return home


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = {**os.environ, "FASTFUNNEL_HOME": str(home), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "fastfunnel.cli", *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=300
    )


def call(monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> int | str | None:
    """Run the command in this process; return its exit code."""
    monkeypatch.setenv("FASTFUNNEL_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["fastfunnel", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        main()
    return exit_info.value.code


def test_the_demo_shows_hits_and_one_table(home: Path) -> None:
    output = (home / "output.txt").read_text(encoding="utf-8")
    assert "50 texts: 50 lines of corpus.txt" in output
    assert "5 lines of corpus.txt, taken out of the searched texts" in output
    assert "45 vectors of 256 dimensions, 5 held-out queries, k=10" in output
    assert output.count("numpy, exact") == 1
    for column in ("recall", "p50", "p99", "queries/s", "bytes a row", "speed-up"):
        assert column in output
    assert str(home / "demo") in output
    assert (home / "demo" / "texts.sqlite").is_file()


def test_search_finds_the_text(home: Path) -> None:
    done = run(home, "search", "how do I parse command line arguments", "-k", "2")
    assert done.returncode == 0
    question, first, _second = done.stdout.splitlines()
    assert question == "how do I parse command line arguments"
    assert first.endswith("parse the arguments of a command line")


def test_json_is_all_there_is_on_stdout(home: Path) -> None:
    done = run(home, "search", "baking bread", "-k", "3", "--json")
    answer = json.loads(done.stdout)
    assert set(answer) == {"question", "index", "hits"}
    assert answer["question"] == "baking bread"
    assert len(answer["hits"]) == 3
    assert answer["hits"][0] == {
        "id": CORPUS.index("a recipe for bread with olives and salt"),
        "score": answer["hits"][0]["score"],
        "text": "a recipe for bread with olives and salt",
        "source": "corpus.txt",
    }
    assert 0 < answer["hits"][0]["score"] <= 1


def test_an_index_elsewhere_can_be_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("search", str(home / "demo"), "a sleeping owl", "-k", "99", "--json", "--exact")
    assert call(monkeypatch, home / "nowhere", *arguments) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert len(hits) == len(CORPUS)
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)


def test_an_index_without_texts_answers_with_ids(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ff = pytest.importorskip("fastfunnel")
    ff.open(home / "demo").save(tmp_path / "bare")
    assert call(monkeypatch, home, "search", str(tmp_path / "bare"), "bread", "-k", "1") == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("id 49")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "tea"), "run 'fastfunnel demo'"),
        (("search", "green", "tea"), "a question of two words needs quotes"),
        (("search", "a", "green", "tea"), 'put the question in quotes: fastfunnel search "a green'),
        (("search", ".", "tea"), ""),
        (("demo", "--corpus", "absent.txt"), "absent.txt"),
        (("demo", "--corpus", "."), "is a directory"),
        (("demo", "--out", "."), "choose another place"),
    ],
)
def test_mistakes_end_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for library in ("typer", "rich", "wordllama", "threadpoolctl"):
        pytest.importorskip(library)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").touch()
    monkeypatch.chdir(tmp_path / "here")
    assert call(monkeypatch, tmp_path, *arguments) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("fastfunnel: ")
    assert message in written.err
    assert written.err.count("\n") == 1


def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.startswith("fastfunnel.cli.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "typer", None)
    assert call(monkeypatch, Path("nowhere"), "version") == 1
    written = capsys.readouterr().err
    assert written == "fastfunnel: typer is missing: pip install 'fastfunnel[cli]'\n"


@pytest.mark.parametrize(
    "command",
    [
        "build",
        "search",
        "add",
        "delete",
        "info",
        "tune",
        "evaluate",
        "prune",
        "verify",
        "export",
        "demo",
        "version",
    ],
)
def test_every_command_has_help(command: str) -> None:
    pytest.importorskip("typer")
    from typer.testing import CliRunner

    from fastfunnel.cli.app import app

    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"{command} [OPTIONS]" in result.stdout


def test_version_says_what_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("typer")
    for words in ("version", "--version"):
        assert call(monkeypatch, tmp_path, words) == 0
        assert capsys.readouterr().out.startswith("fastfunnel ")
