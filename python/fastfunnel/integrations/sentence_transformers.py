"""sentence-transformers: its `semantic_search_faiss`, answered by fastfunnel.

Nothing of the library is imported: its embeddings are arrays and tensors, and its quantization is
`embedders.codes` for bits and ranges of 256 steps for "int8" and "uint8".
"""

from __future__ import annotations

import time
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastfunnel.embedders.codes import as_codes
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.index import Index
from fastfunnel.search import hamming_search

Precision = Literal["float32", "int8", "uint8", "binary", "ubinary"]
Array = npt.NDArray[Any]
Ranked = tuple[Array, Array]  # ids, -1 for none, and scores, both (n_queries, k)

_DTYPES = {"int8": np.int8, "uint8": np.uint8, "binary": np.int8, "ubinary": np.uint8}
_STEPS = 255
_QUERIES_AT_ONCE = 64  # so that a batch's unpacked candidates stay small


def semantic_search_fastfunnel(
    query_embeddings: Any,
    corpus_embeddings: Any = None,
    corpus_index: Any = None,
    corpus_precision: Precision = "float32",
    top_k: int = 10,
    ranges: Any = None,
    calibration_embeddings: Any = None,
    rescore: bool = True,
    rescore_multiplier: int = 2,
    exact: bool = True,
    output_index: bool = False,
) -> tuple[Any, ...]:
    """Return what `sentence_transformers.util.semantic_search_faiss` does, found by fastfunnel.

    What is searched depends on the corpus. Floats of precision "float32": all of them, or by the
    index's funnel with exact=False. Floats of another precision: that precision shortlists
    `top_k * rescore_multiplier` rows, and the floats decide. Packed bits, "binary" or "ubinary":
    the Hamming distance shortlists, and the queries' floats against the bits decide. "int8" and
    "uint8" codes: the values that they stand for.

    Args:
        query_embeddings: (n, dim) floats, or quantized as the corpus is; arrays or torch tensors,
            as all that follow.
        corpus_embeddings: (rows, dim) floats or codes of `quantize_embeddings`; packed bits are
            (rows, ceil(dim / 8)): uint8 for "ubinary", int8, less 128, for "binary".
        corpus_index: instead of them, what `output_index` returned, or any `fastfunnel.Index`.
        corpus_precision: what the corpus is quantized to.
        top_k: answers a query.
        ranges: (2, dim) least and greatest values, which "int8" and "uint8" codes were made with.
        calibration_embeddings: what to take the ranges from; the queries, as sentence-transformers
            does, where there are neither.
        rescore: whether floats decide on the shortlist. Without it bits score by their distance,
            and the lowest is best.
        rescore_multiplier: how many times top_k the shortlist is.
        exact: for floats of precision "float32".
        output_index: also return the index.

    Returns:
        ([[{"corpus_id", "score"}, …] a query], best first, seconds the search took), and the index:
        an Index, or the packed bits as uint8. Scores are inner products, those of the given
        index's metric, or distances.

    Raises:
        TypeError, ValueError: for arguments of another kind or shape.
    """
    if (corpus_embeddings is None) == (corpus_index is None):
        raise ValueError("either corpus_embeddings or corpus_index must be given")
    if corpus_precision != "float32" and corpus_precision not in _DTYPES:
        known = ", ".join(["float32", *_DTYPES])
        raise ValueError(f"corpus_precision must be one of {known}, got {corpus_precision!r}")
    if top_k < 1 or rescore_multiplier < 1:
        raise ValueError("top_k and rescore_multiplier must be at least 1")
    queries = np.atleast_2d(_as_array(query_embeddings))
    scale = _Scale(corpus_precision, ranges, calibration_embeddings, queries)
    index = corpus_index
    if index is None:
        index = _index(_as_array(corpus_embeddings), corpus_precision, scale)
    shortlist = top_k * rescore_multiplier if rescore else top_k

    begin = time.perf_counter()
    if isinstance(index, Index):
        if corpus_precision.endswith("binary") and _is_quantized(queries):
            raise ValueError("queries of packed bits need a corpus of packed bits")
        values = scale.values(queries) if _is_quantized(queries) else queries
        ranked = _search(index, values, top_k, shortlist, corpus_precision, rescore, exact)
    else:
        ranked = _search_bits(index, queries, top_k, shortlist, corpus_precision, rescore)
    seconds = time.perf_counter() - begin

    answers = [
        [
            {"corpus_id": id, "score": score}
            for id, score in zip(ids, scores, strict=True)
            if id >= 0
        ]
        for ids, scores in zip(ranked[0].tolist(), ranked[1].tolist(), strict=True)
    ]
    return (answers, seconds, index) if output_index else (answers, seconds)


class _Scale:
    """What "int8" and "uint8" codes stand for."""

    def __init__(self, precision: str, ranges: Any, calibration: Any, queries: Array) -> None:
        self._precision = precision
        self._ranges = None if ranges is None else _as_array(ranges)
        self._samples = queries if calibration is None else _as_array(calibration)

    def values(self, codes: Array) -> Array:
        """Return the values of codes, as sentence-transformers restores them."""
        _check_dtype(codes, self._precision)
        least, greatest = self._limits()
        steps = (greatest - least) / np.float32(_STEPS)
        offset = 128 if self._precision == "int8" else 0
        found = (codes.astype(np.float64) + offset) * np.where(steps == 0, 1, steps) + least
        return np.asarray(found, np.float32)

    def _limits(self) -> Array:
        if self._ranges is not None:
            return self._ranges.astype(np.float32)
        if _is_quantized(self._samples) or len(self._samples) < 2:
            raise ValueError(
                f"ranges or calibration_embeddings must be given for {self._precision} codes"
            )
        return np.stack([self._samples.min(axis=0), self._samples.max(axis=0)]).astype(np.float32)


def _index(corpus: Array, precision: str, scale: _Scale) -> Any:
    if corpus.ndim != 2:
        raise ValueError(f"corpus_embeddings must be 2-D, got {corpus.ndim}-D")
    if precision.endswith("binary") and _is_quantized(corpus):
        _check_dtype(corpus, precision)
        return as_codes(corpus, precision)
    values = scale.values(corpus) if _is_quantized(corpus) else corpus
    index = Index(values.shape[1], metric="ip")
    if len(values):
        index.add(values)
    return index


def _search(
    index: Index,
    queries: Array,
    top_k: int,
    shortlist: int,
    precision: str,
    rescore: bool,
    exact: bool,
) -> Ranked:
    if precision == "float32":
        found = index.search(queries, top_k, exact=exact)
        return found.ids, found.scores
    bits = precision.endswith("binary")
    first = Stage(index.dim, "b1" if bits else "i8", keep=shortlist)
    stages = [first, Stage(index.dim, "f32")] if rescore else [first]
    found = index.search(queries, top_k, funnel=Funnel(stages))
    return found.ids, found.scores


def _search_bits(
    codes: Any, queries: Array, top_k: int, shortlist: int, precision: str, rescore: bool
) -> Ranked:
    if not precision.endswith("binary"):
        raise ValueError(f"corpus_index must be an Index for {precision}, got packed bits")
    if _is_quantized(queries):
        _check_dtype(queries, precision)
        found = hamming_search(codes, as_codes(queries, precision), top_k)
        return found.ids, found.distances.astype(np.float64)
    found = hamming_search(codes, np.packbits(queries > 0, axis=1), shortlist)
    if not rescore:
        return found.ids, found.distances.astype(np.float64)
    parts = [
        _rescored(codes, queries[first : first + _QUERIES_AT_ONCE], ids, top_k)
        for first in range(0, len(queries), _QUERIES_AT_ONCE)
        for ids in [found.ids[first : first + _QUERIES_AT_ONCE]]
    ]
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([s for _, s in parts])


def _rescored(codes: Any, queries: Array, ids: Array, top_k: int) -> Ranked:
    """Order a shortlist by the sum of the query's values where a row's bits are 1."""
    bits = np.unpackbits(codes[ids], axis=-1, count=queries.shape[1])
    scores = np.einsum("ij,ikj->ik", queries.astype(np.float64), bits)
    scores[ids < 0] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    return np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)


def _as_array(value: Any) -> Array:
    """Return an array of a torch tensor, wherever it is, of a list of them, or of anything else."""
    if hasattr(value, "detach"):
        tensor = value.detach().cpu()
        return np.asarray((tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy())
    if isinstance(value, (list, tuple)) and value and hasattr(value[0], "detach"):
        return np.stack([_as_array(one) for one in value])
    return np.asarray(value)


def _is_quantized(array: Array) -> bool:
    return array.dtype in (np.int8, np.uint8)


def _check_dtype(codes: Array, precision: str) -> None:
    expected = np.dtype(_DTYPES.get(precision, np.float32))
    if codes.dtype != expected:
        raise ValueError(f"{precision} embeddings must be {expected}, got {codes.dtype}")
