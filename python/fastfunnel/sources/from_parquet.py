"""An index from a column of Parquet files, read as it streams by."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastfunnel.arguments import Metric
from fastfunnel.index import Index
from fastfunnel.model import Model
from fastfunnel.sources.filling import ROWS_AT_ONCE, fill


def from_parquet(
    path: str | os.PathLike[str],
    column: str,
    *,
    ids: str | None = None,
    metric: Metric = "cosine",
    model: str | Model | None = None,
    into: Index | None = None,
) -> Index:
    """Return an index of the vectors in a column, a few thousand rows in hand at a time.

    Args:
        path: a file, or a directory whose .parquet files are read in the order of their names.
        column: its name; number lists of one length, of fixed size or not.
        ids: the name of a column of unique integers; None numbers the rows.
        metric, model: of the index, as for `Index`.
        into: an index to add the rows to instead: one that lives on disk (`Index.create`) takes more
            than memory holds. It keeps what was added before an error.

    Returns:
        The index; `into` if that was given.

    Raises:
        ImportError: if pyarrow is not installed.
        FileNotFoundError: if there is no such file.
        TypeError, ValueError: for a column that is not there or holds something else, for nulls,
            for vectors that do not fit.
    """
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = "pyarrow is needed for Parquet: pip install 'fastfunnel[parquet]'"
        raise ImportError(message) from error
    root = Path(path)
    files = sorted(root.glob("*.parquet")) if root.is_dir() else [root]
    if not files or not files[0].exists():
        raise FileNotFoundError(f"there is no Parquet file at {root}")
    batches = (batch for file in files for batch in _batches(parquet, file, column, ids))
    return fill(batches, str(root), into, metric, model)


def _batches(parquet: Any, file: Path, column: str, ids: str | None) -> Iterator[tuple[Any, Any]]:
    arrow = importlib.import_module("pyarrow")
    try:
        # A buffer makes pages come one after the other; without it a column chunk comes as a whole.
        with parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False) as opened:
            wanted = [column] if ids is None else [column, ids]
            check_columns(opened.schema_arrow.names, wanted, str(file))
            for batch in opened.iter_batches(ROWS_AT_ONCE, columns=wanted, use_threads=False):
                yield batch.column(column), None if ids is None else batch.column(ids)
    except arrow.ArrowException as error:
        raise ValueError(f"{file} must be a Parquet file: {error}") from None


def check_columns(there: list[str], wanted: list[str], source: str) -> None:
    """Raise ValueError for a column that is not there."""
    for name in wanted:
        if name not in there:
            raise ValueError(f"{source} must have a column {name!r}, got {there}")
