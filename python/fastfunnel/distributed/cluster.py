"""All shards of a sharded index: their actors, their catalog, and calls to them."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import ray

from fastfunnel.distributed.catalog import Catalog, replica_path, write_catalog
from fastfunnel.distributed.changes import Change
from fastfunnel.distributed.latencies import Hedge, Latencies
from fastfunnel.distributed.losses import ShardUnavailableError
from fastfunnel.distributed.placing import alive_nodes, placed, without
from fastfunnel.distributed.questions import Arguments, Question
from fastfunnel.distributed.replicas import ANYWHERE, Replica, ReplicaSet, Reviver
from fastfunnel.distributed.searches import Searches
from fastfunnel.storage.lock import WriterLock

_NO_ROWS = (np.empty(0, np.int64), np.empty(0, np.uint64))


class Cluster:
    """The actors of a sharded index, held by the one process that has it open.

    Args:
        directory: of the catalog and, on each node, of its replicas.
        catalog: what it says.
        lock: of the directory.
        patience_s: seconds that a shard without any replica has for one to come back.
    """

    def __init__(
        self, directory: Path, catalog: Catalog, lock: WriterLock, patience_s: float
    ) -> None:
        """Start an actor for every replica."""
        self.directory = directory
        self.catalog = catalog
        self.patience_s = patience_s
        self.changing = threading.RLock()  # one change after another, as in one index
        self.searches = Searches()
        self.latencies = Latencies()
        self._lock = lock
        self._reviver = Reviver(self.changing, lambda replica: self._record(replica, True))
        # The only node of a cluster may have another address than yesterday.
        addresses = {node for nodes in catalog.nodes for node in nodes}
        self._anywhere = len(addresses) == 1 and len(alive_nodes()) == 1
        self.shards: list[ReplicaSet] = []
        for shard in range(catalog.n_shards):
            self.shards.append(self._start(shard))

    def __len__(self) -> int:
        """Return the number of shards."""
        return len(self.shards)

    def layout(self) -> tuple[list[ReplicaSet], list[int]]:
        """Return the shards, and the numbers of shards by which rows may be placed.

        While some move, that is two, where they go before where they come from. The shards change
        while the catalog says that rows move; so between two looks at the same catalog they may be
        one more or one less, and one place too many is looked at, never one too few.
        """
        while True:
            catalog, shards = self.catalog, self.shards
            if self.catalog is catalog:
                break
        n = len(shards)
        if not catalog.is_moving:
            return shards, [n]
        return shards, [n - 1, n] if catalog.is_shrinking else [n, n - 1]

    def ask(
        self,
        method: str,
        arguments: Arguments,
        deadline_s: float | None = None,
        hedge: Hedge | None = None,
        shards: list[ReplicaSet] | None = None,
    ) -> dict[int, Any]:
        """Return what shards answer; see `Question`.

        Who does not hold `changing` gives the `shards` that were there when it chose whom to ask.
        """
        among = self.shards if shards is None else shards
        if arguments and max(arguments) >= len(among):
            raise ShardUnavailableError(f"shard {max(arguments)} was removed meanwhile")
        question = Question(
            among, self._reviver, method, arguments, self.patience_s, deadline_s, hedge
        )
        return question.answers()

    def ask_all(self, method: str, *arguments: Any) -> dict[int, Any]:
        """Return what every shard answers to the same arguments."""
        return self.ask(method, {shard: arguments for shard in range(len(self))})

    def change(self, method: str, arguments: Arguments) -> dict[int, Any]:
        """Make a change; see `Change`. The caller holds `changing`."""
        return Change(
            self.shards,
            self._reviver,
            method,
            arguments,
            self.patience_s,
            fall_behind=lambda replica: self._record(replica, False),
        ).make()

    def write(self, **fields: Any) -> None:
        """Change fields of the catalog, on the disk when this returns."""
        catalog = replace(self.catalog, **fields)
        write_catalog(self.directory, catalog)
        self.catalog = catalog

    def make(self, description: dict[str, Any]) -> None:
        """Make the files of all shards. Raises as `Index.create`."""
        options = {name: value for name, value in description.items() if name != "dim"}
        _results(
            [
                replica.call("create", description["dim"], options)
                for shard in self.shards
                for replica in shard.replicas
            ]
        )

    def add_shard(self) -> int:
        """Make an empty shard, and let the catalog say that rows are moving to it."""
        new, before = len(self), self.catalog
        grown: dict[str, Any] = {
            "n_shards": new + 1,
            "nodes": (*before.nodes, placed(new, before.replication)),
            "in_step": (*before.in_step, (True,) * before.replication),
        }
        self.catalog = replace(before, **grown)
        replicas = self._start(new)
        try:
            # One that a killed process left is as empty: no row moves before the catalog knows it.
            description = self.ask("description", {0: ()})[0]
            _results([one.call("create_like", *description.values()) for one in replicas.replicas])
            # One that was removed while a replica was away left rows there.
            _results([one.call("drop_others", _NO_ROWS) for one in replicas.replicas])
            self.write(is_moving=True)
        except BaseException:
            self.catalog = before
            for replica in replicas.replicas:
                replica.end()
            raise
        self.shards = [*self.shards, replicas]  # whoever asks goes on with those it knows
        return new

    def drop_last_shard(self) -> None:
        """Go on without the last shard, which has no row left. The caller holds `changing`."""
        gone, before = self.shards[-1], self.catalog
        self.shards = self.shards[:-1]  # before the catalog: see layout
        try:
            self.write(
                n_shards=len(self.shards),
                nodes=before.nodes[:-1],
                in_step=before.in_step[:-1],
                is_moving=False,
                is_shrinking=False,
            )
        except BaseException:
            self.shards = [*self.shards, gone]
            raise
        for replica in gone.replicas:
            replica.is_retired = True
        self.searches.wait_for_earlier()
        erasing = [replica.call("erase") for replica in gone.replicas if replica.is_up]
        if erasing:
            ray.wait(erasing, num_returns=len(erasing), timeout=self.patience_s)
        for replica in gone.replicas:
            replica.end()

    def replace_node(self, address: str) -> int:
        """Let other nodes take the replicas of one; return how many. The caller holds `changing`."""
        before = self.catalog
        nodes = without(before.nodes, address, alive_nodes())
        moving = [
            replica
            for shard, old, new in zip(self.shards, before.nodes, nodes, strict=True)
            for replica in shard.replicas
            if old[replica.number] != new[replica.number]
        ]
        steps = [list(steps) for steps in before.in_step]
        for replica in moving:
            steps[replica.shard][replica.number] = False
        for shard, left in enumerate(steps):
            if not any(left):
                raise ValueError(f"shard {shard} has no other replica that is in step")
        self.write(nodes=nodes, in_step=tuple(map(tuple, steps)))
        for replica in moving:
            replica.move_to(nodes[replica.shard][replica.number])
            self._reviver.lost(replica, self.shards[replica.shard])
        return len(moving)

    def check_replicas(self) -> None:
        """Bring replicas together after a kill: each shard's first one in step is what counts.

        Acknowledged changes are at all of them, so they differ in what was not acknowledged.
        """
        for shard in self.shards:
            for replica in shard.in_step()[1:]:
                self._record(replica, False)

    def revive(self) -> None:
        """Begin to bring back all replicas that are out of step or down."""
        for shard in self.shards:
            for replica in shard.replicas:
                if not (replica.in_step and replica.is_up):
                    self._reviver.lost(replica, shard)

    def states(self) -> list[list[dict[str, Any]]]:
        """Return the state of each replica of each shard; of one that is down, where it should be."""
        places = zip(self.shards, self.catalog.nodes)  # noqa: B905 - one may be on its way
        return [self._states(shard, nodes) for shard, nodes in places]

    def _states(self, shard: ReplicaSet, nodes: tuple[str, ...]) -> list[dict[str, Any]]:
        states = []
        for replica, node in zip(shard.replicas, nodes, strict=True):
            state: dict[str, Any] = {"in_step": replica.in_step, "is_up": replica.is_up}
            state["node"] = node
            if replica.trouble:
                state["trouble"] = replica.trouble
            if replica.is_up:
                with contextlib.suppress(ray.exceptions.RayError):
                    state |= ray.get(replica.call("state"), timeout=self.patience_s)
            states.append(state)
        return states

    def close(self) -> None:
        """Close every replica's files and end its process."""
        self._reviver.close(self.shards)
        replicas = [replica for shard in self.shards for replica in shard.replicas]
        closing = [replica.call("close") for replica in replicas if replica.is_up]
        if closing:
            ray.wait(closing, num_returns=len(closing), timeout=self.patience_s)
        self.write(is_open=False)  # no change is under way, so those in step are alike
        self.end()

    def end(self) -> None:
        """End every process."""
        self._reviver.close(self.shards)
        for shard in self.shards:
            for replica in shard.replicas:
                replica.end()
        self._lock.release()

    def _record(self, replica: Replica, in_step: bool) -> None:
        catalog = self.catalog.with_step(replica.shard, replica.number, in_step)
        self.write(in_step=catalog.in_step)
        replica.in_step = in_step

    def _start(self, shard: int) -> ReplicaSet:
        return ReplicaSet(
            [
                Replica(
                    shard,
                    number,
                    str(replica_path(self.directory, shard, number)),
                    ANYWHERE if self._anywhere else node,
                    step,
                )
                for number, (node, step) in enumerate(
                    zip(self.catalog.nodes[shard], self.catalog.in_step[shard], strict=True)
                )
            ]
        )


def _results(references: list[Any]) -> None:
    """Wait for calls; raises what the first that failed raised."""
    try:
        ray.get(references)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
