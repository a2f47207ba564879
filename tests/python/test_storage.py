"""An index on disk: what was saved comes back, what is damaged is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastfunnel as ff

FUNNEL = ff.Funnel.parse("b1@64>100 i8@64>20 f32@64")


@pytest.fixture
def index(rng: np.random.Generator) -> ff.Index:
    made = ff.Index(dim=64, model="some-model")
    made.add(rng.standard_normal((300, 64)).astype(np.float32))
    made.add(rng.standard_normal((40, 64)).astype(np.float32), ids=np.arange(1000, 1040))
    return made


@pytest.fixture
def saved(index: ff.Index, tmp_path: Path) -> Path:
    path = tmp_path / "index"
    index.save(path)
    return path


def array_file(path: Path, name: str) -> Path:
    [file] = path.glob(f"{name}-*.npy")
    return file


def edit_manifest(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest and sum it anew, as a malicious writer would."""
    manifest = json.loads((path / "manifest.json").read_text())
    edit(manifest)
    del manifest["checksum"]
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    checksum = hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()
    (path / "manifest.json").write_text(json.dumps({**manifest, "checksum": checksum}))


def entry(manifest: dict[str, Any], role: str) -> dict[str, Any]:
    found: dict[str, Any] = manifest["segments"][0][role]
    return found


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("verify", [True, False])
def test_what_was_saved_comes_back(
    rng: np.random.Generator, index: ff.Index, saved: Path, mmap: bool, verify: bool
) -> None:
    queries = rng.standard_normal((7, 64))

    opened = ff.open(saved, mmap=mmap, verify=verify)

    assert (len(opened), opened.dim, opened.model) == (340, 64, "some-model")
    assert list(opened) == list(index)
    assert np.array_equal(opened.get([3, 1017]), index.get([3, 1017]))
    for options in ({"exact": True}, {"funnel": FUNNEL}):
        ours, theirs = opened.search(queries, 5, **options), index.search(queries, 5, **options)
        assert np.array_equal(ours.ids, theirs.ids)
        assert np.array_equal(ours.scores, theirs.scores)


def test_an_empty_index_comes_back(tmp_path: Path) -> None:
    ff.Index(dim=3).save(tmp_path / "index")

    assert len(ff.open(tmp_path / "index", verify=True)) == 0


def test_arrays_are_plain_npy(index: ff.Index, saved: Path) -> None:
    vectors = np.load(array_file(saved, "vectors"), allow_pickle=False)

    assert np.array_equal(vectors, index.get(list(index)))


def test_saving_again_replaces_and_leaves_nothing_behind(index: ff.Index, saved: Path) -> None:
    index.add(np.ones((1, 64), np.float32))
    index.save(saved)

    assert len(ff.open(saved)) == 341
    names = {file.name.split("-")[0] for file in saved.iterdir()}
    assert names == {"vectors", "ids", "manifest.json", "writer.lock"}
    assert len(list(saved.iterdir())) == 4


def test_other_files_in_the_folder_stay(index: ff.Index, saved: Path) -> None:
    (saved / "texts.sqlite").write_text("mine")
    index.save(saved)

    assert (saved / "texts.sqlite").read_text() == "mine"
    assert len(ff.open(saved)) == 340


def test_a_folder_with_something_else_is_refused(index: ff.Index, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")

    with pytest.raises(ValueError, match="path must be new, empty or an index"):
        index.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_read_only_unless_writable(saved: Path) -> None:
    rows = np.ones((2, 64), np.float32)

    for change in (lambda i: i.add(rows), lambda i: i.remove([1]), lambda i: i.compact()):
        with pytest.raises(ValueError, match="opened read-only, or is closed"):
            change(ff.open(saved))
    with ff.open(saved, writable=True) as index:
        assert index.add(rows).tolist() == [1040, 1041]
        assert index.search(rows[0], 2, exact=True).ids.tolist() == [[1040, 1041]]
    assert len(ff.open(saved)) == 342


def test_no_index_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no index at"):
        ff.open(tmp_path)


@pytest.mark.parametrize("name", ["vectors", "ids"])
def test_every_flipped_bit_is_found(saved: Path, rng: np.random.Generator, name: str) -> None:
    file = array_file(saved, name)
    content = bytearray(file.read_bytes())
    for position in rng.integers(0, len(content) * 8, 100):
        content[position // 8] ^= 1 << (position % 8)
        file.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}-.*\.npy"):
            ff.open(saved, verify=True)
        content[position // 8] ^= 1 << (position % 8)
    file.write_bytes(content)
    assert len(ff.open(saved, verify=True)) == 340


@pytest.mark.parametrize("n_bytes", [0, 50, 1000])
def test_truncated_arrays_are_named(saved: Path, n_bytes: int) -> None:
    file = array_file(saved, "vectors")
    file.write_bytes(file.read_bytes()[:n_bytes])

    with pytest.raises(ValueError, match=rf"{file.name} must have \d+ bytes, got {n_bytes}"):
        ff.open(saved)


def test_absurd_shapes_allocate_nothing(saved: Path) -> None:
    file = array_file(saved, "vectors")
    content = file.read_bytes().replace(b"(340, 64)", b"(9999, 9)")
    file.write_bytes(content)

    with pytest.raises(ValueError, match=file.name):
        ff.open(saved)


def test_objects_are_never_unpickled(saved: Path) -> None:
    file = array_file(saved, "ids")
    np.save(file, np.array([print], dtype=object), allow_pickle=True)
    edit_manifest(saved, lambda m: entry(m, "ids").update(bytes=file.stat().st_size + 4000))
    file.write_bytes(file.read_bytes() + bytes(4000))

    with pytest.raises(ValueError, match=rf"{file.name} must hold <i8 .* got \|O"):
        ff.open(saved)


def test_links_out_of_the_folder_are_refused(saved: Path, tmp_path: Path) -> None:
    file = array_file(saved, "vectors")
    file.rename(tmp_path / "elsewhere.npy")
    file.symlink_to(tmp_path / "elsewhere.npy")

    with pytest.raises(ValueError, match="must be a plain file"):
        ff.open(saved)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(version=99), "must have version 3 or less, got 99"),
        (lambda m: m.update(format="else"), "must be the manifest of a fastfunnel index"),
        (lambda m: m.update(dim=-1), "is damaged"),
        (lambda m: m.update(dim=65), "is damaged"),
        (lambda m: m.update(metric="taxi"), "is damaged"),
        (lambda m: m.update(model={"other": 1}), "is damaged"),
        (lambda m: m.update(model=7), "is damaged"),
        (lambda m: m.update(next_id=-1), "is damaged"),
        (lambda m: m.update(tuned={"fronts": [3]}), "is damaged"),
        (lambda m: m.update(log="../log-000001.bin"), "is damaged"),
        (lambda m: m.pop("segments"), "is damaged"),
        (lambda m: m["segments"].append(None), "is damaged"),
        (lambda m: entry(m, "ids").update(file="../ids-000001.npy"), "is damaged"),
        (lambda m: entry(m, "ids").update(bytes="many"), "is damaged"),
        (lambda m: entry(m, "ids").update(shape=[-340]), "is damaged"),
        (lambda m: entry(m, "ids").update(shape=[2**62]), "is damaged"),
        (lambda m: entry(m, "ids").update(dtype="|O"), "is damaged"),
        (lambda m: entry(m, "vectors").update(dtype="<f8"), "is damaged"),
    ],
)
def test_damaged_manifests_are_named(
    saved: Path, edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit_manifest(saved, edit)

    with pytest.raises(ValueError, match=message) as error:
        ff.open(saved)
    assert "manifest.json" in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 100_000, b"1" * 10_000, b"\xff\xfe\x00\xd8"],
    ids=["empty", "cut", "nested", "number", "surrogate"],
)
def test_a_manifest_that_is_not_json(saved: Path, content: bytes) -> None:
    (saved / "manifest.json").write_bytes(content)

    with pytest.raises(ValueError, match=r"manifest\.json must be"):
        ff.open(saved)


def test_a_manifest_edited_by_hand_is_refused(saved: Path) -> None:
    file = saved / "manifest.json"
    file.write_text(file.read_text().replace("some-model", "same-model"))

    with pytest.raises(ValueError, match=r"manifest\.json is damaged: its checksum"):
        ff.open(saved)


def test_negative_or_repeated_ids_on_disk_are_refused(saved: Path) -> None:
    file = array_file(saved, "ids")
    ids = np.load(file)
    for bad in (-5, int(ids[1])):
        np.save(file, np.concatenate([[bad], ids[1:]]))
        with pytest.raises(ValueError, match="ids"):
            ff.open(saved)
