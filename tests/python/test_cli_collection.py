"""The commands that make, ask and change a collection, run for real with WordLlama."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LINES = [
    {"key": "t1", "body": "the parcel arrived late", "state": "open", "year": 2023},
    {"key": "t2", "body": "the invoice has the wrong sum", "state": "closed", "year": 2024},
    {"key": "t3", "body": "a recipe for olive bread", "state": "open", "year": 2024},
    {"key": "t4", "body": "the delivery was delayed by snow", "state": "closed", "year": 2022},
]
BUILD = ("--text", "body", "--id", "key", "--out", "tickets")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory in which LINES were built into tickets/."""
    for library in ("typer", "rich", "wordllama"):
        pytest.importorskip(library)
    work = tmp_path_factory.mktemp("work")
    content = "".join(json.dumps(line) + "\n" for line in LINES)
    (work / "tickets.jsonl").write_text(content, encoding="utf-8")
    done = run(work, "build", "tickets.jsonl", *BUILD)
    assert done.stdout == '4 texts in tickets: fastfunnel search tickets "…"\n', done.stderr
    assert done.stderr == ""
    return work


def run(work: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "FASTFUNNEL_HOME": str(work)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "fastfunnel.cli", *arguments],
        cwd=work, env=environment, input=stdin, capture_output=True, encoding="utf-8",
        check=False, timeout=300,
    )  # fmt: skip


def ids(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [hit["id"] for hit in json.loads(done.stdout)["hits"]]


def test_search_by_meaning_and_by_filter(work: Path) -> None:
    late = ("search", "tickets", "shipping took too long", "--json")
    assert set(ids(run(work, *late, "-k", "2"))) == {"t1", "t4"}
    assert set(ids(run(work, *late, "--where", '{"state": "open"}'))) == {"t1", "t3"}
    assert ids(run(work, *late, "-k", "1", "--where", '{"year": {"$lt": 2023}}')) == ["t4"]
    assert ids(run(work, "search", "tickets", "invoice", "--json", "--hybrid", "-k", "1")) == ["t2"]
    shown = run(work, "search", "tickets", "olive bread", "-k", "1").stdout.splitlines()
    assert shown[1].endswith("[t3] a recipe for olive bread")


def test_building_again_changes_nothing(work: Path) -> None:
    before = run(work, "export", "tickets").stdout
    assert run(work, "build", "tickets.jsonl", *BUILD).returncode == 0
    assert run(work, "export", "tickets").stdout == before


def test_export_reads_back(work: Path) -> None:
    exported = run(work, "export", "tickets").stdout
    again = ("build", "-", "--format", "jsonl", "--id", "id", "--out", "copy")
    assert run(work, *again, stdin=exported).returncode == 0
    assert run(work, "export", "copy").stdout == exported
    assert json.loads(exported.splitlines()[0]) == {
        "id": "t1", "text": "the parcel arrived late", "state": "open", "year": 2023,
    }  # fmt: skip


def test_add_delete_verify_through_pipes(work: Path) -> None:
    run(work, "build", "-", "--out", "notes", stdin="a text about tea\n\nanother about coffee\n")
    more = run(work, "add", "notes", "-", stdin="cocoa with milk\n")
    assert more.stdout == "1 texts more, 3 in all\n"
    assert ids(run(work, "search", "notes", "tea", "-k", "1", "--json")) == ["1"]
    assert run(work, "delete", "notes", "1", "99").stdout == "1 texts removed, 2 left\n"
    assert run(work, "verify", "notes").stdout == "2 texts, all well\n"
    tiers = json.loads(run(work, "info", "notes", "--json").stdout)
    assert (tiers["texts"], tiers["dim"], tiers["model"]) == (2, 256, "wordllama-l2-supercat")
    assert "2 texts, 256 dims" in run(work, "info", "notes").stdout


def test_csv_and_parquet(work: Path) -> None:
    (work / "c.csv").write_text('text,lang\n"tea, hot",en\nKaffee,de\n', encoding="utf-8")
    assert run(work, "build", "c.csv", "--out", "c").returncode == 0
    assert ids(run(work, "search", "c", "tea", "--json", "--where", '{"lang": "de"}')) == ["2"]
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"text": ["tea", "coffee"], "n": [1, 2]})
    pytest.importorskip("pyarrow.parquet").write_table(table, work / "p.parquet")
    assert run(work, "build", "p.parquet", "--out", "p").returncode == 0
    assert ids(run(work, "search", "p", "tea", "--json", "--where", '{"n": 2}')) == ["2"]


def test_damage_is_found(work: Path) -> None:
    run(work, "build", "tickets.jsonl", *BUILD[:-1], "hurt")
    (vectors,) = (work / "hurt" / "index").glob("vectors-*.npy")
    with vectors.open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"\xff")
    done = run(work, "verify", "hurt")
    assert done.returncode == 1
    assert "checksum" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "absent.txt", "--out", "x"), "there is no file absent.txt"),
        (("build", "tickets.jsonl", "--out", "x"), "record 1 has no text in the field 'text'"),
        (("build", "tickets.doc", "--out", "x"), "say which with --format"),
        (("build", "-", "--out", "x"), "- holds no text"),
        (("build", "-", "--format", "jsonl", "--out", "x"), "line 1 is not JSON"),
        (("build", "tickets.jsonl", *BUILD[:-1], "x", "--model", "gpt-9"), "not in the table"),
        (("search", "tickets", "tea", "--where", "{"), "--where is not JSON"),
        (("search", "tickets", "tea", "--where", '{"a": {"$no": 1}}'), "got '$no'"),
        (("add", "nowhere", "-"), "there is no collection at nowhere"),
        (("delete", "tickets"), "say which: ids or --where"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    arguments: tuple[str, ...], message: str, work: Path
) -> None:
    stdin = "no json\n" if "jsonl" in arguments else ""
    done = run(work, *arguments, stdin=stdin)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("fastfunnel: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (work / "x").exists()
