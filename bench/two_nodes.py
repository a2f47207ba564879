"""Two machines in two network namespaces of this one: a real Ray cluster, a lost node, bytes sent.

    sudo python -m bench.two_nodes --rows 100000 --dim 256

Makes the namespaces and a link between them, starts a head and a second node (`ray start`), builds
a sharded index with two replicas on both, measures, kills every process of the second node in the
middle of searches and of additions, starts the node again, and removes everything. Linux, root.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

NAMES, LINKS = ("fastfunnel-a", "fastfunnel-b"), ("ffa0", "ffb0")
ADDRESSES = ("10.231.77.1", "10.231.77.2")
PORT = 6399
K = 10


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def inside(node: int, *command: str) -> list[str]:
    return ["ip", "netns", "exec", NAMES[node], *command]


def connect() -> None:
    for name in NAMES:
        run("ip", "netns", "add", name)
    run(
        *("ip", "link", "add", LINKS[0], "netns", NAMES[0], "type", "veth"),
        *("peer", "name", LINKS[1], "netns", NAMES[1]),
    )
    for node in (0, 1):
        run(*inside(node, "ip", "addr", "add", f"{ADDRESSES[node]}/24", "dev", LINKS[node]))
        for link in (LINKS[node], "lo"):
            run(*inside(node, "ip", "link", "set", link, "up"))


def start_node(node: int, folder: Path) -> None:
    joining = (
        ["--head", f"--port={PORT}", "--include-dashboard=false", f"--temp-dir={folder / 'ray'}"]
        if node == 0
        else [f"--address={ADDRESSES[0]}:{PORT}"]
    )
    run(
        *inside(
            node,
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats"),
            *(f"--node-ip-address={ADDRESSES[node]}", "--num-cpus=1"),
            *("--object-store-memory=200000000", *joining),
        )
    )


def kill_node(node: int) -> int:
    """SIGKILL every process of a namespace, as a machine that loses its power."""
    pids = [int(pid) for pid in run("ip", "netns", "pids", NAMES[node], check=False).split()]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def sent() -> int:
    """Bytes that crossed the link so far, both ways, every header included."""
    statistics = Path("/sys/class/net") / LINKS[0] / "statistics"
    return sum(int((statistics / f"{way}_bytes").read_text()) for way in ("rx", "tx"))


def driver(folder: Path, rows: int, dim: int) -> None:
    """What runs at the head: the measurements."""
    import ray

    import fastfunnel as ff
    from bench import datasets
    from fastfunnel.distributed import ShardedIndex

    data = datasets.synthetic(rows, dim, queries=400)
    one = ff.Index(dim)
    one.add(data.base)
    ray.init(address=f"{ADDRESSES[0]}:{PORT}", log_to_driver=False, logging_level="error")
    index = ShardedIndex.create(folder / "index", dim, shards=2, replication=2)
    start, before = time.perf_counter(), sent()
    for first in range(0, rows, 16_384):
        index.add(data.base[first : first + 16_384])
    seconds, moved = time.perf_counter() - start, sent() - before
    print(f"add: {rows / seconds:,.0f} rows/s, {moved / rows:,.0f} bytes a row over the link")
    for shard in index.info()["shards"]:
        print(
            f"shard {shard['shard']}:", *(f"{r['node']} pid {r['pid']}" for r in shard["replicas"])
        )

    def exact() -> None:
        expected = one.search(data.queries, K, exact=True)
        found = index.search(data.queries, K, exact=True)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.scores, expected.scores)

    exact()
    for count in (1, 100):
        some, times, before = data.queries[:count], [], sent()
        for _ in range(200 if count == 1 else 10):
            start = time.perf_counter()
            index.search(some, K)
            times.append(time.perf_counter() - start)
        a_query = (sent() - before) / len(times) / count
        print(
            f"batches of {count}: p50 {1e3 * np.median(times):.2f} ms, p99 "
            f"{1e3 * np.quantile(times, 0.99):.2f} ms, {a_query:,.0f} bytes a query over the link"
        )

    for name, work in (("searches", exact), ("additions", None)):
        over, errors, longest, added = threading.Event(), [], [0.0], []

        def repeat(work=work, over=over, errors=errors, longest=longest, added=added) -> None:
            try:
                while not over.is_set():
                    start = time.perf_counter()
                    if work is None:
                        added.append(index.add(data.base[:1000]))
                    else:
                        work()
                    longest[0] = max(longest[0], time.perf_counter() - start)
            except BaseException as error:  # noqa: BLE001 - it is raised below
                errors.append(error)

        worker = threading.Thread(target=repeat)
        worker.start()
        time.sleep(2)
        (folder / "kill").touch()
        while (folder / "kill").exists():
            time.sleep(0.05)
        time.sleep(5)
        over.set()
        worker.join()
        if errors:
            raise errors[0]
        for ids in added:
            one.add(data.base[:1000], ids)
        exact()
        print(
            f"node killed in the middle of {name}: right answers, longest call {longest[0]:.1f} s"
        )
        (folder / "start").touch()
        start = time.perf_counter()
        while (folder / "start").exists():
            time.sleep(0.05)
        assert index.wait_until_in_step(120), index.info()
        print(f"  in step {time.perf_counter() - start:.1f} s after the node was started again")
        exact()
    index.close()
    ray.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--driver", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.driver:
        driver(arguments.driver, arguments.rows, arguments.dim)
        return
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    folder = Path(tempfile.mkdtemp(prefix="ff2-"))
    try:
        connect()
        start_node(0, folder)
        start_node(1, folder)
        command = [sys.executable, "-m", "bench.two_nodes", "--driver", str(folder)]
        command += ["--rows", str(arguments.rows), "--dim", str(arguments.dim)]
        running = subprocess.Popen(inside(0, *command))
        while running.poll() is None:
            if (folder / "kill").exists():
                print(f"killed {kill_node(1)} processes of {ADDRESSES[1]}", flush=True)
                (folder / "kill").unlink()
            if (folder / "start").exists():
                start_node(1, folder)
                (folder / "start").unlink()
            time.sleep(0.05)
        sys.exit(running.returncode)
    finally:
        for node in (0, 1):
            kill_node(node)
            run("ip", "netns", "del", NAMES[node], check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
