"""The rows of a sharded index: adding, replacing, removing and moving them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import ray

from fastfunnel import _core
from fastfunnel.arguments import Metric, as_ids, as_rows, check_magnitudes
from fastfunnel.distributed.cluster import Cluster
from fastfunnel.distributed.ingest import ingest
from fastfunnel.distributed.moving import finish_move
from fastfunnel.distributed.routing import by_home, homes
from fastfunnel.tuning import Tuned

if TYPE_CHECKING:
    from typing_extensions import Self

Ids = npt.NDArray[np.int64]


class ShardedRows:
    """What `ShardedIndex` does with rows, searches aside."""

    def __init__(self, cluster: Cluster) -> None:
        """Take over a cluster whose actors run; use `create` or `open`."""
        self._cluster = cluster
        self._tuned = Tuned.from_dict(cluster.catalog.tuned)
        self._closed = False
        self._next_id = 0
        self._must_count = False
        self._n_tuning = 0  # calls of `tune` under way
        self._count_rows()
        if cluster.catalog.is_moving:
            self._move()

    @property
    def dim(self) -> int:
        """Dims of the rows."""
        return self._cluster.catalog.dim

    @property
    def metric(self) -> Metric:
        """What scores are."""
        return self._cluster.catalog.metric

    @property
    def n_shards(self) -> int:
        """Number of shards."""
        return len(self._cluster)

    def add(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> _core.IdArray:
        """Add rows, as `Index.add` does; on the disk when it returns.

        Raises:
            TypeError, ValueError: as `Index.add`. Nothing has changed then.
            OSError: a shard could not write. ShardUnavailableError: none of its replicas answered.
        """
        rows = self._as_rows(vectors)
        given = None if ids is None else as_ids(ids, len(rows))
        with self._changes():
            if given is None:
                if self._next_id + len(rows) > 2**63:
                    raise ValueError(f"ids must be given, {len(rows)} more would pass 2^63 - 1")
                given = np.arange(self._next_id, self._next_id + len(rows), dtype=np.int64)
            self._change("add", rows, given)
        return given

    def upsert(self, vectors: npt.ArrayLike, ids: npt.ArrayLike) -> int:
        """Add rows in place of those with their ids; return how many were replaced.

        Raises as `add` does.
        """
        rows = self._as_rows(vectors)
        given = as_ids(ids, len(rows))
        with self._changes():
            return self._change("upsert", rows, given)

    def remove(self, ids: npt.ArrayLike) -> int:
        """Remove the rows with these ids; return how many there were. Raises as `add` does."""
        given = np.unique(as_ids(ids))
        with self._changes():
            return self._change("remove", None, given) if len(given) else 0

    def compact(self) -> int:
        """Free what removed and replaced rows hold; return how many those were."""
        with self._changes():
            every = {shard: () for shard in range(len(self._cluster))}
            freed: int = sum(self._cluster.change("compact", every).values())
            return freed

    def ingest(
        self,
        source: Any,
        vectors: str = "vectors",
        ids: str | None = None,
        *,
        batch_rows: int = 8192,
        in_flight: int = 4,
        progress: bool = True,
    ) -> int:
        """Add the rows of files or of a dataset, a batch at a time; return how many.

        Args:
            source: a path that every node can read: .parquet (a folder of them too), .arrow,
                .feather or .npy; a pyarrow.Table; a ray.data.Dataset.
            vectors: the column that holds them.
            ids: the column of ids, whose rows are then upserted, so that an interrupted ingestion
                may simply be run again; "row" of a .npy file. None adds rows under new ids, in
                the order of a file.
            batch_rows: rows of a change.
            in_flight: batches read ahead of the one that is being written.
            progress: show a bar if stderr is a terminal and rich is installed.

        Raises:
            TypeError, ValueError, FileNotFoundError: for another source or column.
            As `add`: batches before are on the disk then.
        """
        return ingest(self, source, vectors, ids, batch_rows, in_flight, progress)

    def add_shard(self) -> int:
        """Make one more shard and move its share of the rows to it; return how many moved.

        Searches and changes go on meanwhile. If this process is killed, `open` finishes it.

        Raises:
            ValueError: while another one is added or removed, or the index is tuned.
            OSError: if the system refuses. ShardUnavailableError: as `add`.
        """
        with self._changes():
            self._check_shards_may_change()
            self._cluster.add_shard()
        return self._move()

    def remove_shard(self) -> int:
        """Move the rows of the last shard to the others and remove it; return how many moved.

        Searches and changes go on meanwhile. If this process is killed, `open` finishes it. Keeps
        of tuned funnels grow as the rows of a shard do.

        Raises:
            ValueError: if there is one shard, and as `add_shard`.
            OSError, ShardUnavailableError: as `add`.
        """
        with self._changes():
            self._check_shards_may_change()
            n_shards = len(self._cluster)
            if n_shards == 1:
                raise ValueError("the only shard cannot be removed")
            tuned = self._tuned.for_share((n_shards - 1) / n_shards)
            self._cluster.write(
                is_moving=True, is_shrinking=True, next_id=self._next_id, tuned=tuned.to_dict()
            )
            self._tuned = tuned
        return self._move()

    def get(self, ids: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the rows with these ids as they were added, float32 (n, dim).

        Raises:
            IndexError: naming an id that is not in the index.
        """
        given = as_ids(ids)
        rows = np.empty((len(given), self.dim), np.float32)
        there = np.zeros(len(given), bool)
        with self._cluster.searches.running():
            shards, numbers = self._cluster.layout()
            for n_shards in numbers:
                parts = dict(by_home(homes(given, n_shards)))
                wanted = {shard: (np.unique(given[places]),) for shard, places in parts.items()}
                for shard, (found, values) in self._cluster.ask(
                    "rows", wanted, shards=shards
                ).items():
                    here = parts[shard][np.isin(given[parts[shard]], found)]
                    rows[here] = values[np.searchsorted(found, given[here])]
                    there[here] = True
        if not there.all():
            raise IndexError(f"id {given[~there][0]} is not in the index")
        return rows

    def close(self) -> None:
        """Close all shards and end their processes. Nothing is lost without it."""
        with self._cluster.changing:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._cluster.close()

    def __enter__(self) -> Self:
        """Return the index, to be closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the index."""
        self.close()

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._n_rows

    def __contains__(self, id: object) -> bool:
        """Return whether a row has this id."""
        if not isinstance(id, (int, np.integer)) or not 0 <= int(id) < 2**63:
            return False
        asked = np.array([int(id)], np.int64)
        with self._cluster.searches.running():
            shards, numbers = self._cluster.layout()
            return any(
                self._cluster.ask("check", {shard: (None, asked)}, shards=shards)[shard][0]
                for shard in {int(homes(asked, n)[0]): None for n in numbers}
            )

    @contextmanager
    def _changes(self) -> Iterator[None]:
        with self._cluster.changing:
            if self._closed:
                raise ValueError("the index is closed; open it anew to change it")
            if self._must_count:
                self._count_rows()
            self._must_count = True  # unless this ends well
            yield
            self._must_count = False

    def _check_shards_may_change(self) -> None:
        if self._cluster.catalog.is_moving:
            raise ValueError("a shard is being added or removed already")
        if self._n_tuning:
            raise ValueError("the index is being tuned; add or remove a shard when that is over")

    @contextmanager
    def _same_shards(self) -> Iterator[None]:
        """Let no shard come or go within the block: what is tuned is a keep for each of them."""
        with self._changes():
            if self._cluster.catalog.is_moving:
                raise ValueError("a shard is being added or removed; tune when that is over")
            self._n_tuning += 1
        try:
            yield
        finally:
            with self._cluster.changing:
                self._n_tuning -= 1

    def _change(self, kind: str, rows: npt.NDArray[Any] | None, ids: Ids) -> int:
        """Make a change at the shards of these ids; return how many there were before."""
        home, *earlier = (homes(ids, n) for n in self._cluster.layout()[1])
        parts = dict(by_home(home))
        told: dict[int, tuple[Any, Ids]] = {
            shard: (None if rows is None else ray.put(rows[places]), ids[places])
            for shard, places in parts.items()
        }
        there = np.zeros(len(ids), bool)
        for shard, found in self._cluster.ask("check", told).items():
            there[parts[shard]] = found
        stale = {}  # rows that have not moved yet are at an earlier home
        for old in earlier:
            for shard, places in by_home(old):
                places = places[old[places] != home[places]]
                if len(places):
                    [found] = self._cluster.ask("check", {shard: (None, ids[places])}).values()
                    there[places] |= found
                    stale[shard] = (ids[places[found]],)
        if kind == "add" and there.any():
            raise ValueError(f"ids must be new, {ids[there][0]} is in the index")
        wanted = told if rows is not None else {s: (given,) for s, (_, given) in told.items()}
        self._cluster.change(kind, wanted)
        stale = {shard: gone for shard, gone in stale.items() if len(gone[0])}
        if stale:
            self._cluster.searches.wait_for_earlier()
            self._cluster.change("remove", stale)
        self._next_id = max(self._next_id, int(ids.max()) + 1)
        n_there = int(there.sum())
        self._n_rows += -n_there if kind == "remove" else len(ids) - n_there
        return n_there

    def _move(self) -> int:
        moved = finish_move(self._cluster)
        with self._changes():
            self._count_rows()
        return moved

    def _count_rows(self) -> None:
        counts = self._cluster.ask_all("count").values()
        self._n_rows: int = sum(rows for rows, _ in counts)
        known = (self._next_id, self._cluster.catalog.next_id)
        self._next_id = max([*known, *(next_id for _, next_id in counts)])

    def _as_rows(self, vectors: npt.ArrayLike) -> npt.NDArray[Any]:
        rows = as_rows(vectors, "vectors", self.dim)
        if self.metric != "cosine":
            check_magnitudes(rows, "vectors", self.metric)
        return rows
