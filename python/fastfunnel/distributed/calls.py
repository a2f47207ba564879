"""One call to many shards at once: any replica for a question, every replica for a change."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from fastfunnel.distributed.replicas import Replica, ReplicaSet, Reviver
from fastfunnel.distributed.shard import FilesError

Arguments = Mapping[int, tuple[Any, ...]]  # by shard

_PAUSE_S = 0.05  # before a lost replica is asked again


class ShardUnavailableError(ConnectionError):
    """No replica of a shard answered in the time that one has to come back."""


def ask(
    shards: list[ReplicaSet],
    reviver: Reviver,
    method: str,
    arguments: Arguments,
    patience_s: float,
    deadline_s: float | None = None,
) -> dict[int, Any]:
    """Return what shards answer, asking another replica, or the restarted one, where one is lost.

    Args:
        shards: all there are.
        reviver: is told of lost replicas.
        method: of `Shard`.
        arguments: for each shard that is asked.
        patience_s: seconds that a shard without any replica has for one to come back.
        deadline_s: seconds after which answers that did not come are left out; None waits.

    Raises:
        ShardUnavailableError: naming a shard without a replica.
        Exception: what the method raised.
    """
    start = time.monotonic()
    unasked, found = dict(arguments), {}
    lone_since: dict[int, float] = {}
    reasons: dict[int, str] = {}
    asked: dict[Any, tuple[int, Replica]] = {}
    while unasked or asked:
        spent = time.monotonic() - start
        if deadline_s is not None and spent >= deadline_s:
            break
        for shard in list(unasked):
            replica = shards[shard].for_reading()
            if replica is not None:
                asked[replica.call(method, *unasked.pop(shard))] = shard, replica
                lone_since.pop(shard, None)
            elif spent - lone_since.setdefault(shard, spent) > patience_s:
                raise _unavailable(shard, patience_s, reasons.get(shard, ""))
        pause = _PAUSE_S if unasked else None
        if deadline_s is not None:
            left = max(0.0, deadline_s - (time.monotonic() - start))
            pause = left if pause is None else min(pause, left)
        if not asked:
            time.sleep(pause or 0)
            continue
        for reference in ray.wait(list(asked), timeout=pause)[0]:
            shard, replica = asked.pop(reference)
            try:
                found[shard] = ray.get(reference)
            except (RayActorError, RayTaskError) as error:
                reason = _lost(error)
                if reason is None or _is_hopeless(error, shards[shard]):
                    raise error.cause from None
                reviver.lost(replica, shards[shard])
                unasked[shard], reasons[shard] = arguments[shard], reason
    for late in asked:
        ray.cancel(late)  # where it has not begun
    return found


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
                raise _unavailable(min(unmade), patience_s, "; the change may have been made")
            time.sleep(_PAUSE_S)
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
                if _lost(error) is not None and not _is_hopeless(error, shards[shard]):
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


def _lost(error: RayError) -> str | None:
    """Return why a replica cannot do what others may; None if the call itself was at fault."""
    if isinstance(error, RayActorError):
        return ""
    is_lost = isinstance(error.cause, (BlockingIOError, FilesError))
    return f": {error.cause}" if is_lost else None


def _is_hopeless(error: RayError, shard: ReplicaSet) -> bool:
    """Return whether the only replica's files are at fault, which waiting does not mend."""
    damaged = isinstance(error, RayTaskError) and isinstance(error.cause, FilesError)
    return damaged and len(shard.in_step()) == 1


def _unavailable(shard: int, seconds: float, more: str = "") -> ShardUnavailableError:
    return ShardUnavailableError(
        f"no replica of shard {shard} answered within {seconds:g} seconds{more}"
    )
