"""An index from a column of a Lance dataset, read as it streams by."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

from fastfunnel.arguments import Metric
from fastfunnel.index import Index
from fastfunnel.model import Model
from fastfunnel.sources.filling import ROWS_AT_ONCE, fill
from fastfunnel.sources.from_parquet import check_columns


def from_lance(
    dataset: Any,
    column: str,
    *,
    ids: str | None = None,
    metric: Metric = "cosine",
    model: str | Model | None = None,
    into: Index | None = None,
) -> Index:
    """Return an index of the vectors in a column, a few thousand rows in hand at a time.

    Args:
        dataset: a path, a `lance.LanceDataset` or a LanceDB table.
        column, ids, metric, model, into: as for `from_parquet`.

    Returns:
        The index; `into` if that was given.

    Raises:
        ImportError: if pylance is not installed.
        FileNotFoundError: if there is no dataset at the path.
        TypeError, ValueError: as `from_parquet`.
    """
    opened, name = _opened(dataset)
    wanted = [column] if ids is None else [column, ids]
    check_columns(opened.schema.names, wanted, name)
    return fill(_batches(opened, column, ids, wanted), name, into, metric, model)


def _opened(dataset: Any) -> tuple[Any, str]:
    if hasattr(dataset, "to_lance"):  # a LanceDB table
        dataset = dataset.to_lance()
    if not isinstance(dataset, (str, os.PathLike)):
        if not hasattr(dataset, "to_batches"):
            raise TypeError(f"dataset must be a path or a dataset, got {type(dataset).__name__}")
        return dataset, str(dataset.uri)
    path = os.fspath(dataset)
    try:
        lance = importlib.import_module("lance")
    except ImportError as error:
        raise ImportError("pylance is needed for Lance: pip install pylance") from error
    if "://" not in path and not os.path.isdir(path):
        raise FileNotFoundError(f"there is no dataset at {path}")
    return lance.dataset(path), path


def _batches(
    dataset: Any, column: str, ids: str | None, wanted: list[str]
) -> Iterator[tuple[Any, Any]]:
    for batch in dataset.to_batches(columns=wanted, batch_size=ROWS_AT_ONCE, batch_readahead=2):
        yield batch.column(column), None if ids is None else batch.column(ids)
