"""Texts from a file or a pipe, one at a time: txt, jsonl, csv, parquet."""

from __future__ import annotations

import csv
import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

SUFFIXES = {".txt": "txt", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv",
            ".parquet": "parquet"}  # fmt: skip
ROWS_AT_ONCE = 1024
_LONGEST_CELL = 2**31 - 1  # characters: a cell may hold a book; csv's own limit is 131,072
_UTF8 = "utf-8-sig"  # with the mark that spreadsheets begin a file with, or without


@dataclass(frozen=True, slots=True)
class Record:
    """A text, the id it came with or its place in the file from 1 on, and what else stood there."""

    id: str
    text: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fields:
    """Which field of a record holds the text, and which the id, if any does."""

    text: str = "text"
    id: str | None = None


def read_records(path: str, kind: str | None, fields: Fields) -> Iterator[Record]:
    """Yield the records of a file, "-" for stdin; blank texts are left out.

    Args:
        path: the file.
        kind: "txt", "jsonl", "csv" or "parquet"; None goes by the file's ending, txt for stdin.
        fields: of jsonl, csv and parquet.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another kind, or a record of it is not one; the message says which.
        ImportError: pyarrow is needed and not installed.
    """
    chosen = kind or ("txt" if path == "-" else SUFFIXES.get(Path(path).suffix.lower()))
    if chosen not in _READERS:
        known = ", ".join(dict.fromkeys(SUFFIXES.values()))
        raise ValueError(f"{path} must be one of {known}; say which with --format")
    for place, row in enumerate(_READERS[chosen](path), 1):
        text = row.pop(fields.text, None)
        if type(text) is not str:
            raise ValueError(f"{path}: record {place} has no text in the field {fields.text!r}")
        id = str(place) if fields.id is None else row.pop(fields.id, None)
        if id is None or id == "":
            raise ValueError(f"{path}: record {place} has no id in the field {fields.id!r}")
        if text.strip():
            yield Record(str(id), text, row)


def _lines(path: str) -> Iterator[dict[str, Any]]:
    with _opened(path) as file:
        for line in file:
            yield {"text": " ".join(line.split())}


def _json_lines(path: str) -> Iterator[dict[str, Any]]:
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{path}: line {number} is not JSON: {error}") from None
            if type(row) is not dict:
                raise ValueError(f"{path}: line {number} is not a JSON object")
            yield row


def _csv(path: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(_LONGEST_CELL)
    with _opened(path, newline="") as file:
        for row in csv.DictReader(file, restkey="…"):
            if "…" in row:
                raise ValueError(f"{path}: a row has more cells than the header")
            yield dict(row)


def _parquet(path: str) -> Iterator[dict[str, Any]]:
    if path == "-":
        raise ValueError("parquet cannot be read from a pipe: give a file")
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        message = f"pyarrow is needed for {path}: pip install 'fastfunnel[parquet]'"
        raise ImportError(message) from error
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from batch.to_pylist()


@contextmanager
def _opened(path: str, newline: str | None = None) -> Iterator[TextIO]:
    try:
        if path == "-":
            sys.stdin.reconfigure(encoding=_UTF8)  # type: ignore[union-attr]
            yield sys.stdin
        elif Path(path).is_dir():
            raise ValueError(f"{path} is a directory, not a file of texts")
        elif not Path(path).is_file():
            raise FileNotFoundError(f"there is no file {path}")
        else:
            with Path(path).open(encoding=_UTF8, newline=newline) as file:
                yield file
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error


_READERS = {"txt": _lines, "jsonl": _json_lines, "csv": _csv, "parquet": _parquet}
