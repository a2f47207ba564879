"""MTEB's retrieval tasks, searched by fastfunnel: a backend for `mteb.models.SearchEncoderWrapper`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import Metric
from fastfunnel.funnel import Funnel
from fastfunnel.index import Index
from fastfunnel.interchange import as_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mteb.models import EncoderProtocol

_METRICS: dict[str, Metric] = {"cosine": "cosine", "dot": "ip", "euclidean": "l2"}

Answers = tuple[list[list[float]], list[list[int]]]


class FastFunnelSearchIndex:
    """What MTEB 2 calls an `IndexEncoderSearchProtocol`.

    Args:
        model: the encoder; its `similarity_fn_name` decides the metric: cosine, dot or euclidean.
        funnel: the stages; None lets a sample of the documents decide.
        exact: True finds the true top k.
        threads: None uses every core.

    Raises:
        ValueError: for another similarity.
    """

    def __init__(
        self,
        model: EncoderProtocol,
        *,
        funnel: Funnel | None = None,
        exact: bool = False,
        threads: int | None = None,
    ) -> None:
        """Hold no documents."""
        name = getattr(model.mteb_model_meta.similarity_fn_name, "value", None)
        if name not in _METRICS:
            raise ValueError(f"the model's similarity must be {', '.join(_METRICS)}, got {name!r}")
        self._metric = _METRICS[name]
        self._options: dict[str, Any] = {"funnel": funnel, "exact": exact, "threads": threads}
        self._index: Index | None = None
        self._places: dict[str, int] = {}

    def add_documents(self, embeddings: npt.ArrayLike, idxs: Sequence[str]) -> None:
        """Add documents.

        Args:
            embeddings: (n, dim), of NumPy or torch, on any device.
            idxs: their n ids.

        Raises:
            TypeError, ValueError: for vectors of another kind, for nan or inf.
        """
        rows = _on_cpu(embeddings, "embeddings")
        if len(rows) != len(idxs):
            raise ValueError(f"idxs must be {len(rows)}, one a document, got {len(idxs)}")
        if self._index is None:
            self._index = Index(rows.shape[1], metric=self._metric)
        self._index.add(rows)
        self._places.update({id: len(self._places) + i for i, id in enumerate(idxs)})

    def search(
        self,
        embeddings: npt.ArrayLike,
        top_k: int,
        similarity_fn: Callable[..., Any],
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        query_idx_to_id: Mapping[int, str] | None = None,
    ) -> Answers:
        """Return scores and documents for each query, best first.

        Args:
            embeddings: (n_queries, dim).
            top_k: how many; fewer come back where there are fewer.
            similarity_fn: not used, the index scores by the same measure.
            top_ranked: by query id, the documents to rank; None for all.
            query_idx_to_id: the id of each query, needed with `top_ranked`.

        Returns:
            (scores, places), a list a query. Places count the documents in the order they were
            added or, with `top_ranked`, in the order of its list. Euclidean scores are negative
            distances.

        Raises:
            ValueError: if there are no documents, or no ids where they are needed.
        """
        if self._index is None:
            raise ValueError("documents must be added before they are searched")
        queries = _on_cpu(embeddings, "embeddings")
        if top_ranked is not None:
            if query_idx_to_id is None:
                raise ValueError("query_idx_to_id must be given with top_ranked")
            return self._rerank(self._index, queries, top_k, top_ranked, query_idx_to_id)
        found = self._index.search(queries, min(top_k, len(self._index)), **self._options)
        return self._scores(found.scores).tolist(), found.ids.tolist()

    def clear(self) -> None:
        """Forget all documents."""
        self._index, self._places = None, {}

    def _rerank(
        self,
        index: Index,
        queries: npt.NDArray[Any],
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]],
        query_idx_to_id: Mapping[int, str],
    ) -> Answers:
        scores, places = [], []
        for number, query in enumerate(queries):
            documents = top_ranked.get(query_idx_to_id[number], ())
            rows = np.array([self._places[id] for id in documents], np.int64)
            found = self._scores(index.rescore(rows, query)[0]) if len(rows) else np.empty(0)
            best = np.argsort(-found, kind="stable")[:top_k]
            scores.append(found[best].tolist())
            places.append(best.tolist())
        return scores, places

    def _scores(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return -np.sqrt(-scores) if self._metric == "l2" else scores


def _on_cpu(embeddings: Any, name: str) -> npt.NDArray[Any]:
    return as_array(embeddings.cpu() if hasattr(embeddings, "cpu") else embeddings, name)
