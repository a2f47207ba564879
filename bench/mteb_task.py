"""An MTEB retrieval task without a hub, by MTEB's search, its FAISS backend and ours.

A query is an example sentence of WordNet, its only right answer the synset it was cut out of, the
encoder WordLlama. `python -m bench.mteb_task --help`; needs `pip install mteb faiss-cpu`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.pinning import pin_threads


def main(
    questions: int = 1000,
    rows: Annotated[int | None, typer.Option(help="texts; default all 117,659")] = None,
    json: Path | None = None,
) -> None:
    """Print MTEB's scores and the seconds of the search alone, on one thread."""
    pin_threads([1])
    from mteb.models import SearchEncoderWrapper
    from mteb.models.search_encoder_index.search_indexes.faiss_search_index import FaissSearchIndex

    from bench.output import print_machine, print_table, write_json
    from fastfunnel.integrations.mteb import FastFunnelSearchIndex

    machine = print_machine()
    task, model = local_task(questions, rows), local_model()
    backends = {
        "MTEB's own search": None,
        "FAISS": FaissSearchIndex(model),
        "fastfunnel, exact": FastFunnelSearchIndex(model, exact=True, threads=1),
        "fastfunnel, default funnel": FastFunnelSearchIndex(model, threads=1),
    }
    table, measured = [], []
    for name, backend in backends.items():
        seconds = [0.0] if backend is None else timed(backend)
        wrapped = SearchEncoderWrapper(model, index_backend=backend)
        scores = task.evaluate(wrapped, "test", encode_kwargs={"batch_size": 1024})["default"]
        ndcg, recall = scores["ndcg_at_10"], scores["recall_at_1000"]
        searched = "" if backend is None else f"{seconds[0]:.2f}"
        table.append([name, f"{ndcg:.5f}", f"{recall:.5f}", searched])
        measured.append({"search": name, "ndcg_at_10": ndcg, "recall_at_1000": recall,
                         "seconds": seconds[0]})  # fmt: skip
    print_table("WordNet sentences to synsets, top 1,000 a query",
                ["", "nDCG@10", "recall@1000", "search s"], table)  # fmt: skip
    write_json(json, {"machine": machine, "questions": questions, "measured": measured})


def timed(backend: Any) -> list[float]:
    """Make `backend` leave the seconds of its search in the list returned."""
    seconds = [0.0]
    search = backend.search

    def timed_search(*args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        found = search(*args, **options)
        seconds[0] += time.perf_counter() - start
        return found

    backend.search = timed_search
    return seconds


def local_task(questions: int, rows: int | None) -> Any:
    """Return the task."""
    import mteb
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    from bench.quality import held_out_sentences

    texts, asked, answers = held_out_sentences(questions, rows)

    class WordNetSentences(AbsTaskRetrieval):
        metadata = mteb.TaskMetadata(
            name="WordNetSentences", description="example sentences to their synsets",
            reference=None, type="Retrieval", category="t2t", modalities=["text"],
            eval_splits=["test"], eval_langs=["eng-Latn"], main_score="ndcg_at_10",
            dataset={"path": "local/wordnet", "revision": "3.1"}, date=None, domains=None,
            task_subtypes=None, license=None, annotations_creators=None, dialect=None,
            sample_creation=None, bibtex_citation=None,
        )  # fmt: skip

        def load_data(self, *args: Any, **options: Any) -> None:
            self.corpus = {"test": {f"d{i}": text for i, text in enumerate(texts)}}
            self.queries = {"test": {f"q{i}": text for i, text in enumerate(asked)}}
            self.relevant_docs = {
                "test": {f"q{i}": {f"d{place}": 1} for i, place in enumerate(answers.tolist())}
            }
            self.data_loaded = True

    class Anew:
        """MTEB's tasks forget their data once they are evaluated."""

        def evaluate(self, *args: Any, **options: Any) -> Any:
            return WordNetSentences().evaluate(*args, **options)

    return Anew()


def local_model() -> Any:
    """Return WordLlama as an encoder of MTEB."""
    from mteb.models.abs_encoder import AbsEncoder
    from mteb.models.model_meta import ModelMeta, ScoringFunction
    from mteb.types import PromptType

    from fastfunnel.embedders import WordLlamaEmbedder

    class WordLlama(AbsEncoder):
        def __init__(self) -> None:
            self._embedder = WordLlamaEmbedder()
            self.mteb_model_meta = ModelMeta.create_empty(
                {"name": "local/wordllama", "revision": "1",
                 "similarity_fn_name": ScoringFunction.COSINE}
            )  # fmt: skip

        def encode(self, inputs: Any, *, prompt_type: Any = None, **options: Any) -> Any:
            texts = [text for batch in inputs for text in batch["text"]]
            if prompt_type == PromptType.query:
                return self._embedder.encode_queries(texts)
            return self._embedder.encode_documents(texts)

    return WordLlama()


if __name__ == "__main__":
    typer.run(main)
