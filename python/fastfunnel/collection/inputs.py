"""What a caller gives a collection, checked before anything changes."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from fastfunnel.collection.store import Document
from fastfunnel.embedders.batches import check_texts

Metadata = Mapping[str, Any]
_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")  # in JSON, and not behind an escaped backslash


def documents(
    texts: Sequence[str],
    metadatas: Sequence[Metadata | None] | None,
    ids: Sequence[str] | None,
) -> list[Document]:
    """Return one document a text; ids are drawn where none are given.

    Raises:
        TypeError, ValueError: naming the argument that does not fit, or an id that comes twice.
    """
    check_texts(texts)
    for text in texts:
        if "\0" in text:
            raise ValueError("texts must not hold NUL characters")
        text.encode()  # a lone surrogate has no UTF-8, and SQLite would refuse it later
    if metadatas is not None and len(metadatas) != len(texts):
        raise ValueError(f"metadatas must be one a text, got {len(metadatas)} for {len(texts)}")
    stored = [as_json(one or {}) for one in metadatas or [None] * len(texts)]
    named = [uuid.uuid4().hex for _ in texts] if ids is None else check_ids(ids)
    if len(named) != len(texts):
        raise ValueError(f"ids must be one a text, got {len(named)} for {len(texts)}")
    if len(set(named)) != len(named):
        twice = next(one for place, one in enumerate(named) if one in named[:place])
        raise ValueError(f"ids must be unique, got {twice!r} twice")
    return [
        Document(id, text, metadata, text_hash(text))
        for id, text, metadata in zip(named, texts, stored, strict=True)
    ]


def check_ids(ids: Sequence[str]) -> list[str]:
    """Return the ids as a list; TypeError or ValueError unless they are non-empty strs."""
    if isinstance(ids, (str, bytes)):
        raise TypeError(f"ids must be a sequence of str, got one {type(ids).__name__}")
    for one in ids:
        if not isinstance(one, str):
            raise TypeError(f"ids must be str, got {type(one).__name__}")
        if not one or "\0" in one:
            raise ValueError(f"ids must not be empty or hold NUL characters, got {one!r}")
        one.encode()
    return list(ids)


def text_hash(text: str) -> bytes:
    """Return what a text's vector is cached under."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def as_json(metadata: Metadata) -> str:
    """Return a document's metadata as it is stored; TypeError, ValueError unless it is JSON."""
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadatas must hold dicts, got {type(metadata).__name__}")
    if not all(isinstance(key, str) for key in metadata):
        raise TypeError("metadatas must have str keys")
    try:
        stored = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False)
    except RecursionError:
        raise ValueError("metadatas must not be nested so deep") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"metadatas must be JSON: {error}") from None
    if _NUL.search(stored):  # where SQLite ends a text: filters would take it for another
        raise ValueError("metadatas must not hold NUL characters")
    stored.encode()  # as a text
    return stored


def check_question(text: object, k: object) -> None:
    """Raise ValueError unless there is something to ask, and at least one answer to give."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"text must be a question, got {text!r}")
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k must be an int of at least 1, got {k!r}")
