"""The systems people run today beside this project: `python -m bench.databases --help`.

Each system is filled, swept and measured in processes of its own, started by this one; the data
stays in the work directory, so that a step can be repeated alone. See README.md.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

STEPS = ("build", "sweep", "measure", "report")


def main(
    work: Annotated[Path, typer.Option(help="where the systems keep their data")],
    dataset: str = "wordnet_mrl1024",
    data: Annotated[Path | None, typer.Option(help="directory; default $FASTFUNNEL_DATA")] = None,
    rows: Annotated[int | None, typer.Option(help="base rows; default all")] = None,
    queries: int = 1000,
    rounds: int = 5,
    budget: Annotated[float, typer.Option(help="seconds of a setting's turn in a round")] = 1.0,
    sweep_budget: Annotated[float, typer.Option(help="seconds of a setting's recall")] = 30.0,
    only: Annotated[str, typer.Option(help="systems, like postgres,milvus")] = "",
    steps: Annotated[str, typer.Option(help="some of build,sweep,measure,report")] = "",
    json: Annotated[Path | None, typer.Option(help="write everything here")] = None,
    plot: Annotated[Path | None, typer.Option(help="write a PNG here")] = None,
) -> None:
    """Measure recall, speed, memory and disk of databases beside ours, at recall@10 >= 0.99."""
    from bench.databases import worker
    from bench.databases.report import plot_bars, print_report
    from bench.databases.system import OURS
    from bench.output import console, print_machine, write_json

    wanted = only.replace(",", " ").split() or list(worker.SYSTEMS)
    todo = steps.replace(",", " ").split() or list(STEPS)
    for name, known in ((wanted, worker.SYSTEMS), (todo, STEPS)):
        if unknown := set(name) - set(known):
            raise typer.BadParameter(f"{sorted(unknown)} is none of {', '.join(known)}")
    machine = print_machine()
    place = work / f"{dataset}-{rows or 'all'}"
    jobs = [
        worker.Job(module, place, dataset, rows, queries, data)
        for module in dict.fromkeys((OURS, *wanted))
    ]
    absent: dict[str, str] = {}
    for job in jobs:
        try:
            if "build" in todo and job.read("build") is None:
                console.print(f"{job.module}: filling", style="dim")
                _apart(worker.build, job)
            if "sweep" in todo:
                console.print(f"{job.module}: recall of its settings", style="dim")
                _apart(worker.survey, job, sweep_budget)
            if "measure" in todo:
                console.print(f"{job.module}: times", style="dim")
                _apart(worker.compare, job, rounds, budget)
        except ImportError as error:
            absent[job.module] = str(error)
            console.print(f"absent: {job.module} ({error})", style="yellow")
    if "report" not in todo:
        return
    found = [job for job in jobs if job.module not in absent and job.read("measure")]
    systems = {job.module: _notes(job) for job in found}
    if OURS not in systems:
        raise typer.BadParameter(f"{place} holds no measurement; run --steps build,sweep,measure")
    print_report(systems)
    shape = f"{dataset}, {systems[OURS]['build']['rows']:,} rows, {queries:,} queries"
    write_json(
        json,
        {
            "machine": machine,
            "dataset": shape,
            "rounds": rounds,
            "absent": absent,
            "systems": systems,
        },
    )
    if plot is not None:
        plot_bars(systems, f"{shape}\n{machine['cpu']}, {machine['cores']} cores", plot)


def _notes(job: Any) -> dict[str, Any]:
    return {step: job.read(step) for step in ("build", "sweep", "measure")}


def _apart(call: Any, *arguments: Any) -> None:
    """Run a call in a fresh process, so that systems share no threads, memory or settings."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(call, *arguments).result()


if __name__ == "__main__":
    typer.run(main)
