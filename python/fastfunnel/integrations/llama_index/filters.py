"""LlamaIndex's filters on metadata as conditions of SQLite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

from fastfunnel.collection.where import Condition, compile_where

Where = Mapping[str, Any]


def compile_filters(filters: MetadataFilters) -> Condition:
    """Return the condition that filters state, nested as they may be; none hold for everything.

    Raises:
        TypeError, ValueError: for a value that its operator cannot take, or another operator.
    """
    return compile_where(_group(filters))


def _group(filters: MetadataFilters) -> Where:
    parts = [
        _group(one) if isinstance(one, MetadataFilters) else _single(one) for one in filters.filters
    ]
    if not parts:
        return {}
    if filters.condition == FilterCondition.OR:
        return {"$or": parts}
    if filters.condition == FilterCondition.NOT:
        return {"$not": {"$or": parts}}  # as LlamaIndex has it: none of them holds
    return {"$and": parts}


def _single(one: MetadataFilter) -> Where:
    if one.operator not in _OPERATORS:
        known = ", ".join(operator.name for operator in _OPERATORS)
        raise ValueError(f"filters know the operators {known}, got {one.operator!r}")
    return _OPERATORS[one.operator]((one.key,), one.value)


def _plain(name: str) -> Callable[[Any, Any], Where]:
    return lambda key, value: {key: {name: value}}


def _among(name: str) -> Callable[[Any, Any], Where]:
    return lambda key, value: {key: {name: _with_bools(_listed(value))}}


def _with_bools(values: list[Any]) -> list[Any]:
    """Return the values; 0 and 1, the only way a filter can say them, stand for bools too."""
    return [*values, *(bool(one) for one in values if one in (0, 1))]


def _any(key: Any, value: Any) -> Where:
    parts = [{key: {"$contains": one}} for one in _with_bools(_listed(value))]
    return {"$or": parts} if parts else {key: {"$in": []}}


def _all(key: Any, value: Any) -> Where:
    parts = [_any(key, [one]) for one in _listed(value)]
    return {"$and": [{key: {"$ne": None}}, *parts]}


def _text(name: str) -> Callable[[Any, Any], Where]:
    def single(key: Any, value: Any) -> Where:
        if not isinstance(value, str):
            raise TypeError(f"a text match must have a text to look for, got {value!r}")
        return {key: {name: value}}

    return single


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"the operators IN, NIN, ANY and ALL must have a list, got {value!r}")
    return value


_OPERATORS: dict[FilterOperator, Callable[[Any, Any], Where]] = {
    FilterOperator.EQ: lambda key, value: {key: {"$in": _with_bools([value])}},
    FilterOperator.NE: lambda key, value: {key: {"$nin": _with_bools([value])}},
    FilterOperator.GT: _plain("$gt"),
    FilterOperator.GTE: _plain("$gte"),
    FilterOperator.LT: _plain("$lt"),
    FilterOperator.LTE: _plain("$lte"),
    FilterOperator.IN: _among("$in"),
    FilterOperator.NIN: _among("$nin"),
    FilterOperator.ANY: _any,
    FilterOperator.ALL: _all,
    FilterOperator.CONTAINS: lambda key, value: _any(key, [value]),
    FilterOperator.TEXT_MATCH: _text("$contains"),
    FilterOperator.TEXT_MATCH_INSENSITIVE: _text("$icontains"),
    FilterOperator.IS_EMPTY: lambda key, _: {key: {"$empty": True}},
}
