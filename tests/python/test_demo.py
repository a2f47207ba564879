"""The demo's parts: what it gathers, holds out, keeps and measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fastfunnel.demo import contenders as contenders_module
from fastfunnel.demo.comparison import compare, recall
from fastfunnel.demo.contenders import Contender, IdRows, NumpyExact, contenders
from fastfunnel.demo.corpora import line_corpus
from fastfunnel.demo.docstrings import read_docstrings
from fastfunnel.demo.held_out import hold_out, searched_rows
from fastfunnel.demo.home import demo_directory, replacing
from fastfunnel.demo.machine import cpu_name, cpu_threads
from fastfunnel.demo.passage import Passage
from fastfunnel.demo.texts import FILE_NAME, read_texts, write_texts
from fastfunnel.demo.wordnet import read_wordnet, wordnet_directory
from fastfunnel.embedders import FloatRows

MODULE = '''
"""Boil water in a kettle.

Mind the steam, it is hot.

Parameters
----------
kettle : the kettle
"""
from pathlib import Path

Path(__file__).with_name("executed").touch()


class Kettle:
    """A vessel that boils water for tea."""

    async def pour(self):
        """Pour the water into a cup."""

    def _lift(self):
        """Lift the kettle from its private base."""


def again():
    """Pour the water into a cup."""
'''


def unit_rows(count: int, dim: int, seed: int = 0) -> FloatRows:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a root with one documented package, and things that must be passed over."""
    root = tmp_path / "lib"
    for directory in ("kitchen", "kitchen/tests", "kitchen/_private"):
        (root / directory).mkdir(parents=True)
    (root / "kitchen" / "__init__.py").write_text(MODULE, encoding="utf-8")
    (root / "kitchen" / "broken.py").write_text('"""A text that is not Python."""\nif\n')
    (root / "kitchen" / "latin.py").write_bytes(b'"""Bytes that are not UTF-8: \xe9\xff here."""\n')
    (root / "kitchen" / "tests" / "cases.py").write_text('"""Texts of tests are left out."""\n')
    (root / "kitchen" / "_private" / "inner.py").write_text('"""A private text is left out."""\n')
    return root


def test_docstrings_are_gathered_without_running_anything(package: Path) -> None:
    passages = read_docstrings([package, package / "absent"])
    assert [passage.text for passage in passages] == [
        "kitchen: Boil water in a kettle. Mind the steam, it is hot.",
        "kitchen.Kettle: A vessel that boils water for tea.",
        "kitchen.Kettle.pour: Pour the water into a cup.",
    ]
    assert passages[0].query == "Boil water in a kettle."
    assert passages[0].without_query() == "kitchen: Mind the steam, it is hot."
    assert not (package / "kitchen" / "executed").exists()


def test_docstrings_stop_at_the_byte_budget(package: Path) -> None:
    assert read_docstrings([package], most_bytes=10) == []


def test_wordnet_synsets_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "  1 This software and database is being provided to you\n"
        "00001740 03 n 02 hot_dog 0 red_hot(a) 0 001 @ 00 n 0000 | a sausage; "
        '"he ate a hot dog slowly"\n'
    )
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text(lines if part == "noun" else "", encoding="utf-8")
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    assert wordnet_directory() == tmp_path
    (passage,) = read_wordnet(tmp_path)
    assert passage.text == 'hot dog, red hot: a sausage; "he ate a hot dog slowly"'
    assert passage.query == "he ate a hot dog slowly"
    assert passage.without_query() == "hot dog, red hot: a sausage"


def test_lines_are_distinct_and_not_empty(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("one  tea\n\ntwo teas\none tea\n", encoding="utf-8")
    corpus = line_corpus(file)
    assert [passage.text for passage in corpus.passages] == ["one tea", "two teas"]
    assert corpus.description == "2 lines of lines.txt"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"one\none\n", "1 distinct lines"), (b"", "0 distinct lines"), (b"\xff\xfe", "not UTF-8")],
)
def test_files_that_are_no_corpus_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        line_corpus(file)


def encode_as_minus_one(texts: Sequence[str]) -> FloatRows:
    return np.full((len(texts), 4), -1, np.float32)


def test_held_out_texts_are_cut_or_dropped() -> None:
    whole = [Passage(f"text {n}", "lines", f"text {n}") for n in range(20)]
    part = [Passage(f"word {n}: the query {n}", "WordNet", f"the query {n}") for n in range(20)]
    vectors = np.arange(160, dtype=np.float32).reshape(40, 4)
    for passages, dropped in ((whole + whole, 4), (part + part, 0)):
        held_out = hold_out(passages, 1000)
        assert len(held_out) == 4
        assert held_out.queries == hold_out(passages, 1000).queries
        searched = searched_rows(vectors, held_out, encode_as_minus_one)
        assert len(searched) == 40 - dropped
        assert (searched == -1).all(axis=1).sum() == 4 - dropped
        kept = np.delete(vectors, held_out.rows, axis=0)
        assert len(np.intersect1d(searched[:, 0], kept[:, 0])) == 36
    assert vectors.min() == 0  # the index of the whole corpus is untouched


def test_nothing_to_hold_out_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text holds a sentence"):
        hold_out([Passage("a text", "lines")], 10)
    with pytest.raises(ValueError, match="at least one query"):
        hold_out([Passage("a text", "lines", "a text")], 0)


def test_texts_come_back_by_id(tmp_path: Path) -> None:
    passages = [Passage("one ☕", "a"), Passage("two", "b")]
    assert read_texts(tmp_path, [0]) == {}
    write_texts(tmp_path, passages)
    assert read_texts(tmp_path, [1, 0, 7]) == {1: passages[1], 0: passages[0]}
    with pytest.raises(FileExistsError, match=FILE_NAME):
        write_texts(tmp_path, passages)


def test_damaged_texts_are_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    with pytest.raises(ValueError, match=FILE_NAME):
        read_texts(tmp_path, [0])


def build(directory: Path, text: str) -> None:
    with replacing(directory) as built:
        built.mkdir()
        write_texts(built, [Passage(text, "test")])
        if text == "broken":
            raise RuntimeError("stopped half-way")


def test_a_new_index_replaces_the_old_one_whole_or_not_at_all(tmp_path: Path) -> None:
    home = tmp_path / "data" / "demo"
    build(home, "old")
    build(home, "new")
    with pytest.raises(RuntimeError, match="half-way"):
        build(home, "broken")
    assert read_texts(home, [0])[0].text == "new"
    assert list(home.parent.iterdir()) == [home]


def test_other_peoples_directories_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match="other files"):
        build(tmp_path, "new")
    with pytest.raises(ValueError, match="not a directory"):
        build(tmp_path / "thesis.tex", "new")
    assert (tmp_path / "thesis.tex").exists()


def test_the_home_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTFUNNEL_HOME", str(tmp_path))
    assert demo_directory() == tmp_path / "demo"


def test_numpy_exact_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders_module, "NUMPY_CHUNK", 3)
    base, queries = unit_rows(50, 8), unit_rows(7, 8, seed=1)
    order = np.argsort(-(queries @ base.T), axis=1)
    np.testing.assert_array_equal(NumpyExact(base)(queries, 5), order[:, :5])
    np.testing.assert_array_equal(NumpyExact(base)(queries, 99), order)


def test_recall_counts_equal_rows_and_not_missing_ones() -> None:
    base = unit_rows(10, 8)
    base[3] = base[7]
    queries = base[7:8]
    truth = np.array([[3]])
    assert recall(base, queries, np.array([[7]]), truth) == 1
    assert recall(base, queries, np.array([[-1]]), truth) == 0
    assert recall(base, queries, np.array([[0]]), truth) == 0


def test_contenders_are_measured_in_turn() -> None:
    pytest.importorskip("threadpoolctl")
    base, queries = unit_rows(400, 64), unit_rows(9, 64, seed=1)
    turns: list[tuple[int, int]] = []

    def first_rows(asked: FloatRows, k: int) -> IdRows:
        return np.tile(np.arange(k, dtype=np.int64), (len(asked), 1))

    searches = [*contenders(base, 10), Contender("the first rows", 1, first_rows)]
    measured = compare(searches, base, queries, repeats=2, on_turn=lambda *turn: turns.append(turn))
    assert turns == [(turn + 1, 12) for turn in range(12)]
    assert [one.name for one in measured] == [search.name for search in searches]
    assert [measured[0].recall, measured[1].recall] == [1, 1]
    assert measured[0].scanned_bytes == 256
    assert measured[-1].recall < 0.5
    assert all(0 < one.p50_ms <= one.p99_ms and one.queries_per_second > 0 for one in measured)
    with pytest.raises(ValueError, match="at least one repeat"):
        compare(searches, base, queries, repeats=0)


def test_the_machine_has_a_name() -> None:
    assert cpu_name()
    assert cpu_threads() >= 1
