"""One system in a process of its own: fill it, sweep its settings, measure it beside ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bench.contenders.contender import Setting
from bench.databases.measuring import Swept, Timed, choose, measure, sweep
from bench.databases.resources import Others, cpu_seconds, disk_bytes, memory_bytes
from bench.databases.system import OURS, K, System
from bench.datasets import Dataset, load
from bench.truth import Truth

SYSTEMS = {
    OURS: "FastFunnel",
    "postgres": "Pgvector",
    "qdrant": "QdrantLocal",
    "qdrant_edge": "QdrantEdge",
    "milvus": "MilvusLite",
    "lance": "LanceDB",
    "sqlite": "SqliteVec",
    "duck": "DuckDB",
    "chroma": "Chroma",
    "sbert": "SentenceTransformers",
    "zvec": "Zvec",
}
BY_NAME_ONLY = ("qdrant",)  # meant for 20,000 points: all rows take it an hour


@dataclass(frozen=True)
class Job:
    """One system and one set of vectors; plain data, so that it crosses to another process."""

    module: str
    work: Path  # the directory of this set, a directory a system in it
    dataset: str
    rows: int | None
    queries: int
    data: Path | None

    @property
    def directory(self) -> Path:
        """Where the system keeps its data and we keep our notes on it."""
        return self.work / self.module

    def of(self, module: str) -> Job:
        """Return the job of another system."""
        return replace(self, module=module)

    def forget(self, step: str) -> None:
        """Let a step run anew."""
        (self.directory / f"{step}.json").unlink(missing_ok=True)

    def system(self) -> System:
        """Return the system, neither filled nor open.

        Raises:
            ImportError: if its client is not installed.
        """
        module = import_module(f"bench.databases.{self.module}")
        return getattr(module, SYSTEMS[self.module])(self.directory / "data")

    def load(self) -> Dataset:
        """Read the vectors."""
        return load(self.dataset, self.rows, self.queries, data=self.data)

    def read(self, step: str) -> Any:
        """Return what a step wrote, None if it has not run."""
        path = self.directory / f"{step}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def write(self, step: str, content: Any) -> None:
        """Keep what a step found."""
        path = self.directory / f"{step}.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def build(job: Job) -> None:
    """Fill the system and note what that cost."""
    base = job.load().base
    system = job.system()
    shutil.rmtree(job.directory, ignore_errors=True)  # what an earlier try left
    system.directory.mkdir(parents=True)
    before, start, others = cpu_seconds(None), perf_counter(), Others()
    system.ingest(base)
    spent = cpu_seconds(system.server()) - before
    busy_elsewhere = others.cores(system.server())
    system.close()
    found = {
        "name": system.name,
        "rows": len(base),
        "seconds": perf_counter() - start,
        "cpu_seconds": spent,
        "others": busy_elsewhere,
        "disk_bytes": disk_bytes(system.directory),
        "versions": {package: version(package) for package in system.packages},
        "many": system.many,
        "beyond": system.beyond,
    }
    job.write("build", found)


def survey(job: Job, budget: float) -> None:
    """Note the recall of every setting, and the memory that the answers took."""
    dataset = job.load()
    truth = _truth(job, dataset)
    before = memory_bytes(None)
    with _opened(job, dataset.base.shape[1]) as system:
        settings = system.settings(*dataset.base.shape)
        swept = sweep(system, settings, dataset.queries, truth, budget)
        memory = memory_bytes(system.server()) - before
    job.write("sweep", {"memory_bytes": memory, "settings": [asdict(s) for s in swept]})


def compare(job: Job, rounds: int, budget: float) -> None:
    """Note the times of the chosen settings and of ours, taken in turns."""
    dataset = job.load()
    rows, dim = dataset.base.shape
    jobs = [job] if job.module == OURS else [job, job.of(OURS)]
    entries: list[tuple[System, Setting, Timed]] = []
    with ExitStack() as stack:
        for own in jobs:
            system = stack.enter_context(_opened(own, dim))
            swept = [Swept(**s) for s in own.read("sweep")["settings"]]
            settings = {(s.row, s.label): s for s in system.settings(rows, dim)}
            for s in choose(swept):
                timed = Timed(system.name, s.row, s.label, s.recall, system.many, s.queries)
                entries.append((system, settings[s.row, s.label], timed))
        others, server = Others(), entries[0][0].server()
        measure(entries, dataset.queries, rounds, budget)
        busy_elsewhere = others.cores(server)
    timed_rows = [timed.to_dict() for _, _, timed in entries]
    job.write("measure", {"others": busy_elsewhere, "rows": timed_rows})


@contextmanager
def _opened(job: Job, dim: int) -> Iterator[System]:
    system = job.system()
    system.open(dim)
    try:
        yield system
    finally:
        system.close()


def _truth(job: Job, dataset: Dataset) -> Truth:
    """Compute the truth, or take the thresholds that an earlier process of this run left."""
    path = job.work / f"truth-{len(dataset.queries)}.npy"
    if not path.exists():
        np.save(path, Truth.of(dataset.base, dataset.queries, K).threshold)
    queries = dataset.queries.astype(np.float64)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    return Truth(dataset.base, queries, np.load(path), K)
