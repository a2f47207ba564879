"""Indexes that no longer fit one machine: shards in actors of Ray (`pip install fastfunnel[ray]`)."""

from __future__ import annotations

try:
    import ray as _ray
except ImportError as error:
    raise ImportError("fastfunnel.distributed needs Ray: pip install 'fastfunnel[ray]'") from error

from fastfunnel.distributed.losses import ShardUnavailableError
from fastfunnel.distributed.merging import ShardedResult
from fastfunnel.distributed.sharded_index import ShardedIndex

__all__ = ["ShardUnavailableError", "ShardedIndex", "ShardedResult"]

del _ray
