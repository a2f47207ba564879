"""Retrieval quality, not recall: what a funnel costs in nDCG@10: `python -m bench.quality --help`.

A query is an example sentence of WordNet; its only right answer is the synset it was cut out of.
Every embedder of bench/offline_embedders.py that is here is asked. Half of the sentences tune the
funnel, the other half measure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bench.pinning import pin_to_one_core

K = 10


def main(
    questions: int = 4000,
    recall: float = 0.99,
    table: Annotated[Path | None, typer.Option(help="a static model's token table, .npz")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="and its tokenizer, .json")] = None,
    only: Annotated[str, typer.Option(help="names of embedders, comma between")] = "",
    rows: Annotated[int | None, typer.Option(help="texts; default all 117,659")] = None,
    cache: Annotated[Path | None, typer.Option(help="keep vectors here; MiniLM is slow")] = None,
    budget: float = 20.0,
    json: Path | None = None,
) -> None:
    """Compare exact search, the default funnel and the tuned one, for each embedder."""
    pin_to_one_core()
    from bench.offline_embedders import offline_embedders
    from bench.output import console, print_machine, print_table, write_json

    machine = print_machine()
    texts, asked, answers = held_out_sentences(questions, rows)
    console.print(f"{len(texts):,} texts, {len(asked):,} held-out sentences", highlight=False)
    measured = []
    for name, make in offline_embedders(table, tokenizer):
        if only and name not in only.split(","):
            continue
        base, queries = vectors(name, make, texts, asked, cache)
        measured += measure(name, base, queries, answers, recall, budget)
    columns = ["embedder", "search", "funnel", "nDCG@10", "of exact", "recall@10"]
    lines = [[f"{one['model']} {one['dim']}", one["search"], one["funnel"], f"{one['ndcg']:.4f}",
              f"{one['kept']:.2%}", f"{one['recall']:.4f}"] for one in measured]  # fmt: skip
    print_table("Held-out sentences to their synsets", columns, lines)
    write_json(json, {"machine": machine, "texts": len(texts), "measured": measured})


def vectors(
    name: str, make: Any, texts: list[str], asked: list[str], cache: Path | None
) -> tuple[Any, Any]:
    """Return the texts' and the questions' vectors, from the cache if they are there."""
    import numpy as np

    kept = None if cache is None else cache / f"{name}-{len(texts)}-{len(asked)}.npz"
    if kept is not None and kept.exists():
        with np.load(kept) as found:
            return found["texts"], found["asked"]
    embedder = make()
    base, queries = embedder.encode_documents(texts), embedder.encode_queries(asked)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, texts=base, asked=queries)
    return base, queries


def measure(
    name: str, base: Any, queries: Any, answers: Any, recall: float, budget: float
) -> list[dict[str, Any]]:
    """Return quality and recall of exact search, of the default funnel and of the tuned one."""
    import fastfunnel as ff

    index = ff.Index(base.shape[1])
    index.add(base)
    half = len(queries) // 2
    rest = queries[half:]
    exact = index.search(rest, K, exact=True).ids
    ways = [("exact", None, exact)]
    index.search(queries[:half], K)  # on which the default funnel is tried
    ways.append(("default", index.default_funnel(K), index.search(rest, K).ids))
    index.tune(queries[:half], K, recall, budget_s=budget, progress=False)
    ways.append(("tuned", index.default_funnel(K), index.search(rest, K).ids))
    best = ndcg(exact, answers[half:])
    return [
        {
            "model": name,
            "dim": index.dim,
            "search": way,
            "funnel": str(funnel or ""),
            "ndcg": ndcg(ids, answers[half:]),
            "kept": ndcg(ids, answers[half:]) / best,
            "recall": agreement(ids, exact),
        }
        for way, funnel, ids in ways
    ]


def held_out_sentences(questions: int, rows: int | None) -> tuple[list[str], list[str], Any]:
    """Return the texts without any asked sentence, the sentences, and the place of each answer."""
    import numpy as np

    from fastfunnel.demo.wordnet import read_wordnet, wordnet_directory

    directory = wordnet_directory()
    if directory is None:
        raise SystemExit("WordNet is not here: apt-get install wordnet-base")
    passages = read_wordnet(directory)
    rng = np.random.default_rng(0)
    if rows is not None:
        passages = [passages[place] for place in rng.permutation(len(passages))[:rows]]
    places = [place for place, one in enumerate(passages) if one.query]
    chosen = rng.permutation(places)[:questions]
    texts = [one.without_query() if one.query else one.text for one in passages]
    return texts, [passages[place].query for place in chosen], np.array(chosen)


def ndcg(ids: Any, answers: Any) -> float:
    """Return the mean nDCG@k where each query has one right answer."""
    import numpy as np

    gains = 1 / np.log2(np.arange(ids.shape[1]) + 2)
    return float(((ids == answers[:, None]) * gains).sum(axis=1).mean())


def agreement(ids: Any, exact: Any) -> float:
    """Return the mean share of the exact answers that were found."""
    import numpy as np

    pairs = zip(ids, exact, strict=True)
    return float(np.mean([len(np.intersect1d(one, other)) / len(other) for one, other in pairs]))


if __name__ == "__main__":
    typer.run(main)
