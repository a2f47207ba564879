"""The systems people run today beside this project: `python -m bench.databases --help`.

Each system is filled, swept and measured in processes of its own, started by this one. What a step
found stays in the work directory: a run that was cut off goes on where it was, and `--again`
repeats a step. See README.md.
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
    sweep_budget: Annotated[float, typer.Option(help="seconds of a setting's recall")] = 5.0,
    only: Annotated[str, typer.Option(help="systems, like postgres,milvus")] = "",
    steps: Annotated[str, typer.Option(help="some of build,sweep,measure,report")] = "",
    again: Annotated[str, typer.Option(help="a step to repeat, with those after it")] = "",
    json: Annotated[Path | None, typer.Option(help="write everything here")] = None,
    plot: Annotated[Path | None, typer.Option(help="write a PNG here")] = None,
    page: Annotated[Path | None, typer.Option(help="write tables between its marks")] = None,
) -> None:
    """Measure recall, speed, memory and disk of databases beside ours, at recall@10 >= 0.99."""
    from bench.databases import worker
    from bench.databases.markdown import write_page
    from bench.databases.report import plot_bars, print_report
    from bench.databases.system import OURS
    from bench.output import console, print_machine, write_json

    every = [name for name in worker.SYSTEMS if name not in worker.BY_NAME_ONLY]
    wanted = only.replace(",", " ").split() or every
    todo = steps.replace(",", " ").split() or list(STEPS)
    repeated = STEPS[STEPS.index(again) : -1] if again in STEPS else ()
    for name, known in ((wanted, worker.SYSTEMS), (todo, STEPS), ([again or "report"], STEPS)):
        if unknown := set(name) - set(known):
            raise typer.BadParameter(f"{sorted(unknown)} is none of {', '.join(known)}")
    machine = print_machine()
    place = work / f"{dataset}-{rows or 'all'}"
    jobs = [
        worker.Job(module, place, dataset, rows, queries, data)
        for module in dict.fromkeys((OURS, *wanted))
    ]
    for job in jobs:
        for step in repeated:
            job.forget(step)
    left_out: dict[str, str] = {}
    calls = {
        "build": (worker.build, "filling"),
        "sweep": (worker.survey, "recall of its settings", sweep_budget),
        "measure": (worker.compare, "times", rounds, budget),
    }
    for job in jobs:
        try:
            for step, (call, what, *arguments) in calls.items():
                if step in todo and job.read(step) is None:
                    console.print(f"{job.module}: {what}", style="dim")
                    _apart(call, job, *arguments)
        except Exception as error:  # noqa: BLE001 - of any library; the others go on
            left_out[job.module] = f"{type(error).__name__}: {error}"
            console.print(f"left out: {job.module} ({left_out[job.module]})", style="yellow")
    if "report" not in todo:
        return
    found = [job for job in jobs if job.module not in left_out and job.read("measure")]
    systems = {job.module: {step: job.read(step) for step in calls} for job in found}
    if OURS not in systems:
        raise typer.BadParameter(f"{place} holds no measurement; run --steps build,sweep,measure")
    print_report(systems)
    content = {
        "machine": machine,
        "dataset": f"{dataset}, {systems[OURS]['build']['rows']:,} rows, {queries:,} queries",
        "rounds": rounds,
        "left_out": left_out,
        "systems": systems,
    }
    write_json(json, content)
    if page is not None:
        write_page(page, content)
    if plot is not None:
        title = f"{content['dataset']}\n{machine['cpu']}, {machine['cores']} cores"
        plot_bars(systems, title, plot)


def _apart(call: Any, *arguments: Any) -> None:
    """Run a call in a fresh process, so that systems share no threads, memory or settings."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(call, *arguments).result()


if __name__ == "__main__":
    typer.run(main)
