"""One question to many shards at once, each answered by any of its replicas."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from fastfunnel.distributed.latencies import Hedge
from fastfunnel.distributed.losses import PAUSE_S, is_hopeless, loss, unavailable
from fastfunnel.distributed.replicas import Replica, ReplicaSet, Reviver

Arguments = Mapping[int, tuple[Any, ...]]  # by shard


@dataclass(frozen=True)
class _Call:
    shard: int
    replica: Replica
    sent: float


def ask(
    shards: list[ReplicaSet],
    reviver: Reviver,
    method: str,
    arguments: Arguments,
    patience_s: float,
    deadline_s: float | None = None,
    hedge: Hedge | None = None,
) -> dict[int, Any]:
    """Return what shards answer, asking another replica, or the restarted one, where one is lost.

    Args:
        shards: all there are.
        reviver: is told of lost replicas.
        method: of `Shard`.
        arguments: for each shard that is asked.
        patience_s: seconds that a shard without any replica has for one to come back.
        deadline_s: seconds after which answers that did not come are left out; None waits.
        hedge: says when an answer is late, so that another replica is asked too and the first
            answer counts; None never.

    Raises:
        ShardUnavailableError: naming a shard without a replica.
        Exception: what the method raised.
    """
    return _Asking(shards, reviver, method, arguments, patience_s, deadline_s, hedge).answers()


class _Asking:
    """One question on its way."""

    def __init__(
        self,
        shards: list[ReplicaSet],
        reviver: Reviver,
        method: str,
        arguments: Arguments,
        patience_s: float,
        deadline_s: float | None,
        hedge: Hedge | None,
    ) -> None:
        self._shards = shards
        self._reviver = reviver
        self._method = method
        self._arguments = arguments
        self._patience_s = patience_s
        self._hedge = hedge
        self._late_s = None if hedge is None else hedge.late_s
        self._start = time.monotonic()
        self._end = None if deadline_s is None else self._start + deadline_s
        self._unasked = list(arguments)
        self._calls: dict[Any, _Call] = {}  # under way, by reference
        self._hedgeable: dict[int, float] = {}  # when the one call to a shard will be late
        self._lone_since: dict[int, float] = {}
        self._reasons: dict[int, str] = {}
        self._found: dict[int, Any] = {}

    def answers(self) -> dict[int, Any]:
        """Return what there is when all have answered, or at the deadline."""
        while len(self._found) < len(self._arguments):
            now = time.monotonic()
            if self._end is not None and now >= self._end:
                break
            self._ask_the_unasked(now)
            self._ask_late_ones_twice(now)
            pause = self._pause(time.monotonic())
            if not self._calls:
                time.sleep(pause or 0)
                continue
            for reference in ray.wait(list(self._calls), timeout=pause)[0]:
                self._take(reference)
        for late in self._calls:
            ray.cancel(late)  # where it has not begun
        return self._found

    def _ask_the_unasked(self, now: float) -> None:
        waiting = []
        for shard in self._unasked:
            replica = self._shards[shard].for_reading()
            if replica is not None:
                self._send(shard, replica)
                self._lone_since.pop(shard, None)
                if self._late_s is not None:
                    self._hedgeable[shard] = now + self._late_s
                continue
            if now - self._lone_since.setdefault(shard, now) > self._patience_s:
                raise unavailable(shard, self._patience_s, self._reasons.get(shard, ""))
            waiting.append(shard)
        self._unasked = waiting

    def _ask_late_ones_twice(self, now: float) -> None:
        for shard in [shard for shard, late in self._hedgeable.items() if late <= now]:
            del self._hedgeable[shard]
            asked = [call.replica for call in self._calls.values() if call.shard == shard]
            other = self._shards[shard].for_reading(but=asked)
            if other is not None and self._hedge is not None:
                self._send(shard, other)
                self._hedge.sent()

    def _send(self, shard: int, replica: Replica) -> None:
        reference = replica.call(self._method, *self._arguments[shard])
        self._calls[reference] = _Call(shard, replica, time.monotonic())

    def _pause(self, now: float) -> float | None:
        """Return seconds until there is something to do besides taking answers."""
        ends = [self._end, *self._hedgeable.values()]
        if self._unasked:
            ends.append(now + PAUSE_S)
        known = [end for end in ends if end is not None]
        return max(0.0, min(known) - now) if known else None

    def _take(self, reference: Any) -> None:
        """Take an answer, or go on without the replica that was lost."""
        call = self._calls.pop(reference, None)
        if call is None:  # another replica's answer came at the same time
            return
        shard = call.shard
        rivals = [other for other, each in self._calls.items() if each.shard == shard]
        try:
            self._found[shard] = ray.get(reference)
        except (RayActorError, RayTaskError) as error:
            reason = loss(error)
            if reason is None or is_hopeless(error, self._shards[shard]):
                raise error.cause from None
            self._reviver.lost(call.replica, self._shards[shard])
            if not rivals:
                self._hedgeable.pop(shard, None)
                self._unasked.append(shard)
                self._reasons[shard] = reason
            return
        if self._hedge is not None:
            self._hedge.took(time.monotonic() - call.sent)
        self._hedgeable.pop(shard, None)
        for rival in rivals:
            del self._calls[rival]
            ray.cancel(rival)  # where it has not begun
