"""Collections searched and thinned by filters."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fox_texts import found, fox_collection

import fastfunnel as ff


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[ff.Collection]:
    with fox_collection(tmp_path / "c") as made:
        yield made


def test_where_filters_before_the_top_k(collection: ff.Collection) -> None:
    assert found(collection.search("bread", k=2, where={"animal": "fox"})) != []
    assert set(found(collection.search("bread", k=9, where={"animal": "fox"}))) == {"w", "z"}
    assert found(collection.search("fox", where={"n": {"$gt": 0}, "animal": "fox"})) == ["z"]
    assert collection.search("fox", where={"animal": "emu"}) == []


def test_filters_of_any_size(collection: ff.Collection) -> None:
    many = {"$or": [{"n": n} for n in range(3, 3000)]}
    assert found(collection.search("fox", where=many)) == ["z"]
    assert found(collection.search("fox", where=many, hybrid=True)) == ["z"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs Connection.setlimit")
def test_a_filter_that_is_too_much_for_sqlite(collection: ff.Collection) -> None:
    collection._store._connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)
    where = {"$or": [{"n": n} for n in range(40)]}
    for ask in (
        lambda: collection.search("fox", where=where),
        lambda: collection.delete(where=where),
    ):
        with pytest.raises(ValueError, match="where must be simpler for SQLite: too many"):
            ask()
    assert len(collection) == 4


def test_what_looks_like_an_escape_is_text(collection: ff.Collection) -> None:
    collection.add(["new"], [{"path": "C:\\u0000"}])
    assert [hit.text for hit in collection.search("new", where={"path": "C:\\u0000"})] == ["new"]


def test_delete_by_filter(collection: ff.Collection) -> None:
    assert collection.delete(where={"animal": "fox"}) == 2
    assert collection.delete(["w", "nobody"]) == 0
    assert len(collection) == 2
    assert set(found(collection.search("fox", k=9))) == {"x", "y"}
    for arguments in ({}, {"ids": ["x"], "where": {}}):
        with pytest.raises(ValueError, match="either ids or where"):
            collection.delete(**arguments)  # type: ignore[arg-type]
