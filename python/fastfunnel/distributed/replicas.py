"""The actors of a shard: which of them may answer, and how one that was lost comes back."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from fastfunnel.distributed.shard import Shard

CHANGES = (
    "add",
    "upsert",
    "remove",
    "compact",
    "count",
    "create",
    "create_like",
    "drop_others",
    "erase",
    "take",
)
ANYWHERE = ""  # as an address
_READERS = 4  # calls that one actor answers at a time, beside one change
_OPTIONS: dict[str, Any] = {
    "num_cpus": 0,  # its threads are the core's; Ray's scheduler need not count them
    "max_restarts": -1,
    "concurrency_groups": {"changes": 1, "reads": _READERS},
}
_COPY_ROWS = 8192  # rows of a call when a replica catches up
_PING_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


class Replica:
    """An actor with one copy of a shard.

    shard, number: which shard, which of its replicas.
    in_step: it has every change that was acknowledged; only then may it answer.
    is_up: its last call came back.
    trouble: why it is not up, as far as that is known.
    is_retired: its shard was removed; nobody brings it back.
    """

    def __init__(self, shard: int, number: int, path: str, node: str, in_step: bool) -> None:
        """Start the actor, if its node is there."""
        self.shard = shard
        self.number = number
        self.in_step = in_step
        self.trouble = ""
        self.is_retired = False
        self.reviver: threading.Thread | None = None
        self._path = path
        self._node = node
        self._actor: Any = None
        self._placed_on: str | None = None
        self.start()
        self.is_up = self._actor is not None

    def start(self) -> None:
        """Start the actor, anew, on its node, which has its files; not if that is not there."""
        nodes = _nodes_at(self._node)
        if not nodes:
            return
        self._placed_on = min(nodes, key=lambda node: node == self._placed_on)  # rather another
        self.end()  # it may wait for a node that was lost
        place = {}
        if self._placed_on != ANYWHERE:
            strategy = NodeAffinitySchedulingStrategy(self._placed_on, soft=False)
            place = {"scheduling_strategy": strategy}
        self._actor = ray.remote(**_OPTIONS, **place)(Shard).remote(self._path)

    def move_to(self, node: str) -> None:
        """Belong to another node, with nothing that counts on it yet; its reviver starts it there."""
        self.in_step = self.is_up = False
        self.end()
        self._node, self._actor = node, None

    def has_its_node(self) -> bool:
        """Return whether the node that the actor was started on is the one at its address."""
        return _nodes_at(self._node) == [self._placed_on]

    def call(self, method: str, *arguments: Any) -> ray.ObjectRef[Any]:
        """Begin a call of a method of `Shard`; changes take their turns, in this order.

        Raises:
            RayActorError: its node is not there.
        """
        if self._actor is None:
            raise RayActorError(error_msg=f"{self} has no node: {self._node} is not there")
        group = "changes" if method in CHANGES else "reads"
        return getattr(self._actor, method).options(concurrency_group=group).remote(*arguments)

    def end(self) -> None:
        """End the process."""
        if self._actor is not None:
            ray.kill(self._actor, no_restart=True)

    def __str__(self) -> str:
        """Return its name."""
        return f"replica {self.number} of shard {self.shard}"


class ReplicaSet:
    """The replicas of one shard."""

    def __init__(self, replicas: list[Replica]) -> None:
        """Take turns from the first."""
        self.replicas = replicas
        self._turn = 0

    def for_reading(self, but: Sequence[Replica] = ()) -> Replica | None:
        """Return a replica that may answer, another each time; None if there is none but these."""
        ready = [one for one in self.replicas if one.in_step and one.is_up and one not in but]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else None

    def in_step(self) -> list[Replica]:
        """Return the replicas that must have every change."""
        return [one for one in self.replicas if one.in_step]


class Reviver:
    """Brings back replicas that were lost, each in a thread of its own.

    Args:
        changing: the lock that changes hold.
        record: called under it when a replica is in step again, to note that on the disk too.
    """

    def __init__(self, changing: threading.RLock, record: Callable[[Replica], None]) -> None:
        """Watch nobody yet."""
        self._changing = changing
        self._record = record
        self._closed = threading.Event()
        self._deciding = threading.Lock()

    def lost(self, replica: Replica, shard: ReplicaSet) -> None:
        """Let nobody ask the replica until it answers again and is in step."""
        with self._deciding:
            replica.is_up = False
            if replica.reviver is None and not (replica.is_retired or self._closed.is_set()):
                replica.reviver = threading.Thread(
                    target=self._revive, args=(replica, shard), daemon=True
                )
                replica.reviver.start()

    def close(self, shards: list[ReplicaSet]) -> None:
        """End all threads."""
        with self._deciding:
            self._closed.set()
            threads = [replica.reviver for shard in shards for replica in shard.replicas]
        for thread in threads:
            if thread is not None:
                thread.join()

    def _revive(self, replica: Replica, shard: ReplicaSet) -> None:
        pause = _FIRST_PAUSE_S
        while not (self._closed.wait(pause) or replica.is_retired):
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            try:
                if not self._is_back(replica, shard):
                    continue
            # Whatever ails it, a replica that does not come back is out of step, not wrong.
            except (RayError, OSError, ValueError) as error:
                reason = getattr(error, "cause", None) or error
                replica.trouble = str(reason) or type(reason).__name__
                if isinstance(error, ActorDiedError) or not replica.has_its_node():
                    replica.start()  # Ray does not, where the node was lost; it may be back
                continue
            with self._deciding:
                if replica.in_step:  # it may have missed another change by now
                    replica.is_up, replica.reviver, replica.trouble = True, None, ""
                    return

    def _is_back(self, replica: Replica, shard: ReplicaSet) -> bool:
        self._wait(replica.call("ping"), _PING_S)
        if not replica.in_step and not self._caught_up(replica, shard):
            return False
        self._wait(replica.call("state"))
        return True

    def _caught_up(self, replica: Replica, shard: ReplicaSet) -> bool:
        """Copy what differs: most of it while changes go on, the rest while they wait."""
        source = shard.for_reading()
        if source is None:
            return False
        self._wait(replica.call("create_like", *self._wait(source.call("description")).values()))
        self._copy(source, replica)
        with self._changing:
            if replica.is_retired:
                return False
            self._wait(source.call("count"))  # after what nobody waited for
            self._copy(source, replica)
            self._record(replica)
        return True

    def _copy(self, source: Replica, replica: Replica) -> None:
        wanted = self._wait(replica.call("drop_others", source.call("digests")))
        for first in range(0, len(wanted), _COPY_ROWS):
            some = wanted[first : first + _COPY_ROWS]
            self._wait(replica.call("take", source.call("stored", some)))

    def _wait(self, reference: ray.ObjectRef[Any], timeout_s: float = math.inf) -> Any:
        end = time.monotonic() + timeout_s
        while not ray.wait([reference], timeout=min(0.5, timeout_s))[0]:
            if self._closed.is_set() or time.monotonic() > end:
                raise TimeoutError
        return ray.get(reference)


def _nodes_at(address: str) -> list[str]:
    """Return what Ray calls the nodes at an address.

    One that was killed counts as alive until its heartbeats are missed, beside its successor.
    """
    if address == ANYWHERE:
        return [ANYWHERE]
    nodes = [node for node in ray.nodes() if node["NodeManagerAddress"] == address]
    return [str(node["NodeID"]) for node in nodes if node["Alive"]]
