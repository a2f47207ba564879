"""Codes and float rows in files: read when asked for, named when damaged, light in memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel.storage import draft

DIM = 70


@pytest.mark.parametrize("code", ["signs", "int8", "scales", "lengths"])
def test_codes_are_read_not_made_and_made_when_they_are_gone(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, tmp_path: Path, code: str
) -> None:
    monkeypatch.setattr(draft, "CODES_FROM", 100)
    rows = rng.standard_normal((500, DIM)).astype(np.float32)
    index = ff.Index(DIM)
    index.add(rows)
    index.save(tmp_path / "index")
    assert {p.name.partition("-")[0] for p in (tmp_path / "index").glob("*.npy")} == {
        "vectors", "ids", "signs", "int8", "scales", "lengths",
    }  # fmt: skip
    funnel = ff.Funnel.parse("b1@64>400 i8@64>300 i8@70")
    expected = index.search(rows[:9], 5, funnel=funnel)
    [vectors] = (tmp_path / "index").glob("vectors-*")
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:4096] + bytes(len(whole) - 4096))  # zeros, which no code is made of

    found = ff.open(tmp_path / "index").search(rows[:9], 5, funnel=funnel)

    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)
    vectors.write_bytes(whole)
    [file] = (tmp_path / "index").glob(f"{code}-*")
    opened = ff.open(tmp_path / "index")
    file.unlink()  # after it was opened, or before
    for reader in (opened, ff.open(tmp_path / "index", verify=True)):
        found = reader.search(rows[:9], 5, funnel=funnel)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.scores, expected.scores)


def test_codes_as_documented(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, tmp_path: Path
) -> None:
    monkeypatch.setattr(draft, "CODES_FROM", 100)
    rows = rng.standard_normal((200, DIM)).astype(np.float32)
    index = ff.Index(DIM)
    index.add(rows)
    index.save(tmp_path / "index")
    arrays = {p.name.partition("-")[0]: np.load(p) for p in (tmp_path / "index").glob("*.npy")}

    np.testing.assert_array_equal(arrays["signs"][:, :9], np.packbits(rows > 0, axis=1))
    assert not arrays["signs"][:, 9:].any()
    scales, errors = arrays["scales"].T
    np.testing.assert_allclose(scales, np.abs(rows).max(axis=1) / 127, rtol=1e-6)
    said = (arrays["int8"].astype(np.float64) - 128)[:, :DIM] * scales[:, np.newaxis]
    np.testing.assert_allclose(said, rows, atol=0.501 * float(scales.max()))
    assert (arrays["int8"][:, DIM:] == 128).all()
    np.testing.assert_allclose(
        errors, np.linalg.norm(rows - said, axis=1) / np.linalg.norm(rows, axis=1), rtol=1e-4
    )
    for column, dims in enumerate((64, 70)):
        np.testing.assert_allclose(
            arrays["lengths"][:, column], 1 / np.linalg.norm(rows[:, :dims], axis=1), rtol=1e-6
        )


def test_a_float_row_damaged_after_it_was_opened_is_named(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "CODES_FROM", 1)
    rows = rng.standard_normal((300, DIM)).astype(np.float32)
    with ff.Index.create(tmp_path / "index", DIM, float_store="disk") as index:
        index.add(rows)
    opened = ff.open(tmp_path / "index")
    funnel = ff.Funnel.parse("b1@70>20 f32@70")
    opened.search(rows[7], 3, funnel=funnel)
    [vectors] = (tmp_path / "index").glob("vectors-*")
    with vectors.open("r+b") as file:
        file.seek(4096 + 7 * DIM * 4)
        file.write(np.full(3, np.nan, np.float32).tobytes())
    with pytest.raises(ValueError, match="finite, got nan or inf in the row with id 7"):
        opened.search(rows[7], 3, funnel=funnel)
    os.truncate(vectors, 5000)
    with pytest.raises(OSError, match="shorter"):
        opened.search(rows[200], 3, funnel=funnel)


def test_without_a_path_floats_lie_in_a_directory_that_goes_with_the_index(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rows = rng.standard_normal((40_000, 16)).astype(np.float32)
    index = ff.Index(16, float_store="disk")
    assert list(tmp_path.iterdir()) == []  # nothing to keep yet
    index.add(rows)
    [directory] = tmp_path.iterdir()
    assert sum(f.stat().st_size for f in directory.glob("vectors-*")) > rows.nbytes
    assert index._core.sizes()[0] == 0  # bytes of floats in memory
    index.save(tmp_path / "copy")
    assert len(ff.open(tmp_path / "copy")) == 40_000
    child = os.fork() if hasattr(os, "fork") else None
    if child == 0:
        del index
        gc.collect()
        os._exit(0)
    if child is not None:
        os.waitpid(child, 0)
    assert index.search(rows[5], 1, exact=True).ids.tolist() == [[5]]
    del index
    gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


MEMORY = """
import re, sys
from pathlib import Path
import numpy as np
import fastfunnel as ff

def resident():
    fields = dict(re.findall(r"(RssAnon|RssFile):\\s+(\\d+)", Path("/proc/self/status").read_text()))
    return 1024 * sum(map(int, fields.values()))

def search(index):
    for query in queries:
        index.search(query, 10, funnel=ff.Funnel.parse("b1@256>500 b1@1024>100 f32@1024"))

queries = np.load(sys.argv[2])
small = ff.Index(1024)
small.add(queries)
search(small)  # what a search of any index takes
before = resident()
index = ff.open(sys.argv[1])
for _ in range(3):
    search(index)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_hot_tier_of_sign_bits_is_a_24th_of_the_floats(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    rows = rng.standard_normal((65_536, 1024), dtype=np.float32)
    with ff.Index.create(tmp_path / "index", 1024, float_store="disk", codes=("b1",)) as index:
        index.add(rows)
    np.save(tmp_path / "queries.npy", rows[::700] + 0.1)
    arguments = [str(tmp_path / "index"), str(tmp_path / "queries.npy")]
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) <= rows.nbytes / 24
