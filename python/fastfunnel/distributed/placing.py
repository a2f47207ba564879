"""Which node has which replica: when a shard is made, and when a node is given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import ray

Nodes = tuple[tuple[str, ...], ...]  # addresses, by shard and replica


def alive_nodes() -> list[str]:
    """Return the addresses of the nodes of the cluster; asked first, Ray connects."""
    if not ray.is_initialized():
        ray.init()
    return sorted(node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"])


def placed(shard: int, replication: int) -> tuple[str, ...]:
    """Return addresses of nodes for the replicas of a shard: neighbours in the list of nodes."""
    nodes = alive_nodes()
    return tuple(nodes[(shard + number) % len(nodes)] for number in range(replication))


def without(nodes: Nodes, leaving: str, alive: Sequence[str]) -> Nodes:
    """Return where replicas go if those of one node leave it: each to the node with the fewest.

    Args:
        nodes: where they are.
        leaving: the address that is given up.
        alive: addresses that may take them; no node gets two replicas of a shard.

    Raises:
        ValueError: if no replica is at that address, or no node is left for one.
    """
    if not any(leaving in shard for shard in nodes):
        known = sorted({node for shard in nodes for node in shard})
        raise ValueError(f"address must be that of a node with replicas, {known}, got {leaving!r}")
    load = Counter(node for shard in nodes for node in shard)
    after = []
    for number, shard in enumerate(nodes):
        taken = list(shard)
        for replica, node in enumerate(shard):
            if node == leaving:
                free = [one for one in alive if one not in taken]
                if not free:
                    raise ValueError(f"no node is left for replica {replica} of shard {number}")
                taken[replica] = min(free, key=lambda one: (load[one], one))
                load[taken[replica]] += 1
        after.append(tuple(taken))
    return tuple(after)
