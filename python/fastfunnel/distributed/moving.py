"""Rows on their way to a shard that was added."""

from __future__ import annotations

import ray

from fastfunnel.distributed.cluster import Cluster
from fastfunnel.distributed.routing import homes

_ROWS = 8192  # moved at a time; changes wait that long


def move_to_last(cluster: Cluster) -> int:
    """Move every row whose home is the last shard there; return how many moved.

    A row is at its new home, on the disk, before it leaves its old one. Killed in between it is at
    both, as one and the same; the next call finds it at the old one and goes on.
    """
    new, moved = len(cluster) - 1, 0
    for shard in range(new):
        ids = cluster.ask("ids", {shard: ()})[shard]
        going = ids[homes(ids, new + 1) == new]
        for first in range(0, len(going), _ROWS):
            with cluster.changing:
                some = going[first : first + _ROWS]
                [rows] = cluster.ask("stored", {shard: (some,)}).values()
                if len(rows[0]):
                    cluster.change("take", {new: (ray.put(rows),)})
                    cluster.searches.wait_for_earlier()
                    cluster.change("remove", {shard: (rows[0],)})
                    moved += len(rows[0])
    with cluster.changing:
        cluster.write(is_moving=False)
    return moved
