"""Filters, against a plain Python reading of what they mean."""

from __future__ import annotations

import json
import operator
import sqlite3
from contextlib import closing
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfunnel.collection.where import add_functions, compile_where

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, 0.1, -2.75]),
    st.sampled_from(["", "a", "b", "1", "true", "it's", "\"x\"", "é", "BÉ"]),
)  # fmt: skip
FIELDS = st.sampled_from(["a", "b.c", "d e", "naïve"])
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2))
METADATA = st.dictionaries(FIELDS, st.one_of(VALUES, st.dictionaries(FIELDS, VALUES)), max_size=4)
COMPARABLE = SCALARS.filter(lambda value: value is not None and not isinstance(value, bool))
OPERATIONS = st.one_of(
    st.fixed_dictionaries({"$eq": SCALARS}),
    st.fixed_dictionaries({"$ne": SCALARS}),
    st.fixed_dictionaries({"$in": st.lists(SCALARS, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(SCALARS, max_size=3)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
    st.fixed_dictionaries({"$empty": st.booleans()}),
    st.fixed_dictionaries({"$contains": SCALARS}),
    st.fixed_dictionaries({"$icontains": SCALARS.filter(lambda value: isinstance(value, str))}),
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), COMPARABLE, min_size=1),
)
KEYS = st.one_of(FIELDS, st.tuples(FIELDS, FIELDS))
LEAVES = st.dictionaries(KEYS, st.one_of(SCALARS, OPERATIONS), max_size=2)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=5,
)
ABSENT = object()
ORDERS = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def kind(value: Any) -> str:
    if value is ABSENT or value is None:
        return "null"
    return {bool: "bool", int: "number", float: "number", str: "text"}.get(type(value), "other")


def same(value: Any, wanted: Any) -> bool:
    return kind(value) == kind(wanted) and (kind(value) == "null" or value == wanted)


def holds(where: dict[str, Any], metadata: dict[str, Any]) -> bool:
    return all(part_holds(key, value, metadata) for key, value in where.items())


def part_holds(key: str | tuple[str, str], wanted: Any, metadata: dict[str, Any]) -> bool:
    if key == "$and":
        return all(holds(one, metadata) for one in wanted)
    if key == "$or":
        return any(holds(one, metadata) for one in wanted)
    if key == "$not":
        return not holds(wanted, metadata)
    value: Any = metadata
    for name in key if isinstance(key, tuple) else (key,):
        value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    if not isinstance(wanted, dict):
        return same(value, wanted)
    return all(operation_holds(name, value, operand) for name, operand in wanted.items())


def operation_holds(name: str, value: Any, operand: Any) -> bool:
    if name in ORDERS:
        return kind(value) == kind(operand) and bool(ORDERS[name](value, operand))
    if name == "$exists":
        return (value is not ABSENT) == operand
    if name == "$empty":
        return (value in (ABSENT, None, "", [])) == operand
    if name == "$icontains":
        return isinstance(value, str) and operand.casefold() in value.casefold()
    if name == "$contains":
        if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        return isinstance(value, list) and any(same(one, operand) for one in value)
    among = any(same(value, one) for one in (operand if "in" in name else [operand]))
    return among != (name in ("$ne", "$nin"))


@given(st.lists(METADATA, max_size=4), FILTERS)
def test_sql_means_what_the_filter_says(
    stored: list[dict[str, Any]], where: dict[str, Any]
) -> None:
    condition = compile_where(where)
    with closing(sqlite3.connect(":memory:")) as connection:
        add_functions(connection)
        connection.execute("CREATE TABLE d (metadata TEXT)")
        rows = [(json.dumps(one, ensure_ascii=False),) for one in stored]
        connection.executemany("INSERT INTO d VALUES (?)", rows)
        sql = f"SELECT rowid - 1 FROM d WHERE {condition.sql} ORDER BY rowid"
        found = [row[0] for row in connection.execute(sql, condition.parameters)]
    assert found == [place for place, one in enumerate(stored) if holds(where, one)]


@given(st.text(), st.text())
def test_nothing_of_the_filter_is_in_the_sql(key: str, value: str) -> None:
    try:
        condition = compile_where({key: value})
    except ValueError:
        return
    assert condition.sql == compile_where({"field": "value"}).sql


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ([], "where must be a dict"),
        ({1: 2}, "str keys"),
        ({"$nor": []}, "knows \\$and, \\$or and \\$not"),
        ({"$or": []}, "must hold a list of filters"),
        ({"a": {}}, "must say what 'a' is to be"),
        ({"a": {"$like": "x"}}, "knows \\$eq"),
        ({"a": {"$in": "xyz"}}, "must hold a list"),
        ({"a": {"$gt": None}}, "a number or text"),
        ({"a": {"$exists": 1}}, "True or False"),
        ({"a": {"$empty": 1}}, "True or False"),
        ({"a": [1]}, "must hold text"),
        ({"a": 2**70}, "64-bit"),
        ({"a": float("inf")}, "finite"),
        ({'a"': 1}, "quotes"),
        ({("a", 1): 1}, "name must be str"),
        ({"a": {"$contains": [1]}}, "must hold text"),
        ({"a": {"$icontains": 1}}, "look for text"),
        ({"a": "x\0y"}, "NUL"),
        ({"a": {"$contains": "\0"}}, "NUL"),
        ({"a": {"$icontains": "\0"}}, "NUL"),
        ({"a\0": 1}, "NUL"),
        (reduce(lambda inner, _: {"$not": inner}, range(2000), {"a": 1}), "nested so deep"),
    ],
)
def test_what_is_no_filter_is_named(where: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        compile_where(where)
