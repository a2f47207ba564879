"""Damage, full disks, missing rights and kills: a clear error, and nothing acknowledged is lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel.storage import draft, live

ROOT = Path(__file__).parents[2]
DIM = 16
CODES = ("signs", "int8", "scales", "lengths")


@pytest.fixture(autouse=True)
def _write_all_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "CODES_FROM", 1)


def contents(index: ff.Index) -> dict[int, list[float]]:
    ids = list(index)
    return dict(zip(ids, index.get(ids).tolist(), strict=True)) if ids else {}


def fill(path: Path, rng: np.random.Generator) -> ff.Index:
    """Make an index that has files of every kind: two segments, deletes, a rotation, a log."""
    rotation = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0]
    index = ff.Index.create(path, dim=DIM, model="some-model", rotation=rotation)
    for _ in range(2):
        index.add(rng.standard_normal((20, DIM)))
        index._journal.checkpoint()  # type: ignore[union-attr]
    index.remove([3, 25])
    index._journal.checkpoint()  # type: ignore[union-attr]
    index.add(rng.standard_normal((5, DIM)))
    index.remove([7])
    index.upsert(rng.standard_normal((2, DIM)), [8, 90])
    return index


def test_every_flipped_bit_is_found_or_harmless(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "index"
    index = fill(path, rng)
    expected = contents(index)
    files = sorted(path.iterdir())
    assert {file.name.split("-")[0].split(".")[0] for file in files} == {
        "vectors", "ids", "deleted", "rotation", "log", "manifest", "writer",
        "signs", "int8", "scales", "lengths",
    }  # fmt: skip
    n_tried, named, n_harmless, harmless = 0, 0, 0, set()
    for file in files:
        whole = file.read_bytes()
        n_bits = len(whole) * 8
        for bit in rng.choice(n_bits, min(n_bits, 300), replace=False):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << (bit % 8)
            file.write_bytes(flipped)
            n_tried += 1
            try:
                opened = ff.open(path, verify=True)
            except ValueError as error:
                named += str(path) in str(error)
                continue
            n_harmless += 1
            harmless.add(file.name)
            assert contents(opened) == expected
            assert (opened.model, opened._next_id) == ("some-model", 91)
        file.write_bytes(whole)
    assert named + n_harmless == n_tried >= 2000
    assert harmless <= {"writer.lock", "manifest.json"}  # of that, spaces between values
    assert contents(ff.open(path, verify=True)) == expected


def test_every_truncation_is_found(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "index"
    fill(path, rng)
    for file in path.iterdir():
        if file.name == "writer.lock":
            continue
        whole = file.read_bytes()
        for n in {0, 1, len(whole) - 1, *rng.integers(0, len(whole), 40).tolist()}:
            file.write_bytes(whole[:n])
            with pytest.raises(ValueError, match=file.name):
                ff.open(path)
        file.unlink()
        if file.name.startswith(CODES):  # they can be made again
            assert len(ff.open(path)) > 0
        else:
            with pytest.raises((ValueError, FileNotFoundError), match=file.name):
                ff.open(path)
        file.write_bytes(whole)


def test_what_a_kill_left_behind_the_log_is_cut_off(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "index"
    index = fill(path, rng)
    expected = contents(index)
    index._journal._lock.release()  # type: ignore[union-attr]
    [log] = path.glob("log-*")
    whole = log.read_bytes()
    for tail in (whole[40:60], whole[40:-1], rng.bytes(200)):
        log.write_bytes(whole + tail)
        (path / "vectors-000099.npy").write_bytes(b"half")
        assert contents(ff.open(path)) == expected
    writer = ff.open(path, writable=True)
    writer.add(np.ones((1, DIM)))
    assert len(contents(ff.open(path))) == len(expected) + 1
    assert not (path / "vectors-000099.npy").exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_only_plain_files_are_read(tmp_path: Path, rng: np.random.Generator, kind: str) -> None:
    path = tmp_path / "index"
    fill(path, rng)
    for file in path.iterdir():
        if file.name == "writer.lock":
            continue
        aside = tmp_path / "aside"
        file.rename(aside)
        if kind == "link":
            file.symlink_to(aside)
        elif kind == "pipe":
            os.mkfifo(file)
        else:
            file.mkdir()
        with pytest.raises(ValueError, match=rf"{file.name} must be a plain file"):
            ff.open(path)
        file.rmdir() if kind == "directory" else file.unlink()
        aside.rename(file)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill_disk(file: Path) -> None:
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_a_full_disk_loses_nothing(small_disk: Path, rng: np.random.Generator) -> None:
    path = small_disk / "index"
    index = fill(path, rng)
    expected = contents(index)
    fill_disk(small_disk / "filler")
    for change in (
        lambda: index.add(rng.standard_normal((500, DIM))),
        lambda: index.add(rng.standard_normal((live.DIRECT_ROWS, DIM))),
        lambda: index.upsert(rng.standard_normal((500, DIM)), np.arange(500)),
        lambda: index.compact(),
        lambda: index.save(small_disk / "copy"),
    ):
        with pytest.raises(OSError, match="No space"):
            change()
        assert contents(index) == contents(ff.open(path, verify=True)) == expected
    index.close()
    assert contents(ff.open(path, verify=True)) == expected

    (small_disk / "filler").unlink()
    with ff.open(path, writable=True) as index:
        index.add(rng.standard_normal((500, DIM)))
        assert index.compact() == 4
        expected = contents(index)
    assert contents(ff.open(path, verify=True)) == expected


def test_a_disk_that_fails_at_any_flush(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every flush and rename of every kind of change fails once."""
    monkeypatch.setattr(live, "DIRECT_ROWS", 50)
    rows = rng.standard_normal((60, DIM))
    changes = {
        "add": lambda index: index.add(rows[:5]),
        "many": lambda index: index.add(rows),
        "upsert": lambda index: index.upsert(rows[:5], np.arange(5)),
        "remove": lambda index: index.remove([0, 1]),
        "compact": lambda index: index.compact(),
        "checkpoint": lambda index: index._journal.checkpoint(),
    }
    n_failed = 0
    for name, change in changes.items():
        for function in ("fsync", "replace", "ftruncate"):
            for nth in range(20):
                path = tmp_path / f"{name}-{function}-{nth}"
                index = fill(path, rng)
                before = contents(index)
                with monkeypatch.context() as patched:
                    countdown = iter(range(nth, -1, -1))
                    real = getattr(os, function)

                    def failing(*arguments: object, real=real, countdown=countdown) -> object:  # type: ignore[no-untyped-def]
                        if next(countdown, None) == 0:
                            raise OSError(errno.EIO, "the disk failed")
                        return real(*arguments)

                    patched.setattr(os, function, failing)
                    try:
                        change(index)
                        failed = False
                    except OSError:
                        failed = True
                after = contents(ff.open(path, verify=True))
                if not failed:
                    assert contents(index) == after
                    break
                n_failed += 1
                assert contents(index) == before
                try:
                    index.add(rows[:1])
                except ValueError as error:  # whether it took place could not be confirmed
                    if "must be opened anew" not in str(error):
                        raise
                    index.close()
                    index = ff.open(path, writable=True)
                    assert contents(index) == after
                    index.add(rows[:1])
                assert contents(ff.open(path, verify=True)) == contents(index)
                assert len(index) == len(after) + 1
                index.close()
            else:
                pytest.fail(f"{name} never succeeded")
    assert n_failed > 30


def test_a_directory_that_may_only_be_read(rng: np.random.Generator) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "index"
        fill(path, rng).close()
        before = {file.name: file.read_bytes() for file in path.iterdir()}
        folder.chmod(0o755)
        path.chmod(0o555)
        code = f"""
import os
import numpy as np, fastfunnel as ff
ff.open({str(path)!r}).search(np.ones({DIM}), 1)  # imports what others may not read
if os.getuid() == 0:  # who may write anywhere
    os.setgid(65534)
    os.setuid(65534)
index = ff.open({str(path)!r}, verify=True)
assert index.search(np.ones({DIM}), 1, exact=True).ids[0, 0] >= 0
for change in (
    lambda: ff.open({str(path)!r}, writable=True),
    lambda: index.save({str(path)!r}),
    lambda: ff.Index.create({str(path / "new")!r}, dim=2),
):
    try:
        change()
    except PermissionError as error:
        assert {str(path)!r} in str(error)
    else:
        raise AssertionError("nothing was refused")
"""
        run = subprocess.run(
            [sys.executable, "-c", code], check=False, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    finally:
        path.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_writer_leaves_the_old_state_or_the_new() -> None:
    """tests/faults/kill_writer.py runs hundreds of rounds; this is its short form."""
    script = ROOT / "tests/faults/kill_writer.py"
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script), "--rounds", "30"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "30 kills, nothing lost" in run.stdout
