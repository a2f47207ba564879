"""Retrieval quality, not recall: what a funnel costs in nDCG@10: `python -m bench.quality --help`.

A query is an example sentence of WordNet; its only right answer is the synset it was cut out of.
Embedders that run offline are asked: WordLlama, and any model2vec or sentence-transformers model in
a directory. Half of the sentences tune the funnel, the other half measure.
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
    model2vec: Annotated[list[Path] | None, typer.Option(help="a model's directory")] = None,
    transformer: Annotated[list[Path] | None, typer.Option(help="a model's directory")] = None,
    rows: Annotated[int | None, typer.Option(help="texts; default all 117,659")] = None,
    budget: float = 20.0,
    json: Path | None = None,
) -> None:
    """Compare exact search, the default funnel and the tuned one, for each embedder."""
    pin_to_one_core()
    import fastfunnel as ff
    from bench.output import console, print_machine, print_table, write_json
    from fastfunnel import embedders

    machine = print_machine()
    texts, asked, answers = held_out_sentences(questions, rows)
    console.print(f"{len(texts):,} texts, {len(asked):,} held-out sentences", highlight=False)
    makers: list[Any] = [embedders.WordLlamaEmbedder]
    makers += [lambda one=one: embedders.Model2VecEmbedder(str(one)) for one in model2vec or []]
    makers += [
        lambda one=one: embedders.SentenceTransformerEmbedder(str(one)) for one in transformer or []
    ]
    table, measured = [], []
    for make in makers:
        embedder = make()
        name = Path(embedder.model).name
        index = ff.Index(embedder.dim, model=embedder.model)
        index.add(embedder.encode_documents(texts))
        queries = embedder.encode_queries(asked)
        half = len(queries) // 2
        exact = index.search(queries[half:], K, exact=True).ids
        default = index.default_funnel(K)
        untuned = index.search(queries[half:], K).ids
        index.tune(queries[:half], K, recall, budget_s=budget, progress=False)
        tuned = index.search(queries[half:], K).ids
        best = ndcg(exact, answers[half:])
        for way, funnel, ids in (
            ("exact", "", exact),
            ("default", default, untuned),
            ("tuned", index.default_funnel(K), tuned),
        ):
            found = ndcg(ids, answers[half:])
            kept, same = found / best, agreement(ids, exact)
            table.append([f"{name} {embedder.dim}", way, str(funnel or ""), f"{found:.4f}",
                          f"{kept:.2%}", f"{same:.4f}"])  # fmt: skip
            measured.append({"model": name, "dim": embedder.dim, "search": way,
                             "funnel": str(funnel or ""), "ndcg": found, "kept": kept,
                             "recall": same})  # fmt: skip
    columns = ["embedder", "search", "funnel", "nDCG@10", "of exact", "recall@10"]
    print_table("Held-out sentences to their synsets", columns, table)
    write_json(json, {"machine": machine, "texts": len(texts), "measured": measured})


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
