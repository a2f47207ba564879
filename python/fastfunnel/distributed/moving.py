"""Rows on their way to a shard that was added, or away from one that is removed."""

from __future__ import annotations

import ray

from fastfunnel.distributed.cluster import Cluster
from fastfunnel.distributed.routing import by_home, homes

_ROWS = 8192  # moved at a time; changes wait that long


def finish_move(cluster: Cluster) -> int:
    """Move every row that is not at its home there; return how many moved.

    A row is at its new home, on the disk, before it leaves its old one. Killed in between it is at
    both, as one and the same; the next call finds it at the old one and goes on.
    """
    last, moved = len(cluster) - 1, 0
    is_shrinking = cluster.catalog.is_shrinking
    n_shards = last if is_shrinking else last + 1
    for shard in [last] if is_shrinking else range(last):
        ids = cluster.ask("ids", {shard: ()})[shard]
        going = ids[homes(ids, n_shards) != shard]
        for first in range(0, len(going), _ROWS):
            with cluster.changing:
                some = going[first : first + _ROWS]
                [(there, rows)] = cluster.ask("stored", {shard: (some,)}).values()
                if len(there):
                    parts = by_home(homes(there, n_shards))
                    told = {home: (ray.put((there[at], rows[at])),) for home, at in parts}
                    cluster.change("take", told)
                    cluster.searches.wait_for_earlier()
                    cluster.change("remove", {shard: (there,)})
                    moved += len(there)
    with cluster.changing:
        if is_shrinking:
            cluster.drop_last_shard()
        else:
            cluster.write(is_moving=False)
    return moved
