"""Rows from files, or from any dataset of `ray.data`, into a sharded index.

`ray.data` reads ahead in processes of its own and stops when a few batches wait; so memory stays
bounded however large the files are and however slow the disks of the shards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count

if TYPE_CHECKING:
    from ray.data import Dataset

    from fastfunnel.distributed.sharded_rows import ShardedRows

_BLOCK_ROWS = 8192  # of a .npy file that a task reads


class Bar(Protocol):
    """What shows how far an ingestion is."""

    def done(self, rows: int) -> None:
        """So many rows more are on the disk."""


def ingest(
    index: ShardedRows,
    source: Any,
    vectors: str,
    ids: str | None,
    batch_rows: int,
    in_flight: int,
    progress: bool,
) -> int:
    """Return how many rows were taken; `ShardedIndex.ingest` documents it."""
    batch_rows = as_count(batch_rows, "batch_rows")
    in_flight = as_count(in_flight, "in_flight")
    dataset, total = as_dataset(source, vectors)
    taken = 0
    with progress_bar(progress, total) as bar:
        for batch in dataset.iter_batches(
            batch_size=batch_rows, batch_format="numpy", prefetch_batches=in_flight
        ):
            rows = as_matrix(_column(batch, vectors), vectors)
            if ids is None:
                index.add(rows)
            else:
                index.upsert(rows, _column(batch, ids))
            taken += len(rows)
            bar.done(len(rows))
    return taken


def as_dataset(source: Any, vectors: str) -> tuple[Dataset, int | None]:
    """Return what `source` names as a dataset, its rows in order, and their number if known.

    Raises:
        TypeError, ValueError: for what is neither a dataset, a table nor a path of a known kind.
        FileNotFoundError: if there is nothing at the path.
    """
    import ray.data

    if isinstance(source, ray.data.Dataset):
        return source, None
    if hasattr(source, "schema") and hasattr(source, "num_rows"):  # a pyarrow.Table
        return _in_order(ray.data.from_arrow(source)), int(source.num_rows)
    if not isinstance(source, (str, Path)):
        raise TypeError(
            "source must be a path, a pyarrow.Table or a ray.data.Dataset, got "
            f"{type(source).__name__}"
        )
    path = Path(source).absolute()
    if not path.exists():
        raise FileNotFoundError(f"there is nothing at {path}")
    if path.suffix == ".npy":
        return _from_npy(path, vectors)
    if path.suffix in (".arrow", ".feather"):
        import pyarrow.feather

        table = pyarrow.feather.read_table(path, memory_map=True)
        return _in_order(ray.data.from_arrow(table)), int(table.num_rows)
    if path.suffix == ".parquet" or path.is_dir():
        dataset = ray.data.read_parquet(str(path))
        return _in_order(dataset), int(dataset.count())
    raise ValueError(f"source must end in .parquet, .arrow, .feather or .npy, got {path}")


def as_matrix(column: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return a column of vectors as (n, dim); raises ValueError if their lengths differ."""
    if column.dtype != np.object_:
        return column
    lengths = {np.shape(row) for row in column}
    if len(lengths) != 1:
        raise ValueError(f"column {name!r} must hold vectors of one length, got {lengths}")
    return np.stack(list(column))


def _column(batch: dict[str, npt.NDArray[Any]], name: str) -> npt.NDArray[Any]:
    if name not in batch:
        raise ValueError(f"the source must have a column {name!r}, got {sorted(batch)}")
    return batch[name]


def _from_npy(path: Path, vectors: str) -> tuple[Dataset, int]:
    """Return rows of a .npy file, mapped by the tasks that read them, and their numbers."""
    import ray.data

    n_rows = len(np.load(path, mmap_mode="r", allow_pickle=False))

    def read(numbers: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        return {vectors: mapped[numbers["id"]], "row": numbers["id"]}

    blocks = max(1, -(-n_rows // _BLOCK_ROWS))
    numbers = ray.data.range(n_rows, override_num_blocks=blocks)
    return _in_order(numbers.map_batches(read, batch_size=_BLOCK_ROWS)), n_rows


def _in_order(dataset: Dataset) -> Dataset:
    dataset.context.execution_options.preserve_order = True
    dataset.context.enable_progress_bars = False  # ours says what is on the disk
    return dataset


@contextmanager
def progress_bar(wanted: bool, total: int | None) -> Iterator[Bar]:
    """Show a bar on stderr within the block, if that is a terminal and rich is installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        wanted = False

    class Silence:
        def done(self, rows: int) -> None:
            pass

    if not wanted or not sys.stderr.isatty():
        yield Silence()
        return
    columns = ("rows on disk", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("ingest", total=total)

        class Shown:
            def done(self, rows: int) -> None:
                bar.advance(task, rows)

        yield Shown()
