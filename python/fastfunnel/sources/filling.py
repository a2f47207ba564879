"""Batches of vectors, one after the other, into an index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastfunnel.arguments import Metric, as_metric
from fastfunnel.index import Index
from fastfunnel.interchange import as_array
from fastfunnel.model import Model

ROWS_AT_ONCE = 8192


def fill(
    batches: Iterable[tuple[Any, Any]],
    source: str,
    into: Index | None,
    metric: Metric,
    model: str | Model | None,
) -> Index:
    """Add (vectors, ids or None) after (vectors, ids or None); return the index.

    Args:
        batches: what is read, a batch at a time.
        source: where it is read from, for messages.
        into: the index to add to; None makes one in memory, of the first batch's dims.
        metric: of a new index.
        model: of a new index; `into` refuses vectors of another model than its own.

    Raises:
        ValueError: saying what does not fit, and how many rows were added before.
    """
    if into is not None and model is not None:
        into.check_model(model)
    as_metric(metric)
    index, n_added = into, 0
    for vectors, ids in batches:
        if len(vectors) == 0:
            continue
        try:
            rows = as_array(vectors, "vectors")
            if index is None:
                index = Index(rows.shape[-1], model, metric)
            index.add(rows, None if ids is None else as_array(ids, "ids"))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{source}: after {n_added} rows were added, {error}") from None
        n_added += len(rows)
    if index is None:
        raise ValueError(f"{source} must hold at least one vector, got none")
    return index
