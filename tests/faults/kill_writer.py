"""Kill a writer at random instants, hundreds of times, and see what is left of its index.

    python tests/faults/kill_writer.py --rounds 500

A child changes an index and says through a pipe what it begins and what has returned. The parent
kills it with SIGKILL, opens what is left, and compares: everything that returned must be there,
the change in progress may be there as a whole or not at all, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import fastfunnel as ff
from fastfunnel.storage import draft, live

DIM = 32
N_IDS = 500

State = dict[int, float]  # the first value of each row; the others follow from it


def rows_of(values: np.ndarray) -> np.ndarray:
    """Rows that are told apart by their first value."""
    return (values[:, np.newaxis] * np.ones(DIM) + np.arange(DIM)).astype(np.float32)


class Change:
    """The change number `step` of a run: its kind and ids follow from the seed and the state."""

    def __init__(self, seed: int, step: int, state: State) -> None:
        rng = np.random.default_rng([seed, step])
        self.kind = rng.choice(
            ["add", "upsert", "remove", "compact", "save", "reopen"],
            p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05],
        )
        ids = rng.choice(N_IDS, rng.choice([1, 3, 30, 150]), replace=False)
        if self.kind == "add":
            ids = np.array([i for i in ids if i not in state], np.int64)
            self.kind = "add" if len(ids) else "compact"
        self.ids = ids
        self.values = rng.integers(0, 1 << 20, len(ids)).astype(np.float32)

    def expected(self, state: State) -> State:
        """What the state is afterwards."""
        if self.kind in ("add", "upsert"):
            return state | dict(zip(self.ids.tolist(), self.values.tolist(), strict=True))
        if self.kind == "remove":
            return {i: value for i, value in state.items() if i not in set(self.ids.tolist())}
        return state

    def make(self, index: ff.Index, path: Path, copy: Path) -> ff.Index:
        """Make it; return the index to go on with."""
        if self.kind in ("add", "upsert"):
            getattr(index, self.kind)(rows_of(self.values), self.ids)
        elif self.kind == "remove":
            index.remove(self.ids)
        elif self.kind == "compact":
            index.compact()
        elif self.kind == "save":
            index.save(copy)
        else:
            index.close()
            index = ff.open(path, writable=True)
        return index


def read(path: Path) -> State:
    """What an index holds, every checksum compared and every row looked at."""
    index = ff.open(path, verify=True)
    ids = list(index)
    if not ids:
        return {}
    rows = index.get(ids)
    assert np.array_equal(rows, rows_of(rows[:, 0])), "a row is torn"
    return dict(zip(ids, rows[:, 0].tolist(), strict=True))


def write(seed: int, first: int, state: State, path: Path, copy: Path, report: int) -> None:
    """Change the index for ever."""
    index = ff.open(path, writable=True)
    for step in range(first, sys.maxsize):
        change = Change(seed, step, state)
        state = change.expected(state)
        os.write(report, b"b")
        index = change.make(index, path, copy)
        os.write(report, b"e")


def run_round(
    seed: int, first: int, state: State, path: Path, copy: Path
) -> tuple[int, str, State]:
    """Run a writer until it is killed; return the next step, what it was at, and what is left."""
    saved = read(copy) if (copy / "manifest.json").exists() else None
    reports, report = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write(seed, first, state, path, copy, report)
        finally:
            os._exit(3)  # only an error gets here
    os.close(report)
    os.read(reports, 1)  # it has opened the index
    time.sleep(random.random() ** 2 * 0.05)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the writer failed before it was killed"
    told = b"b"
    while more := os.read(reports, 1 << 16):
        told += more
    os.close(reports)

    possible_saves = [saved]
    for step in range(first, first + told.count(b"e")):
        change = Change(seed, step, state)
        state = change.expected(state)
        if change.kind == "save":
            possible_saves = [state]
    step = first + told.count(b"e")
    change, kind = Change(seed, step, state), "between"
    possible = [state]
    if told.endswith(b"b"):
        kind = str(change.kind)
        possible.append(change.expected(state))
        if kind == "save":
            possible_saves.append(state)
        step += 1
    left = read(path)
    assert left in possible, (
        f"{kind} at step {step}: the index is neither the old nor the new state"
    )
    if possible_saves != [None]:
        found = read(copy) if (copy / "manifest.json").exists() else None
        assert found in possible_saves, f"{kind} at step {step}: the copy is neither old nor new"
    return step, kind, left


def run(rounds: int, seed: int) -> Counter[str]:
    """Run rounds on one index; return how often the kill fell into which kind of change."""
    random.seed(seed)
    live.LOG_BYTES, live.DIRECT_ROWS = 40_000, 100  # so that every path is taken often
    draft.CODES_FROM = 100
    fallen: Counter[str] = Counter()
    folder = Path(tempfile.mkdtemp(prefix="fastfunnel-kill-"))
    path, copy = folder / "index", folder / "copy"
    ff.Index.create(path, dim=DIM).close()
    step, state = 0, State()
    for _ in range(rounds):
        step, kind, state = run_round(seed, step, state, path, copy)
        fallen[kind] += 1
    ff.open(path, writable=True).close()
    assert read(path) == state
    shutil.rmtree(folder)
    return fallen


def main() -> None:
    """Parse arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    fallen = run(arguments.rounds, arguments.seed)
    print(f"{sum(fallen.values())} kills, nothing lost:", dict(fallen.most_common()))


if __name__ == "__main__":
    main()
