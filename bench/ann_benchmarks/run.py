"""What ann-benchmarks' runner does with module.py and config.yml, without Docker.

One process on one core, queries one at a time, the best of several runs, recall@10; then the batch
mode. `python -m bench.ann_benchmarks.run --help`.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import types
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.pinning import pin_to_one_core

K = 10
HERE = Path(__file__).parent


def main(
    dataset: str = "wordnet_wl256",
    rows: int | None = None,
    queries: int = 1000,
    runs: int = 3,
    hdf5: Annotated[
        Path | None, typer.Option(help="a file of ann-benchmarks, angular: train, test")
    ] = None,
    json: Path | None = None,
) -> None:
    """Print recall and queries a second of every setting in config.yml."""
    pin_to_one_core()
    from bench.datasets import load
    from bench.output import console, print_machine, print_table, write_json
    from bench.truth import Truth

    machine = print_machine()
    if hdf5 is None:
        found = load(dataset, rows, queries)
        base, asked, title = found.base, found.queries, found.title
    else:
        base, asked = read_hdf5(hdf5, queries)
        title = f"{hdf5.name}: {base.shape[0]:,} rows x {base.shape[1]}, {len(asked):,} queries"
    console.print(title, highlight=False)
    truth = Truth.of(base, asked, K)
    table, measured = [], []
    for constructor, arguments, settings in definitions("angular"):
        algorithm = constructor(*arguments)
        start = time.perf_counter()
        algorithm.fit(base)
        build = time.perf_counter() - start
        for setting in settings:
            algorithm.set_query_arguments(*setting)
            answers, per_second = best_of(algorithm, asked, runs)
            start = time.perf_counter()
            algorithm.batch_query(asked, K)
            batch = len(asked) / (time.perf_counter() - start)
            recall = truth.recall(answers)
            table.append([str(algorithm), f"{recall:.4f}", f"{per_second:,.0f}", f"{batch:,.0f}",
                          f"{build:.1f}"])  # fmt: skip
            measured.append({"name": str(algorithm), "recall": recall, "qps": per_second,
                             "batch_qps": batch, "build": build})  # fmt: skip
        algorithm.done()
    print_table(f"recall@{K} and queries a second", ["", "recall", "single q/s", "batch q/s",
                "build s"], table)  # fmt: skip
    write_json(json, {"machine": machine, "data": title, "measured": measured})


def definitions(metric: str) -> list[tuple[Any, list[Any], list[list[Any]]]]:
    """Return constructor, arguments and query arguments of each run in config.yml."""
    import itertools

    import yaml

    config = yaml.safe_load((HERE / "config.yml").read_text(encoding="utf-8"))
    runs = []
    for algorithm in config["float"][metric]:
        constructor = getattr(load_module(), algorithm["constructor"])
        base = [metric if one == "@metric" else one for one in algorithm["base_args"]]
        for group in algorithm["run_groups"].values():
            settings = [list(one) for one in itertools.product(*group["query_args"])]
            runs += [
                (constructor, [*base, *one], settings) for one in itertools.product(*group["args"])
            ]
    return runs


def load_module() -> types.ModuleType:
    """Return module.py as it is when it lies in ann-benchmarks, whose base class stands in here."""
    parent = "ann_benchmarks.algorithms"
    for name in ("ann_benchmarks", parent, f"{parent}.base", f"{parent}.base.module"):
        module = types.ModuleType(name)
        module.__path__ = []
        sys.modules.setdefault(name, module)
    sys.modules[f"{parent}.base.module"].BaseANN = BaseANN  # type: ignore[attr-defined]
    name = f"{parent}.fastfunnel.module"
    spec = importlib.util.spec_from_file_location(name, HERE / "module.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__package__ = f"{parent}.fastfunnel"
    spec.loader.exec_module(module)
    return module


class BaseANN:
    """What the runner may call that an algorithm need not define."""

    name = ""

    def done(self) -> None:
        """Nothing is held."""

    def __str__(self) -> str:
        """Return the name that results are filed under."""
        return self.name


def best_of(algorithm: Any, queries: Any, runs: int) -> tuple[Any, float]:
    """Return the answers, -1 where one is short, and queries a second of the quickest run."""
    import numpy as np

    quickest = float("inf")
    answers = np.full((len(queries), K), -1, np.int64)
    for _ in range(runs):
        total = 0.0
        for place, query in enumerate(queries):
            start = time.perf_counter()
            found = algorithm.query(query, K)
            total += time.perf_counter() - start
            answers[place, : len(found)] = found
        quickest = min(quickest, total)
    return answers, len(queries) / quickest


def read_hdf5(path: Path, queries: int) -> tuple[Any, Any]:
    """Return the rows and the first queries of a file of ann-benchmarks."""
    import h5py
    import numpy as np

    with h5py.File(path) as file:
        if file.attrs.get("distance") != "angular":
            raise SystemExit(f"{path} must be an angular set, got {file.attrs.get('distance')}")
        train, test = np.array(file["train"], np.float32), file["test"][:queries]
    return train, np.array(test, np.float32)


if __name__ == "__main__":
    typer.run(main)
