"""From a path to a sharded index: made, or opened after whatever ended the last one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastfunnel.arguments import as_count, as_metric
from fastfunnel.distributed.catalog import (
    FILE,
    MOST_SHARDS,
    Catalog,
    read_catalog,
    write_catalog,
)
from fastfunnel.distributed.cluster import Cluster
from fastfunnel.distributed.placing import placed
from fastfunnel.model import Model
from fastfunnel.rotation import as_rotation
from fastfunnel.storage.layout import LOCK
from fastfunnel.storage.lock import WriterLock


def create(
    path: str | os.PathLike[str],
    dim: int,
    shards: int,
    replication: int,
    patience_s: float,
    model: Any,
    metric: str,
    rotation: Any,
) -> Cluster:
    """Return a cluster of empty shards; `ShardedIndex.create` documents it."""
    dim, shards = as_count(dim, "dim"), as_count(shards, "shards")
    replication, metric = as_count(replication, "replication"), as_metric(metric)
    if shards > MOST_SHARDS:
        raise ValueError(f"shards must be at most {MOST_SHARDS}, got {shards}")
    description = {
        "dim": dim,
        "metric": metric,
        "model": None if model is None else Model.of(model),
        "rotation": None if rotation is None else as_rotation(rotation, dim),
    }
    directory = Path(path).absolute()
    if not directory.is_dir():
        directory.mkdir()
    if (directory / FILE).exists():
        raise FileExistsError(f"there is a sharded index at {directory}; use ShardedIndex.open")
    if any(entry.name != LOCK for entry in directory.iterdir()):
        raise ValueError(f"path must be new or empty, got {directory}")
    catalog = Catalog(
        dim=dim,
        metric=metric,
        n_shards=shards,
        replication=replication,
        in_step=((True,) * replication,) * shards,
        nodes=tuple(placed(shard, replication) for shard in range(shards)),
        is_open=True,
        is_moving=False,
        tuned={"fronts": []},
    )
    lock = WriterLock(directory)
    try:
        cluster = Cluster(directory, catalog, lock, patience_s)
        try:
            cluster.make(description)
            write_catalog(directory, catalog)
        except BaseException:
            cluster.end()
            raise
    except BaseException:
        lock.release()
        raise
    return cluster


def open_cluster(path: str | os.PathLike[str], patience_s: float) -> Cluster:
    """Return a cluster of the shards at a path; `ShardedIndex.open` documents it."""
    directory = Path(path).absolute()
    read_catalog(directory)  # before a lock file is put where there is no index
    lock = WriterLock(directory)
    try:
        catalog = read_catalog(directory)
        cluster = Cluster(directory, catalog, lock, patience_s)
        try:
            if catalog.is_open:
                cluster.check_replicas()
            cluster.revive()
            cluster.write(is_open=True)
        except BaseException:
            cluster.end()
            raise
    except BaseException:
        lock.release()
        raise
    return cluster
