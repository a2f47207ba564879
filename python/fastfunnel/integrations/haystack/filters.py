"""Haystack's filters: SQLite narrows the documents down, Haystack itself decides.

Its operators have Python's meaning and read dates, which SQL does not; so a filter becomes a
condition that holds for every document it can match, and `document_matches_filter` is asked of
those alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from haystack.dataclasses import Document
from haystack.utils.filters import document_matches_filter

from fastfunnel.collection import store
from fastfunnel.collection.where import Condition, compile_where
from fastfunnel.integrations.documents import Keep

Where = dict[Any, Any]

_FIELDS = frozenset(one.name for one in fields(Document))
_ORDERS = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_EVERYTHING: Where = {}
_ANY_DOCUMENT = Document(id="any")


def compile_filters(filters: Mapping[str, Any] | None) -> tuple[Condition | None, Keep | None]:
    """Return a condition that no match of the filters fails, and what decides on the rest.

    Raises:
        FilterError: for what is no filter, however few documents there are.
    """
    if not filters:
        return None, None
    _check(filters)

    def matches(one: store.Document) -> bool:
        embedding: list[float] | None = [] if one.hash else None  # whether there is one, no more
        found: bool = document_matches_filter(filters, as_document(one, embedding=embedding))
        return found

    return compile_where(_narrowed(filters)), matches


def as_document(one: store.Document, **known: Any) -> Document:
    """Return a stored document as Haystack's, with what is known besides."""
    stored = {"content": one.text, **json.loads(one.metadata)}
    return Document.from_dict({**stored, "id": one.id, **known})


def _check(filters: Mapping[str, Any]) -> None:
    """Have Haystack look at the form of every part, whatever documents there are."""
    if "field" in filters:
        document_matches_filter({**filters, "field": "score"}, _ANY_DOCUMENT)  # it has none
        return
    nothing_inside: dict[str, Any] = {"conditions": []} if "conditions" in filters else {}
    document_matches_filter({**filters, **nothing_inside}, _ANY_DOCUMENT)
    for one in filters["conditions"]:
        _check(one)


def _narrowed(filters: Mapping[str, Any]) -> Where:
    if "field" not in filters:
        operator, parts = filters["operator"], filters["conditions"]
        if operator == "NOT" or not parts:
            return _EVERYTHING  # NOT: what its conditions may match is too much to leave out
        return {"$and" if operator == "AND" else "$or": [_narrowed(one) for one in parts]}
    path = _path(filters["field"])
    where = (
        _EVERYTHING if path is None else _comparison(path, filters["operator"], filters["value"])
    )
    try:
        compile_where(where)
    except (TypeError, ValueError):  # a value or a name beyond what SQLite compares
        return _EVERYTHING
    return where


def _path(field: Any) -> tuple[str, ...] | None:
    """Return where a field of `meta` lies; None for another field."""
    if not isinstance(field, str):
        return None
    names = tuple(field.split("."))
    if names[0] == "meta":
        return names if len(names) > 1 else None
    return ("meta", field) if len(names) == 1 and field not in _FIELDS else None


def _comparison(path: tuple[str, ...], operator: str, value: Any) -> Where:
    if operator == "==":
        return _among(path, [value])
    if operator == "in":
        return _among(path, value)
    if operator in _ORDERS and isinstance(value, (int, float)):
        bools = {"$in": [True, False]}  # which Python orders among numbers
        return {"$or": [{path: {_ORDERS[operator]: value + 0}}, {path: bools}]}
    return _EVERYTHING


def _among(path: tuple[str, ...], values: list[Any]) -> Where:
    if any(isinstance(one, str) and one[:4].isdigit() for one in values):
        return _EVERYTHING  # it may be a date, and dates are equal in many ways
    same = [other for one in values if one in (0, 1) for other in (bool(one), int(one))]
    return {path: {"$in": [*values, *same]}}
