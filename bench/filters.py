"""What a filter costs and finds: recall and time by the share of rows that may answer.

    python -m bench.filters --dataset wordnet_mrl1024

Rows are let through at random, the hardest case: hardly a block of rows can be skipped; or
(--together) those that were added one after the other, as one tenant's or one month's are. "time" is
that of the filtered search over the unfiltered one of the same round, so below 1 means cheaper;
recall@10 is against exact search over the rows let through. The filter is a bool a row; "by ids"
gives the same rows as ids.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import fastfunnel as ff
from bench import datasets, timing
from bench.output import print_machine, print_table, write_json

SHARES = (1.0, 0.9, 0.5, 0.2, 0.05, 0.02, 0.005, 0.001, 0.0001)
K = 10


def recall(index: ff.Index, queries: np.ndarray, flags: np.ndarray) -> float:
    """Share of the true top k among the rows let through that the default funnel finds."""
    found = index.search(queries, K, filter=flags).ids
    truth = index.search(queries, K, exact=True, filter=flags).ids
    wanted = truth >= 0
    hits = (found[:, :, None] == truth[:, None, :]).any(axis=1) & wanted
    return float(hits.sum() / max(1, wanted.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", default="wordnet_mrl1024")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--single", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    facts = print_machine()
    data = datasets.load(arguments.dataset, arguments.rows, arguments.queries)
    index = ff.Index(data.base.shape[1])
    index.add(data.base)
    n_rows = len(data.base)
    places = np.random.default_rng(0).random(n_rows)
    if arguments.together:
        places = (np.arange(n_rows) / n_rows + 0.3) % 1
    filters = {share: places < share for share in SHARES}
    ids = {share: np.flatnonzero(flags) for share, flags in filters.items()}

    def batch(given: np.ndarray | None) -> object:
        return index.search(data.queries, K, filter=given, threads=arguments.threads)

    def single(given: np.ndarray | None) -> object:
        return timing.one_by_one(
            lambda query: index.search(query, K, filter=given, threads=arguments.threads),
            data.queries[: arguments.single],
        )()

    measured = []
    for kind, search in (("batch", batch), ("single", single)):
        calls = {"all": lambda search=search: search(None)}
        for share in SHARES:
            calls[f"flags {share}"] = lambda s=share, search=search: search(filters[s])
            calls[f"ids {share}"] = lambda s=share, search=search: search(ids[s])
        times = timing.interleaved(calls, arguments.rounds)
        for share in SHARES:
            for form in ("flags", "ids"):
                ratio = timing.speed_ratio(times["all"], times[f"{form} {share}"])
                measured.append((kind, share, form, *ratio))
    recalls = {share: recall(index, data.queries, flags) for share, flags in filters.items()}
    print_table(
        f"{data.title}: {index.default_funnel(K)}",
        ("share of rows", "recall@10", "batch", "batch, by ids", "single", "single, by ids"),
        [
            (
                f"{share:.2%}",
                f"{recalls[share]:.3f}",
                *(
                    f"{next(m[3] for m in measured if m[:3] == (kind, share, form)):.2f}"
                    for kind in ("batch", "single")
                    for form in ("flags", "ids")
                ),
            )
            for share in SHARES
        ],
    )
    write_json(arguments.json, {"machine": facts, "measured": measured, "recall": recalls})


if __name__ == "__main__":
    main()
