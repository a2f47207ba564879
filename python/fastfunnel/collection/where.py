"""Filters on metadata, compiled to parameterised SQL.

    {"lang": "en", "year": {"$gte": 2020, "$lt": 2024}}
    {"$or": [{"tag": {"$in": ["a", "b"]}}, {"$not": {"draft": True}}]}
    {"tags": {"$contains": "new"}, "title": {"$icontains": "Late"}}

A condition holds only for a value of its own kind: numbers compare with numbers, text with text,
true is not 1. A missing field equals None, and nothing else. $contains looks for a part of a text
or an item of a list, $icontains for a part of a text in any case; {"$empty": True} holds for a missing
field, None, "" and []. A tuple of names in place of a
field's name reaches into nested objects.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_SIDE_BY_SIDE = 100  # conditions in one expression, whose depth SQLite limits to 1000
_KINDS = {"number": "('integer', 'real')", "text": "('text')"}


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL expression over `metadata`, and what its question marks stand for."""

    sql: str
    parameters: tuple[Any, ...] = ()


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection what conditions call: SQLite's own `lower` knows ASCII alone."""
    connection.create_function("casefold", 1, _casefold, deterministic=True)


def compile_where(where: Mapping[Any, Any]) -> Condition:
    """Return the condition that a filter states; an empty filter holds for everything.

    Raises:
        TypeError, ValueError: naming the part that is not a filter.
    """
    if not isinstance(where, Mapping):
        raise TypeError(f"where must be a dict, got {type(where).__name__}")
    try:
        return all_of([_entry(key, value) for key, value in where.items()])
    except RecursionError:
        raise ValueError("where must not be nested so deep") from None


def with_ids(ids: Sequence[str]) -> Condition:
    """Return the condition that a document has one of these ids."""
    return Condition("id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),))


def all_of(parts: Sequence[Condition]) -> Condition:
    """Return the condition that all of them hold."""
    return _joined(" AND ", parts) if parts else Condition("1")


def _casefold(text: Any) -> str | None:
    return text.casefold() if isinstance(text, str) else None


def _entry(key: Any, value: Any) -> Condition:
    if isinstance(key, tuple):
        return _field(key, value)
    if not isinstance(key, str):
        raise TypeError(f"where must have str keys, got {type(key).__name__}")
    if key in ("$and", "$or"):
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
            raise ValueError(f"{key} must hold a list of filters, got {value!r}")
        parts = [compile_where(one) for one in value]
        return all_of(parts) if key == "$and" else _joined(" OR ", parts)
    if key == "$not":
        return _not(compile_where(value))
    if key.startswith("$"):
        raise ValueError(f"where knows $and, $or and $not around fields, got {key!r}")
    return _field((key,), value)


def _field(names: tuple[Any, ...], value: Any) -> Condition:
    path = _path(names)
    if isinstance(value, Mapping):
        if not value:
            raise ValueError(f"where must say what {names[-1]!r} is to be, got an empty dict")
        return all_of([_operation(path, name, operand) for name, operand in value.items()])
    return _one_of(path, [value])


def _operation(path: str, name: Any, operand: Any) -> Condition:
    if name in _COMPARISONS:
        kind = _kind(operand)
        if kind not in _KINDS:
            raise TypeError(f"{name} must compare with a number or text, got {operand!r}")
        return Condition(
            f"(coalesce(json_type(metadata, ?) IN {_KINDS[kind]}, 0) "
            f"AND json_extract(metadata, ?) {_COMPARISONS[name]} json_extract(?, '$'))",
            (path, path, json.dumps(operand)),
        )
    if name in _OPERATIONS:
        return _OPERATIONS[name](path, operand)
    known = ", ".join([*_OPERATIONS, *_COMPARISONS])
    raise ValueError(f"where knows {known}, got {name!r}")


def _one_of(path: str, values: Any) -> Condition:
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)):
        raise TypeError(f"$in and $nin must hold a list, got {values!r}")
    kinds = [_kind(value) for value in values]
    parts: list[Condition] = []
    for kind, types in _KINDS.items():
        chosen = [value for value, its in zip(values, kinds, strict=True) if its == kind]
        if chosen:  # both sides through SQLite's JSON reader, so that floats round alike
            sql = (
                f"(coalesce(json_type(metadata, ?) IN {types}, 0) AND "
                "json_extract(metadata, ?) IN (SELECT value FROM json_each(?)))"
            )
            parts.append(Condition(sql, (path, path, json.dumps(chosen))))
    for value in (True, False):
        if any(one is value for one in values):
            name = json.dumps(value)
            parts.append(Condition("coalesce(json_type(metadata, ?) = ?, 0)", (path, name)))
    if "null" in kinds:
        parts.append(Condition("coalesce(json_type(metadata, ?), 'null') = 'null'", (path,)))
    return _joined(" OR ", parts) if parts else Condition("0")


def _exists(path: str, operand: Any) -> Condition:
    if not isinstance(operand, bool):
        raise TypeError(f"$exists must be True or False, got {operand!r}")
    return Condition(f"json_type(metadata, ?) IS {'NOT ' * operand}NULL", (path,))


def _empty(path: str, operand: Any) -> Condition:
    if not isinstance(operand, bool):
        raise TypeError(f"$empty must be True or False, got {operand!r}")
    nothing = Condition(
        "(coalesce(json_type(metadata, ?), 'null') = 'null' OR coalesce(json_type(metadata, ?) = "
        "'text' AND json_extract(metadata, ?) = '', 0) OR coalesce(json_type(metadata, ?) = "
        "'array' AND json_array_length(metadata, ?) = 0, 0))",
        (path,) * 5,
    )
    return nothing if operand else _not(nothing)


def _contains(path: str, operand: Any) -> Condition:
    kind = _kind(operand)
    types = _KINDS.get(kind, f"('{json.dumps(operand)}')")  # of a bool or None, its own name
    item = Condition(
        "(coalesce(json_type(metadata, ?) = 'array', 0) AND EXISTS (SELECT 1 FROM "
        f"json_each(metadata, ?) AS item WHERE item.type IN {types} "
        "AND item.value IS json_extract(?, '$')))",
        (path, path, json.dumps(operand)),
    )
    return _joined(" OR ", [item, _part_of_text(path, operand)]) if kind == "text" else item


def _contains_in_any_case(path: str, operand: Any) -> Condition:
    if _kind(operand) != "text":
        raise TypeError(f"$icontains must look for text, got {operand!r}")
    return _part_of_text(path, operand, "casefold")


def _part_of_text(path: str, part: str, function: str = "") -> Condition:
    return Condition(
        f"(coalesce(json_type(metadata, ?) = 'text', 0) AND instr({function}(json_extract("
        f"metadata, ?)), {function}(json_extract(?, '$'))) > 0)",
        (path, path, json.dumps(part)),
    )


_OPERATIONS: dict[str, Callable[[str, Any], Condition]] = {
    "$eq": lambda path, operand: _one_of(path, [operand]),
    "$ne": lambda path, operand: _not(_one_of(path, [operand])),
    "$in": _one_of,
    "$nin": lambda path, operand: _not(_one_of(path, operand)),
    "$exists": _exists,
    "$empty": _empty,
    "$contains": _contains,
    "$icontains": _contains_in_any_case,
}


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        if "\0" in value:  # where SQLite's JSON functions end a text
            raise ValueError(f"where must not hold NUL characters, got {value!r}")
        return "text"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return "number"
    if isinstance(value, float) and math.isfinite(value):
        return "number"
    raise TypeError(f"where must hold text, finite 64-bit numbers, bools or None, got {value!r}")


def _path(names: tuple[Any, ...]) -> str:
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a field's name must be str, got {type(name).__name__}")
        if not name or any(one in name for one in '"\\\0'):
            raise ValueError(
                f"a field's name must not be empty or hold quotes or NUL characters, got {name!r}"
            )
    return "$" + "".join(f'."{name}"' for name in names)


def _not(part: Condition) -> Condition:
    return Condition(f"NOT {part.sql}", part.parameters)


def _joined(word: str, parts: Sequence[Condition]) -> Condition:
    if len(parts) > _SIDE_BY_SIDE:
        middle = len(parts) // 2
        parts = [_joined(word, parts[:middle]), _joined(word, parts[middle:])]
    sql = f"({word.join(part.sql for part in parts)})"
    return Condition(sql, tuple(one for part in parts for one in part.parameters))
