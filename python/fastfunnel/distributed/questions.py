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


@dataclass(eq=False)
class Question:
    """A question that is put to many shards.

    Another replica is asked, or the restarted one, where one is lost. Calls whose answers came too
    late are left to themselves, not cancelled: the actor of a call that was cancelled before it
    began (Ray 2.60) waits 30 seconds for that call's number, then drops all that came after it.

    Args:
        shards: all there are.
        reviver: is told of lost replicas.
        method: of `Shard`.
        arguments: for each shard that is asked.
        patience_s: seconds that a shard without any replica has for one to come back.
        deadline_s: seconds after which answers that did not come are left out; None waits.
        hedge: says when an answer is late, so that another replica is asked too and the first
            answer counts; None never.
    """

    shards: list[ReplicaSet]
    reviver: Reviver
    method: str
    arguments: Arguments
    patience_s: float
    deadline_s: float | None = None
    hedge: Hedge | None = None

    def __post_init__(self) -> None:
        """Ask nobody yet."""
        self._late_s = None if self.hedge is None else self.hedge.late_s
        self._end = None if self.deadline_s is None else time.monotonic() + self.deadline_s
        self._unasked = list(self.arguments)
        self._calls: dict[Any, _Call] = {}  # under way, by reference
        self._hedgeable: dict[int, float] = {}  # when the one call to a shard will be late
        self._lone_since: dict[int, float] = {}
        self._reasons: dict[int, str] = {}
        self._found: dict[int, Any] = {}

    def answers(self) -> dict[int, Any]:
        """Return what there is when all have answered, or at the deadline.

        Raises:
            ShardUnavailableError: naming a shard without a replica.
            Exception: what the method raised.
        """
        while len(self._found) < len(self.arguments):
            now = time.monotonic()
            if self._end is not None and now >= self._end:
                break
            self._ask_the_unasked(now)
            self._ask_late_ones_twice(now)
            pause = self._pause(time.monotonic())
            if not self._calls:
                time.sleep(pause or 0)
                continue
            waiting = list(self._calls)
            # All at once is cheaper; one by one tells the time of each.
            several = len(waiting) if self.hedge is None else 1
            self._take(ray.wait(waiting, num_returns=several, timeout=pause)[0])
        return self._found

    def _ask_the_unasked(self, now: float) -> None:
        waiting = []
        for shard in self._unasked:
            replica = self.shards[shard].for_reading()
            if replica is not None and self._send(shard, replica):
                self._lone_since.pop(shard, None)
                if self._late_s is not None:
                    self._hedgeable[shard] = now + self._late_s
                continue
            if now - self._lone_since.setdefault(shard, now) > self.patience_s:
                raise unavailable(shard, self.patience_s, self._reasons.get(shard, ""))
            waiting.append(shard)
        self._unasked = waiting

    def _ask_late_ones_twice(self, now: float) -> None:
        for shard in [shard for shard, late in self._hedgeable.items() if late <= now]:
            asked = [call.replica for call in self._calls.values() if call.shard == shard]
            other = self.shards[shard].for_reading(but=asked)
            if other is None or self.hedge is None or not self._send(shard, other):
                self._hedgeable[shard] = now + PAUSE_S  # one that was lost may be back by then
                continue
            del self._hedgeable[shard]
            self.hedge.sent()

    def _send(self, shard: int, replica: Replica) -> bool:
        """Ask a replica; return whether it could be asked."""
        try:
            reference = replica.call(self.method, *self.arguments[shard])
        except RayActorError:  # it was given to another node since it was chosen
            self.reviver.lost(replica, self.shards[shard])
            return False
        self._calls[reference] = _Call(shard, replica, time.monotonic())
        return True

    def _pause(self, now: float) -> float | None:
        """Return seconds until there is something to do besides taking answers."""
        ends = [self._end, *self._hedgeable.values()]
        if self._unasked or self.hedge is None:  # one of many that are waited for may be lost
            ends.append(now + PAUSE_S)
        known = [end for end in ends if end is not None]
        return max(0.0, min(known) - now) if known else None

    def _take(self, references: list[Any]) -> None:
        """Take answers, all at once unless there is an error among them."""
        try:
            answers = ray.get(references)
        except (RayActorError, RayTaskError):
            for reference in references:
                self._take_one(reference)
        else:
            for reference, answer in zip(references, answers, strict=True):
                self._answered(reference, answer)

    def _take_one(self, reference: Any) -> None:
        """Take an answer, or go on without the replica that was lost."""
        try:
            answer = ray.get(reference)
        except (RayActorError, RayTaskError) as error:
            call = self._calls.pop(reference)
            shard, reason = call.shard, loss(error)
            if reason is None or is_hopeless(error, self.shards[shard]):
                raise error.cause from None
            self.reviver.lost(call.replica, self.shards[shard])
            if self._rivals(shard):
                self._hedgeable[shard] = time.monotonic()  # what is left is late already
            else:
                self._hedgeable.pop(shard, None)
                self._unasked.append(shard)
                self._reasons[shard] = reason
        else:
            self._answered(reference, answer)

    def _answered(self, reference: Any, answer: Any) -> None:
        call = self._calls.pop(reference)
        self._found[call.shard] = answer
        if self.hedge is not None:
            self.hedge.took(time.monotonic() - call.sent)
            self._hedgeable.pop(call.shard, None)
            for rival in self._rivals(call.shard):
                del self._calls[rival]

    def _rivals(self, shard: int) -> list[Any]:
        """Return calls to other replicas of a shard."""
        return [other for other, call in self._calls.items() if call.shard == shard]
