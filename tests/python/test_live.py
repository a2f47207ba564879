"""An index that lives on disk: each change that returned is there, whatever happens next."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastfunnel as ff
from fastfunnel.storage import live
from fastfunnel.storage.log import Change, Kind

DIM = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let logs fill and batches count as large after a few rows."""
    monkeypatch.setattr(live, "LOG_BYTES", 4000)
    monkeypatch.setattr(live, "DIRECT_ROWS", 60)


def rows_of(ids: np.ndarray, salt: int = 0) -> np.ndarray:
    """Rows that their ids determine, so that an oracle need not keep them."""
    return np.stack([np.random.default_rng([int(i), salt]).standard_normal(DIM) for i in ids])


def contents(index: ff.Index) -> dict[int, list[float]]:
    ids = list(index)
    return dict(zip(ids, index.get(ids).tolist(), strict=True)) if ids else {}


def on_disk(path: Path) -> dict[int, list[float]]:
    return contents(ff.open(path, verify=True))


def test_changes_are_on_disk_when_they_return(path: Path) -> None:
    index = ff.Index.create(path, dim=DIM, model="some-model")
    index.add(rows_of(np.arange(5)))
    assert list(ff.open(path)) == [0, 1, 2, 3, 4]
    assert index.remove([1, 7]) == 1
    assert index.upsert(rows_of(np.array([2, 9]), 1), [2, 9]) == 1

    assert on_disk(path) == contents(index)
    assert sorted(on_disk(path)) == [0, 2, 3, 4, 9]
    assert ff.open(path).model == "some-model"
    assert index.add(rows_of(np.arange(1))).tolist() == [10]


def test_a_closed_index_is_arrays_that_numpy_reads(path: Path) -> None:
    with ff.Index.create(path, dim=DIM) as index:
        index.add(rows_of(np.arange(5)))
        index.remove([3])
        expected = contents(index)

    [vectors], [ids] = path.glob("vectors-*.npy"), path.glob("ids-*.npy")
    assert dict(zip(np.load(ids).tolist(), np.load(vectors).tolist(), strict=True)) == expected
    assert not list(path.glob("log-*"))
    with pytest.raises(ValueError, match="is closed"):
        index.add(rows_of(np.arange(1)))


def test_ids_of_removed_rows_are_not_given_again(path: Path) -> None:
    with ff.Index.create(path, dim=DIM) as index:
        index.add(rows_of(np.arange(5)))
        index.remove([4])
    with ff.open(path, writable=True) as index:
        assert index.add(rows_of(np.arange(1))).tolist() == [5]


def test_many_short_sessions_leave_few_files(path: Path) -> None:
    ff.Index.create(path, dim=DIM).close()
    for n in range(40):
        with ff.open(path, writable=True) as index:
            index.add(rows_of(np.array([n])))

    assert list(ff.open(path)) == list(range(40))
    assert len(list(path.glob("vectors-*"))) <= 6


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "upsert", "remove"]), st.integers(1, 150)),
        st.tuples(st.sampled_from(["compact", "close", "abandon"]), st.just(0)),
    ),
    max_size=15,
)


@pytest.mark.usefixtures("small_limits")
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES, seed=st.integers(0, 2**32 - 1), mmap=st.booleans())
def test_any_changes_match_a_dict(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[str, int]],
    seed: int,
    mmap: bool,
) -> None:
    rng = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("live") / "index"
    index = ff.Index.create(path, dim=DIM)
    reader = ff.open(path, mmap=mmap)
    expected: dict[int, list[float]] = {}
    for step, (kind, n) in enumerate(changes):
        ids = rng.choice(400, n, replace=False)
        if kind == "add":
            ids = np.array([i for i in ids if i not in expected], np.int64)
        rows = rows_of(ids, step).astype(np.float32) if len(ids) else None
        if kind in ("add", "upsert") and rows is not None:
            getattr(index, kind)(rows, ids)
            expected.update(zip(ids.tolist(), rows.tolist(), strict=True))
        elif kind == "remove":
            assert index.remove(ids) == len(expected.keys() & set(ids.tolist()))
            expected = {i: row for i, row in expected.items() if i not in ids}
        elif kind == "compact":
            index.compact()
        elif kind in ("close", "abandon"):
            if kind == "close":
                index.close()
            else:
                index._journal._lock.release()  # type: ignore[union-attr]  # as its end would
            index = ff.open(path, mmap=mmap, writable=True)
        assert contents(index) == expected
        reader.reopen()
        assert contents(reader) == on_disk(path) == expected
    index.close()
    assert on_disk(path) == expected


@pytest.mark.usefixtures("small_limits")
def test_searches_agree_before_and_after(path: Path, rng: np.random.Generator) -> None:
    index = ff.Index.create(path, dim=DIM)
    memory = ff.Index(dim=DIM)
    queries = rng.standard_normal((5, DIM))
    for first in range(0, 600, 50):
        ids = np.arange(first, first + (50 if first % 100 else 130))[: 600 - first]
        for each in (index, memory):
            each.upsert(rows_of(ids), ids)
            each.remove(ids[::7])
        for reader in (index, ff.open(path)):
            for options in ({"exact": True}, {"funnel": ff.Funnel.parse("b1@8>600 f32@8")}):
                found, expected = (
                    reader.search(queries, 9, **options),
                    memory.search(queries, 9, **options),
                )
                assert np.array_equal(found.ids, expected.ids)
                assert np.allclose(found.scores, expected.scores, atol=1e-6)


def test_a_second_writer_is_refused(path: Path) -> None:
    index = ff.Index.create(path, dim=DIM)
    message = rf"is open for writing elsewhere \(process {os.getpid()}\); an index has one writer"
    with pytest.raises(BlockingIOError, match=message):
        ff.open(path, writable=True)
    with pytest.raises(BlockingIOError, match=message):
        ff.Index(dim=DIM).save(path)
    with pytest.raises(FileExistsError, match="open it with writable=True"):
        ff.Index.create(path, dim=DIM)
    index.close()
    ff.open(path, writable=True).close()


def _in_child(work: Callable[[], None]) -> int:
    """Fork; return how the child ended."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


@pytest.fixture
def forking() -> None:
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs fork")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("forking")
def test_a_forked_child_cannot_write_but_reads(path: Path) -> None:
    index = ff.Index.create(path, dim=DIM)
    index.add(rows_of(np.arange(3)))

    def child() -> None:
        with pytest.raises(ValueError, match="forked"):
            index.add(rows_of(np.arange(1)))
        assert list(index) == list(ff.open(path)) == [0, 1, 2]
        os._exit(7)  # an assertion would end it with 1

    assert _in_child(child) == 7
    index.add(rows_of(np.arange(1)))
    assert len(ff.open(path)) == 4


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.usefixtures("forking")
def test_the_lock_goes_with_its_process(path: Path) -> None:
    def child() -> None:
        ff.Index.create(path, dim=DIM).add(rows_of(np.arange(3)))
        os._exit(7)

    assert _in_child(child) == 7
    with ff.open(path, writable=True) as index:
        assert list(index) == [0, 1, 2]


@pytest.mark.parametrize("metric", ["l2", "ip"])
def test_a_log_of_rows_that_cannot_be_added_is_refused(path: Path, metric: str) -> None:
    """Found by fuzzing: their scores are no numbers, which ended the process."""
    index = ff.Index.create(path, dim=DIM, metric=metric)
    index.add(np.eye(DIM))
    too_long = np.full((1, DIM), 2.0**60, np.float32)
    index._journal._log.append(Change(Kind.ADD, np.array([99]), too_long))

    with pytest.raises(ValueError, match=r"is damaged: rows must lie within ±2\^50 with metric"):
        ff.open(path)


def test_tuning_is_kept(path: Path, rng: np.random.Generator) -> None:
    index = ff.Index.create(path, dim=DIM)
    index.add(rng.standard_normal((300, DIM)))
    report = index.tune(rng.standard_normal((40, DIM)), k=3, recall=0.9, budget_s=1, progress=False)

    assert ff.open(path).default_funnel(3) == report.funnel


@pytest.mark.parametrize("closed", [False, True])
def test_tuning_that_cannot_be_kept_changes_nothing(
    path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    index = ff.Index.create(path, dim=DIM)
    index.add(rng.standard_normal((300, DIM)))
    queries = rng.standard_normal((40, DIM))
    if closed:
        index.close()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = "is closed" if closed else "No space left"
    with pytest.raises(ValueError if closed else OSError, match=message):
        index.tune(queries, k=3, recall=0.9, budget_s=1, progress=False)
    for one in (index, ff.open(path)):
        with pytest.raises(ValueError, match="tuned so far: nothing"):
            one.search(queries, k=3, recall=0.9)


def test_reopen_needs_a_directory() -> None:
    with pytest.raises(ValueError, match="opened from disk"):
        ff.Index(dim=2).reopen()


def test_reopen_says_whether_there_was_news(path: Path) -> None:
    index = ff.Index.create(path, dim=DIM)
    reader = ff.open(path)

    assert not reader.reopen()
    index.add(rows_of(np.arange(2)))
    assert reader.reopen()
    assert not reader.reopen()
    index.close()
    assert reader.reopen()
    assert contents(reader) == contents(index)
