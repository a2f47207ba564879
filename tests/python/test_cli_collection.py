"""The commands that make, ask and change a collection, run for real with WordLlama."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastfunnel as ff

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
    assert more.stdout == "1 text more, 3 in all\n"
    assert ids(run(work, "search", "notes", "tea", "-k", "1", "--json")) == ["1"]
    assert run(work, "delete", "notes", "1", "99").stdout == "1 text removed, 2 left\n"
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


@pytest.fixture(scope="module")
def many(work: Path) -> Path:
    """Return the working directory, with 2,500 texts in many/ and 400 questions in asked.txt."""
    rng = np.random.default_rng(0)
    words = [
        "late",
        "parcel",
        "invoice",
        "bread",
        "snow",
        "river",
        "engine",
        "garden",
        "letter",
        "window",
        "cloud",
        "copper",
    ]
    lines = [" ".join([*rng.choice(words, 5), str(n)]) for n in range(2500)]
    asked = [" ".join([*rng.choice(words, 4), f"number {n}"]) for n in range(400)]
    (work / "asked.txt").write_text("\n".join(asked), encoding="utf-8")
    done = run(work, "build", "-", "--out", "many", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    return work


def test_tune_installs_what_it_prints(many: Path) -> None:
    asked = ("--queries", "asked.txt", "--recall", "0.8", "-k", "5", "--budget", "20")
    done = run(many, "tune", "many", *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("recall@5 >= 0.8 for latency: ")
    with ff.Collection(many / "many") as collection:
        funnel = collection.index.default_funnel(5)
        assert done.stdout.splitlines()[0].endswith(f": {funnel or 'exact'}")
        with pytest.raises(ValueError, match=r"recall=0\.9 at k=5 was not tuned"):
            collection.index.search(np.ones(256), 5, recall=0.9)


def test_a_collection_can_be_evaluated(many: Path) -> None:
    done = run(many, "evaluate", "many", "asked.txt", "-k", "5", "--budget", "2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["n_rows"], found["dim"], found["n_queries"]) == (2500, 256, 200)


def test_a_reader_that_has_seen_enough_is_no_failure(many: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "fastfunnel.cli", "export", "many"]
    with subprocess.Popen(
        command, cwd=many, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert json.loads(export.stdout.readline())["id"] == "1"
        export.stdout.close()
        assert export.stderr.read() == b""
        assert export.wait(60) == 0


def test_prune_frees_what_is_gone(work: Path) -> None:
    run(work, "build", "tickets.jsonl", *BUILD[:-1], "thin")
    run(work, "delete", "thin", "t1", "t2")
    assert "2 cached vectors of texts that are gone" in run(work, "info", "thin").stdout
    assert run(work, "prune", "thin").stdout == "2 vectors forgotten\n"
    assert "gone" not in run(work, "info", "thin").stdout
    assert run(work, "verify", "thin").stdout == "2 texts, all well\n"


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
        (("search", "tickets"), 'ask it something: fastfunnel search tickets "…"'),
        (("tune", "tickets"), "must have more than k + 1 = 11 rows, got 4"),
        (("tune", "tickets", "--queries", "absent.txt"), "there is no file absent.txt"),
        (("tune", "tickets", "-k", "2", "--recall", "2"), "recall must be above 0 and at most 1"),
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
