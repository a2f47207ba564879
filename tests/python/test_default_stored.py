"""The funnels that an index chose for itself, kept with its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.storage.layout import MANIFEST
from fastfunnel.storage.manifest import _checksum
from fastfunnel.trial import MOST_QUERIES

N, DIM, K = 24_000, 64, 10
FUNNEL = "b1@64>777 i8@64>33 f32@64"  # that no chooser would choose
NOTHING = {
    "chooser": 3,
    "by_signs": [],
    "by_int8": [],
    "by_queries": {"by_signs": [], "by_int8": [], "doubted": False},
}

Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def base() -> Floats:
    rng = np.random.default_rng(5)
    topics = rng.standard_normal((600, DIM))[rng.integers(0, 600, N)]
    return (topics + 0.5 * rng.standard_normal((N, DIM))).astype(np.float32)


def saved(base: Floats, path: Path, **options: Any) -> Path:
    index = ff.Index(DIM, **options)
    index.add(base)
    index.default_funnel(K)
    index.save(path)
    return path


def chosen(path: Path) -> Any:
    return json.loads((path / MANIFEST).read_bytes())["chosen"]


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest as somebody would who knows how its checksum is made."""
    plain = json.loads((path / MANIFEST).read_bytes())
    del plain["checksum"]
    change(plain)
    (path / MANIFEST).write_text(json.dumps({"checksum": _checksum(plain), **plain}))


def replace_chosen(path: Path, **known: Any) -> None:
    entry = {"k": K, "n_rows": N, "written_since": 0, "funnel": FUNNEL} | known
    rewrite(path, lambda plain: plain["chosen"].update(by_signs=[entry]))


@pytest.mark.parametrize(
    ("options", "by"),
    [({}, "by_signs"), ({"codes": ("i8",)}, "by_int8"), ({"metric": "l2"}, "by_int8")],
)
def test_what_was_chosen_is_used_again(
    base: Floats, tmp_path: Path, options: dict[str, Any], by: str
) -> None:
    path = saved(base, tmp_path / "index", **options)
    index = ff.Index(DIM, **options)
    index.add(base)
    assert chosen(path)[by] == [
        {"k": K, "n_rows": N, "written_since": 0, "funnel": str(index.default_funnel(K))}
    ]
    assert ff.open(path).default_funnel(K) == index.default_funnel(K)

    rewrite(path, lambda plain: plain["chosen"][by][0].update(funnel="i8@64>555 f32@64"))
    assert str(ff.open(path).default_funnel(K)) == "i8@64>555 f32@64"  # nothing is chosen anew
    rewrite(path, lambda plain: plain["chosen"][by][0].update(funnel=None))
    assert ff.open(path).default_funnel(K) is None


def test_it_is_read_only_where_it_applies(base: Floats, tmp_path: Path) -> None:
    path = saved(base, tmp_path / "index")
    own = ff.open(path).default_funnel(K)
    replace_chosen(path, n_rows=2 * N // 3)  # keeps grow with the rows
    assert str(ff.open(path).default_funnel(K)) == "b1@64>1166 i8@64>50 f32@64"
    for known in (
        {"n_rows": 2 * N},
        {"n_rows": N // 2},
        {"k": K + 1},
        {"written_since": N // 2 + 1},
    ):
        replace_chosen(path, **known)
        assert ff.open(path).default_funnel(K) == own
    replace_chosen(path)
    rewrite(path, lambda plain: plain["chosen"].update(chooser=99))
    assert ff.open(path).default_funnel(K) == own


def test_an_older_manifest_has_none(base: Floats, tmp_path: Path) -> None:
    path = saved(base, tmp_path / "index")
    own = ff.open(path).default_funnel(K)
    rewrite(path, lambda plain: plain.pop("chosen"))
    assert ff.open(path).default_funnel(K) == own
    with ff.open(path, writable=True) as index:
        index.default_funnel(K)
    assert chosen(path)["by_signs"][0]["funnel"] == str(own)


@pytest.mark.parametrize(
    "known",
    [
        {"k": 0},
        {"k": "10"},
        {"k": True},
        {"k": N + 1},
        {"n_rows": -1},
        {"n_rows": 10**400},
        {"n_rows": 1.5},
        {"written_since": -1},
        {"written_since": 1.5},
        {"written_since": 2**63},
        {"funnel": 7},
        {"funnel": ["b1@64>777"]},
        {"funnel": "b1@64>777"},
        {"funnel": "b1@64>777 f32@65"},
        {"funnel": "b1@64>777 f32@32"},
        {"funnel": "b1@64>777 i8@64"},
        {"funnel": "b1@64>9 f32@64"},
        {"funnel": f"b1@64>{N + 1} f32@64"},
        {"funnel": "b1@0>777 f32@64"},
        {"funnel": "nonsense"},
    ],
)
def test_a_choice_that_cannot_be_is_damage(
    base: Floats, tmp_path: Path, known: dict[str, Any]
) -> None:
    path = saved(base[:100], tmp_path / "index")
    rewrite(path, lambda plain: plain.update(chosen=NOTHING))
    replace_chosen(path, **known)
    with pytest.raises(ValueError, match=r"manifest\.json is damaged: its default funnels"):
        ff.open(path)


@pytest.mark.parametrize(
    "found",
    [
        7,
        [],
        "x",
        {"chooser": 3},
        NOTHING | {"by_signs": 7},
        NOTHING | {"by_int8": [3]},
        NOTHING | {"by_queries": []},
    ],
)
def test_chosen_of_another_form_is_damage(base: Floats, tmp_path: Path, found: Any) -> None:
    path = saved(base[:100], tmp_path / "index")
    rewrite(path, lambda plain: plain.update(chosen=found))
    with pytest.raises(ValueError, match=r"manifest\.json is damaged"):
        ff.open(path)


def test_a_funnel_must_read_codes_that_are_kept(base: Floats, tmp_path: Path) -> None:
    path = saved(base, tmp_path / "index", codes=("b1",))
    replace_chosen(path)
    with pytest.raises(ValueError, match="its default funnels"):
        ff.open(path)


def test_a_live_index_keeps_what_it_chose(base: Floats, tmp_path: Path) -> None:
    path = tmp_path / "live"
    with ff.Index.create(path, DIM) as index:
        index.add(base)
        first = index.default_funnel(K)
    assert [known["k"] for known in chosen(path)["by_signs"]] == [K]

    with ff.open(path, writable=True) as index:  # nothing is added: only the manifest is written
        index.search(base[:1], 5)
        files = {file.name for file in path.iterdir()}
    assert [known["k"] for known in chosen(path)["by_signs"]] == [5, K]
    assert {file.name for file in path.iterdir()} == files
    assert ff.open(path).default_funnel(K) == first
    np.testing.assert_array_equal(ff.open(path).get([0, N - 1]), base[[0, -1]])


def test_closing_an_index_that_chose_nothing_writes_nothing(base: Floats, tmp_path: Path) -> None:
    path = saved(base[:100], tmp_path / "index")
    before = (path / MANIFEST).stat()
    with ff.open(path, writable=True) as index:
        index.search(base[:1], K)
    after = (path / MANIFEST).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_reader_takes_up_what_its_writer_chose(base: Floats, tmp_path: Path) -> None:
    path = tmp_path / "live"
    with ff.Index.create(path, DIM) as index:
        index.add(base)
    reader = ff.open(path)
    replacement = {"k": K, "n_rows": N, "written_since": 0, "funnel": FUNNEL}
    rewrite(
        path,
        lambda plain: plain.update(chosen=NOTHING | {"by_signs": [replacement]}),
    )
    assert reader.reopen()
    assert str(reader.default_funnel(K)) == FUNNEL


def steep(m: int) -> tuple[Floats, Floats]:
    """Return rows whose dims matter less and less, and queries in which all matter alike."""
    rng = np.random.default_rng(8)
    turn = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0]
    rows = (rng.standard_normal((N, DIM)) / np.sqrt(1 + np.arange(DIM))) @ turn
    return rows.astype(np.float32), rng.standard_normal((m, DIM)).astype(np.float32)


def test_what_first_queries_asked_for_is_saved_too(tmp_path: Path) -> None:
    rows, queries = steep(MOST_QUERIES)
    index = ff.Index(DIM)
    index.add(rows)
    index.search(queries, K)
    by_queries = index.default_funnel(K)
    assert by_queries != index.untuned_funnel(K, queries_seen=False)
    index.save(tmp_path / "saved")

    again = ff.open(tmp_path / "saved")
    assert again.default_funnel(K) == by_queries
    again.search(rows[:MOST_QUERIES], K)  # what was decided once stays
    assert again.default_funnel(K) == by_queries
    assert again.untuned_funnel(K, queries_seen=False) == index.untuned_funnel(
        K, queries_seen=False
    )


def test_a_live_index_writes_what_queries_asked_for_when_it_is_flushed(tmp_path: Path) -> None:
    rows, queries = steep(MOST_QUERIES)
    path = tmp_path / "live"
    with ff.Index.create(path, DIM) as index:
        index.add(rows)
        index.search(queries, K)
        index.flush()
        first = index.default_funnel(K)
        assert ff.open(path).default_funnel(K) == first
        before = (path / MANIFEST).stat()
        index.upsert(rows[:5], range(5))
        index.flush()  # nothing was chosen since
        after = (path / MANIFEST).stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        index.search(queries[:1], 5)
    by_queries = chosen(path)["by_queries"]["by_signs"]
    assert [known["k"] for known in by_queries] == [5, K]
    assert by_queries[1]["funnel"] == str(first)


def test_doubted_queries_are_still_doubted_when_an_index_is_opened_again(
    base: Floats, tmp_path: Path
) -> None:
    index = ff.Index(DIM)
    index.add(base)
    by_rows = index.default_funnel(K)
    ones = np.tril(np.ones((DIM, DIM), np.float32))
    index.search(np.concatenate([ones, -ones]), K)  # far from any row
    provisional = index.default_funnel(K)
    index.save(tmp_path / "saved")
    assert chosen(tmp_path / "saved")["by_queries"]["doubted"]

    again = ff.open(tmp_path / "saved")
    assert again.default_funnel(K) == provisional
    again.search(base[:MOST_QUERIES] + base[1 : MOST_QUERIES + 1] / 4, K)
    assert again.default_funnel(K) == by_rows


@pytest.mark.parametrize("doubted", [None, 0, "no"])
def test_doubt_is_true_or_false(base: Floats, tmp_path: Path, doubted: Any) -> None:
    path = saved(base[:100], tmp_path / "index")
    by_queries = {"by_signs": [], "by_int8": [], "doubted": doubted}
    rewrite(path, lambda plain: plain.update(chosen=NOTHING | {"by_queries": by_queries}))
    with pytest.raises(ValueError, match="doubted cannot be"):
        ff.open(path)
