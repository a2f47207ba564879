"""Where ids belong, against the papers, and that they stay there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray")
from fastfunnel.distributed.routing import by_home, homes, mixed


def jump(key: int, n_buckets: int) -> int:
    """The code of Lamping and Veach, figure 1."""
    b, j = -1, 0
    while j < n_buckets:
        b = j
        key = (key * 2862933555777941757 + 1) % 2**64
        j = int((b + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return b


def test_ids_are_mixed_as_splitmix64_does() -> None:
    # First outputs for these seeds: Vigna's splitmix64.c.
    bits = mixed(np.array([0, 1234567]))

    assert bits.tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50), st.integers(1, 500))
def test_ids_are_placed_as_the_paper_does(ids: list[int], n_shards: int) -> None:
    array = np.array(ids, np.int64)

    expected = [jump(int(bits), n_shards) for bits in mixed(array)]

    assert homes(array, n_shards).tolist() == expected


def test_places_are_the_same_for_ever() -> None:
    # Files were routed by these: a change of them loses rows.
    assert homes(np.arange(12), 4).tolist() == [3, 3, 0, 1, 3, 3, 0, 1, 0, 2, 2, 0]


def test_a_new_shard_takes_its_share_and_moves_nothing_else() -> None:
    ids = np.arange(100_000)
    before, after = homes(ids, 7), homes(ids, 8)

    moved = before != after
    assert (after[moved] == 7).all()
    sizes = np.bincount(after, minlength=8)
    # 6 standard deviations of a binomial share
    assert np.abs(sizes - 12_500).max() < 6 * np.sqrt(100_000 * (1 / 8) * (7 / 8))


def test_every_place_is_named_once() -> None:
    home = np.array([2, 0, 2, 5, 0])

    parts = {shard: places.tolist() for shard, places in by_home(home)}

    assert parts == {0: [1, 4], 2: [0, 2], 5: [3]}
    assert dict(by_home(np.array([], np.int64))) == {}
