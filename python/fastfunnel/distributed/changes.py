"""One change at many shards at once, at every replica of each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from fastfunnel.distributed.losses import PAUSE_S, is_hopeless, loss, unavailable
from fastfunnel.distributed.questions import Arguments
from fastfunnel.distributed.replicas import Replica, ReplicaSet, Reviver


@dataclass(eq=False)
class Change:
    """A change that is to be made at every replica in step of some shards.

    A replica that is lost while another one made the change falls behind. Where all are lost, the
    change is made again when one is back: every change may be made twice.

    Args:
        shards, reviver, method, arguments, patience_s: as of a `Question`; the method's last
            argument, whether this is a repetition, is added.
        fall_behind: called before the change is acknowledged without a replica, to put on the
            disk that it is not in step.
    """

    shards: list[ReplicaSet]
    reviver: Reviver
    method: str
    arguments: Arguments
    patience_s: float
    fall_behind: Callable[[Replica], None]

    def __post_init__(self) -> None:
        """Know who must make it."""
        self._unmade = {shard: self.shards[shard].in_step() for shard in self.arguments}
        self._done: dict[int, Any] = {}
        self._refused: dict[int, BaseException] = {}

    def make(self) -> dict[int, Any]:
        """Make the change; return what one replica of each shard says.

        Raises:
            ShardUnavailableError: naming a shard without a replica; the change may be there or not.
            Exception: what the method raised at every replica of a shard, which then has not
                changed.
        """
        start = time.monotonic()
        try:
            self._attempt(again=False)
            while self._unmade:
                if time.monotonic() - start > self.patience_s:
                    lacking = min(self._unmade)
                    raise unavailable(lacking, self.patience_s, "; the change may have been made")
                time.sleep(PAUSE_S)
                self._attempt(again=True)
        except BaseException:
            # Whoever was not waited for may have made it or not: replicas must be compared.
            for shard, replicas in self._unmade.items():
                self._leave_behind(shard, replicas[1:])
            raise
        failed = self._refused.keys() - self._done.keys()
        if failed:
            raise self._refused[min(failed)] from None
        return self._done

    def _attempt(self, again: bool) -> None:
        """Ask all replicas where it is unmade; what leaves `_unmade` was made, or refused by all."""
        begun, lost, refusing = [], defaultdict(list), defaultdict(list)
        for shard, replicas in self._unmade.items():
            for replica in replicas:
                try:
                    call = replica.call(self.method, *self.arguments[shard], again)
                    begun.append((shard, replica, call))
                except RayActorError:
                    lost[shard].append(replica)
        for shard, replica, reference in begun:
            try:
                self._done[shard] = ray.get(reference)
            except (RayActorError, RayTaskError) as error:
                if loss(error) is not None and not is_hopeless(error, self.shards[shard]):
                    self.reviver.lost(replica, self.shards[shard])
                    lost[shard].append(replica)
                else:
                    refusing[shard].append(replica)
                    self._refused[shard] = error.cause
        for shard in list(self._unmade):
            if shard in self._done:
                self._leave_behind(shard, lost[shard] + refusing[shard])
                del self._unmade[shard]
            elif not lost[shard]:
                del self._unmade[shard]

    def _leave_behind(self, shard: int, replicas: list[Replica]) -> None:
        for replica in replicas:
            self.fall_behind(replica)
            self.reviver.lost(replica, self.shards[shard])
