"""What an error of a call means: that a replica is lost, or that the call itself was at fault."""

from __future__ import annotations

from ray.exceptions import RayActorError, RayError, RayTaskError

from fastfunnel.distributed.replicas import ReplicaSet
from fastfunnel.distributed.shard import FilesError

PAUSE_S = 0.05  # before a lost replica is asked again


class ShardUnavailableError(ConnectionError):
    """No replica of a shard answered in the time that one has to come back."""


def loss(error: RayError) -> str | None:
    """Return why a replica cannot do what others may; None if the call itself was at fault."""
    if isinstance(error, RayActorError):
        return ""
    is_lost = isinstance(error.cause, (BlockingIOError, FilesError))
    return f": {error.cause}" if is_lost else None


def is_hopeless(error: RayError, shard: ReplicaSet) -> bool:
    """Return whether the only replica's files are at fault, which waiting does not mend."""
    damaged = isinstance(error, RayTaskError) and isinstance(error.cause, FilesError)
    return damaged and len(shard.in_step()) == 1


def unavailable(shard: int, seconds: float, more: str = "") -> ShardUnavailableError:
    """Return the error that names a shard without a replica."""
    return ShardUnavailableError(
        f"no replica of shard {shard} answered within {seconds:g} seconds{more}"
    )
