"""One change at many shards at once, at every replica of each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError

from fastfunnel.distributed.losses import PAUSE_S, is_hopeless, loss, unavailable
from fastfunnel.distributed.questions import Arguments
from fastfunnel.distributed.replicas import Replica, ReplicaSet, Reviver


def change(
    shards: list[ReplicaSet],
    reviver: Reviver,
    method: str,
    arguments: Arguments,
    patience_s: float,
    fall_behind: Callable[[Replica], None],
) -> dict[int, Any]:
    """Make a change at every replica of these shards that is in step; return what one of each says.

    A replica that is lost while another one made the change falls behind. Where all are lost, the
    change is made again when one is back: every change may be made twice.

    Args:
        shards, reviver, method, arguments, patience_s: as for `ask`; the method's last argument,
            whether this is a repetition, is added.
        fall_behind: called before the change is acknowledged without a replica, to put on the
            disk that it is not in step.

    Raises:
        ShardUnavailableError: naming a shard without a replica; the change may be there or not.
        Exception: what the method raised at every replica of a shard, which then has not changed.
    """
    unmade = {shard: shards[shard].in_step() for shard in arguments}
    try:
        return _made(unmade, shards, reviver, method, arguments, patience_s, fall_behind)
    except BaseException:
        # Whoever was not waited for may have made the change or not: replicas must be compared.
        for shard, replicas in unmade.items():
            for replica in replicas[1:]:
                fall_behind(replica)
                reviver.lost(replica, shards[shard])
        raise


def _made(
    unmade: dict[int, list[Replica]],
    shards: list[ReplicaSet],
    reviver: Reviver,
    method: str,
    arguments: Arguments,
    patience_s: float,
    fall_behind: Callable[[Replica], None],
) -> dict[int, Any]:
    """Do what `change` says; what leaves `unmade` was made, or refused by all replicas."""
    start = time.monotonic()
    done: dict[int, Any] = {}
    refused: dict[int, BaseException] = {}
    again = False
    while unmade:
        if again:
            if time.monotonic() - start > patience_s:
                raise unavailable(min(unmade), patience_s, "; the change may have been made")
            time.sleep(PAUSE_S)
        begun, lost, refusing = [], defaultdict(list), defaultdict(list)
        for shard, replicas in unmade.items():
            for replica in replicas:
                try:
                    call = replica.call(method, *arguments[shard], again)
                    begun.append((shard, replica, call))
                except RayActorError:
                    lost[shard].append(replica)
        for shard, replica, reference in begun:
            try:
                done[shard] = ray.get(reference)
            except (RayActorError, RayTaskError) as error:
                if loss(error) is not None and not is_hopeless(error, shards[shard]):
                    reviver.lost(replica, shards[shard])
                    lost[shard].append(replica)
                else:
                    refusing[shard].append(replica)
                    refused[shard] = error.cause
        for shard in list(unmade):
            if shard in done:
                for replica in lost[shard] + refusing[shard]:
                    fall_behind(replica)
                    reviver.lost(replica, shards[shard])
                del unmade[shard]
            elif not lost[shard]:
                del unmade[shard]
        again = True
    failed = refused.keys() - done.keys()
    if failed:
        raise refused[min(failed)] from None
    return done
