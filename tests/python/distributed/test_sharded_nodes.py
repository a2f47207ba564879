"""A node that is lost for good: others take its replicas."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")
from fastfunnel.distributed.placing import without

LOST = "127.0.0.2"

DRIVER = """
import sys
import numpy as np
import ray
from shards import assert_replicas_are_alike, assert_same, single
from fastfunnel.distributed import ShardedIndex
from fastfunnel.distributed.catalog import read_catalog

path, address, lost = sys.argv[1:]
ray.init(address=address, log_to_driver=False, logging_level="error")
rng = np.random.default_rng(3)
rows, queries = (rng.standard_normal((n, 16), dtype=np.float32) for n in (2000, 10))
one = single(rows)
index = ShardedIndex.create(path, dim=16, shards=3, replication=2)
index.add(rows)
of_lost = sum(nodes.count(lost) for nodes in read_catalog(index._cluster.directory).nodes)
assert of_lost == 2
print("filled", flush=True)
assert sys.stdin.readline() == "killed\\n"
assert_same(index, one, queries)
for changed in (index, one):
    changed.upsert(-rows[:500], np.arange(500))
assert index.replace_node(lost) == of_lost
assert_same(index, one, queries)
for changed in (index, one):
    changed.remove(np.arange(700, 900))
assert index.wait_until_in_step(300), index.info()
nodes = read_catalog(index._cluster.directory).nodes
assert len({node for shard in nodes for node in shard}) == 2
assert all(lost not in shard and len(set(shard)) == 2 for shard in nodes)
assert_replicas_are_alike(index)
try:
    index.replace_node(nodes[0][0])
except ValueError as error:
    assert str(error) == "no node is left for replica 0 of shard 0", error
assert_same(index, one, queries)
index.close()
with ShardedIndex.open(path) as index:
    assert_same(index, one, queries)
print("done", flush=True)
"""


def kill_all(process: subprocess.Popen[str]) -> None:
    """SIGKILL a process and all that it started, as a machine that loses its power."""
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
        for one in [*started, psutil.Process(process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def nodes(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Three nodes of one cluster on this machine; yield the address to join and their processes."""
    address, started = f"127.0.0.1:{free_port()}", []
    own = {**os.environ, "RAY_TMPDIR": str(folder)}  # or `ray.init()` of others would join
    try:
        for number in (1, 2, 3):
            joining = (
                ["--head", f"--port={address.split(':')[1]}", "--include-dashboard=false",
                 f"--temp-dir={folder}"]
                if number == 1 else [f"--address={address}"]
            )  # fmt: skip
            node = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", "start", "--block",
                 "--disable-usage-stats", f"--node-ip-address=127.0.0.{number}", "--num-cpus=1",
                 "--object-store-memory=80000000", *joining],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own,
            )  # fmt: skip
            started.append(node)
            assert node.stdout is not None
            said = []
            for line in node.stdout:
                said.append(line)
                if "runtime started" in line:
                    break
            else:
                pytest.fail("".join(said))
        yield address, started
    finally:
        for node in started:
            kill_all(node)


@pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2 and 127.0.0.3")
def test_the_replicas_of_a_node_that_was_killed_go_to_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sharded"
    with (
        tempfile.TemporaryDirectory(prefix="ff", ignore_cleanup_errors=True) as folder,
        nodes(Path(folder)) as (address, started),  # a short path: sockets lie in it
    ):
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(path), address, LOST],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )  # fmt: skip
        try:
            assert driver.stdout is not None
            assert driver.stdin is not None
            said = []
            for line in driver.stdout:
                said.append(line)
                if line == "filled\n":
                    kill_all(started[1])
                    driver.stdin.write("killed\n")
                    driver.stdin.close()
            driver.wait()
            assert said[-1] == "done\n", "".join(said)
        finally:
            with contextlib.suppress(BrokenPipeError):
                driver.stdin.close()
            kill_all(driver)


def test_replicas_go_where_the_fewest_are_and_never_beside_each_other() -> None:
    before = (("a", "b"), ("b", "c"), ("c", "a"), ("d", "b"))

    after = without(before, "b", ["a", "c", "d", "e"])

    assert after == (("a", "e"), ("d", "c"), ("c", "a"), ("d", "e"))
    with pytest.raises(ValueError, match="no node is left for replica 1 of shard 0"):
        without(before, "b", ["a"])
    with pytest.raises(ValueError, match=r"must be that of a node with replicas, \['a', 'b', 'c'"):
        without(before, "z", ["a"])
