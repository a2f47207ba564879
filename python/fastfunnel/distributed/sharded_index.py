"""An index in shards, each in an actor of Ray."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy.typing as npt

from fastfunnel.arguments import (
    Metric,
    as_count,
    as_filter,
    as_isa,
    as_queries,
    as_score,
    as_threads,
)
from fastfunnel.distributed.merging import ShardedResult, merge
from fastfunnel.distributed.opening import create, open_cluster
from fastfunnel.distributed.request import Request
from fastfunnel.distributed.sharded_rows import ShardedRows
from fastfunnel.distributed.tuning import ShardsTarget
from fastfunnel.funnel import Funnel
from fastfunnel.model import Model
from fastfunnel.search import as_funnel
from fastfunnel.tuning import TuningReport
from fastfunnel.tuning.cost import Objective
from fastfunnel.tuning.tuner import tune

PATIENCE_S = 60.0


class ShardedIndex(ShardedRows):
    """Rows spread by their ids over live indexes, each in a process of its own, on any machines.

    Made by `create` or `open`. Answers are those of one index with all the rows. One process has
    it open; within it any thread may use it. Changes wait for each other, searches do not.

    What a change returned from is on the disk of every replica that is in step; which those are
    is on the disk too. An error that names a shard leaves other shards changed; `upsert` and
    `remove` may then simply be called again.
    """

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        dim: int,
        *,
        shards: int,
        replication: int = 1,
        model: str | Model | None = None,
        metric: Metric = "cosine",
        rotation: npt.ArrayLike | None = None,
        patience_s: float = PATIENCE_S,
    ) -> ShardedIndex:
        """Make an empty sharded index, on the cluster that Ray is connected to.

        Without a connection Ray starts a cluster on this machine; `ray.init(address=...)` before
        joins another one.

        Args:
            path: a directory that does not exist (its parent must) or is empty. The catalog is
                there on this machine; every node has its replicas at the same path.
            dim, model, metric, rotation: as for `Index`.
            shards: live indexes to spread rows over; `add_shard` adds more.
            replication: processes, on different nodes where there are, that hold each shard.
            patience_s: seconds that a shard without any replica has for one to come back, before
                calls raise ShardUnavailableError.

        Raises:
            TypeError, ValueError, FileExistsError, OSError: as `Index.create`.
        """
        return cls(create(path, dim, shards, replication, patience_s, model, metric, rotation))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, patience_s: float = PATIENCE_S) -> ShardedIndex:
        """Open a sharded index, whatever ended the process that had it open.

        Actors start on the nodes that have their files, by the addresses of these; an index that
        was on one node starts on the one of another cluster, whatever its address. If the last
        process was killed, replicas are compared row by row with the first of their shard, which
        answers at once, before they do.

        Raises:
            FileNotFoundError: if there is none at `path`.
            ValueError, OSError: naming the file that is damaged.
            BlockingIOError: if another process has it open.
            ShardUnavailableError: no replica of a shard could be reached.
        """
        return cls(open_cluster(path, patience_s))

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        funnel: Funnel | None = None,
        exact: bool = False,
        recall: float | None = None,
        filter: npt.ArrayLike | None = None,
        min_score: float | None = None,
        threads: int | None = None,
        isa: str | None = None,
        deadline_s: float | None = None,
        partial: bool = False,
        hedge: float | None = 0.95,
    ) -> ShardedResult:
        """Return the top k rows of all shards, as `Index.search` does.

        Every shard runs the same funnel over its own rows, so that each stage keeps so many rows
        a shard; the funnels that `tune` found are meant so. A shard whose process dies is asked
        again, at another replica or when it is back.

        Args:
            queries, k, funnel, exact, recall, min_score, threads, isa: as for `Index.search`;
                threads are those of each shard. Without a funnel and without tuning each shard
                chooses one by its own rows.
            filter: ids of the rows that may answer, None for all. No bools: rows here have no
                order.
            deadline_s: seconds to wait for shards; None waits for all.
            partial: at the deadline, return what there is, with the missing shards in
                `result.missing`; False raises TimeoutError instead.
            hedge: where shards have replicas, ask a second one if the first is slower than this
                share of the last searches like this one (as many queries, the same funnel) was,
                and take what comes first. At 0.95 that is one call in twenty. None never.

        Returns:
            ShardedResult: ids and scores as from `Index.search`, and `missing`.

        Raises:
            TypeError, ValueError: as `Index.search`.
            TimeoutError: naming the shards that had not answered.
            ShardUnavailableError: no replica of a shard came back in time.
        """
        found = as_queries(queries, self.dim, metric=self.metric)
        k = as_count(k, "k")
        if sum((funnel is not None, bool(exact), recall is not None)) > 1:
            raise ValueError("give at most one of funnel, exact=True and recall")
        if recall is not None or (funnel is None and not exact and self._tuned.decide(k)):
            funnel = self._tuned.funnel(k, recall, len(self))
            exact = funnel is None
        chosen = None if funnel is None else as_funnel(funnel)
        if deadline_s is not None and not deadline_s > 0:
            raise ValueError(f"deadline_s must be None or above 0, got {deadline_s!r}")
        if hedge is not None and not 0 < hedge < 1:
            raise ValueError(f"hedge must be None or between 0 and 1, got {hedge!r}")
        allowed = as_filter(filter)
        if allowed.flags is not None:
            raise TypeError("filter must be ids here: rows of a sharded index have no order")
        options = {
            "min_score": as_score(min_score, "min_score"),
            "threads": None if threads is None else as_threads(threads),
            "isa": as_isa(isa),
        }
        request = Request(found, k, chosen, bool(exact), allowed.ids, options)
        kind = (len(found).bit_length(), k, str(chosen), bool(exact), allowed.ids is None)
        no_other = self._cluster.catalog.replication == 1
        late = None if no_other else self._cluster.latencies.of(kind, hedge)
        with self._cluster.searches.running():
            shards = self._cluster.shards  # one that is added now has no row of its own yet
            asked = range(len(shards))
            answers = self._cluster.ask(
                "search", dict.fromkeys(asked, request.packed()), deadline_s, late, shards
            )
        missing = sorted(set(asked) - answers.keys())
        if missing and not partial:
            raise TimeoutError(f"shards {missing} did not answer within {deadline_s:g} seconds")
        return ShardedResult(*merge(list(answers.values()), len(found), k), missing)

    def tune(
        self,
        sample_queries: npt.ArrayLike | None = None,
        k: int = 10,
        recall: float = 0.99,
        budget_s: float = 30.0,
        objective: Objective = "latency",
        seed: int = 0,
        progress: bool = True,
        *,
        confidence: float = 0.99,
    ) -> TuningReport:
        """Find the cheapest funnel that reaches a recall of the merged answers; use it from now on.

        As `Index.tune`, with the same arguments, report and errors. Truth is the exact top k of
        all shards, recall is checked on answers merged from all shards, and the promise is about
        those. Times are those of the largest shard alone: shards work at once.

        Raises:
            ValueError: while a shard is being added or removed. Neither can begin meanwhile.
        """
        with self._same_shards():
            target = ShardsTarget(self)
            report = tune(
                target, sample_queries, k, recall, budget_s, objective, seed, progress, confidence
            )
            with self._changes():
                self._tuned = self._tuned.with_front(report.front)
                self._cluster.write(tuned=self._tuned.to_dict())
        return report

    def info(self) -> dict[str, Any]:
        """Return rows, shards, and of every replica its state, process, machine and bytes.

        "hedged" counts the calls that were asked of a second replica, as the first was late.
        """
        shards = [
            {"shard": number, "replicas": replicas}
            for number, replicas in enumerate(self._cluster.states())
        ]
        return {
            "path": os.fspath(self._cluster.directory),
            "rows": len(self),
            "dim": self.dim,
            "metric": self.metric,
            "replication": self._cluster.catalog.replication,
            "is_moving": self._cluster.catalog.is_moving,
            "hedged": self._cluster.latencies.hedged,
            "shards": shards,
        }

    def replace_node(self, address: str) -> int:
        """Give up a node: others take its replicas and copy them from those in step.

        For a node that does not come back, or is to go. Searches and changes go on meanwhile;
        `wait_until_in_step` returns when all rows are copied.

        Args:
            address: of the node, as in `info()`.

        Returns:
            Replicas that are on their way to other nodes, each to the one with the fewest.

        Raises:
            ValueError: no replica is there; no node without a replica of that shard is left; a
                shard has no other replica that is in step. Nothing has changed then.
        """
        with self._changes():
            return self._cluster.replace_node(address)

    def wait_until_in_step(self, timeout_s: float = PATIENCE_S) -> bool:
        """Return when every replica answers and has every change; False if time is out before."""
        end = time.monotonic() + timeout_s
        while not all(
            replica.is_up and replica.in_step
            for shard in self._cluster.shards
            for replica in shard.replicas
        ):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def __repr__(self) -> str:
        """Return what the index holds."""
        return (
            f"<fastfunnel.distributed.ShardedIndex: {len(self)} rows of {self.dim} dims in "
            f"{len(self._cluster)} shards, {self.metric}>"
        )
