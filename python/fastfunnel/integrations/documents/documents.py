"""Documents beside an index of ready-made vectors, and how they change."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastfunnel.collection.inputs import as_json, check_ids, documents
from fastfunnel.collection.store import Document
from fastfunnel.collection.where import Condition
from fastfunnel.integrations.documents.finding import FILE_NAME, Finding, Keep, Vector, is_free
from fastfunnel.integrations.documents.saving import save
from fastfunnel.integrations.documents.vectors import as_float_rows

Taken = Literal["replace", "skip", "refuse"]


class TakenIdError(ValueError):
    """A document's id is taken."""


class VectorDocuments(Finding):
    """Texts with metadata, str ids and vectors that somebody else made.

    The parts of `fastfunnel.Collection` without its embedder: SQLite is the truth, the index
    follows it, filters are SQL. Scores are cosines. Safe to use from several threads; other
    processes see changes of a directory at their next call.

    Args:
        path: a directory that keeps everything, made if it does not exist; what a change returned
            from is durable. None for memory alone.

    Raises:
        ValueError: the directory holds something else, or is damaged.
    """

    def put(
        self,
        texts: Sequence[str],
        vectors: Sequence[npt.ArrayLike | None],
        metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        ids: Sequence[str] | None = None,
        *,
        taken: Taken = "replace",
    ) -> list[str]:
        """Add documents, all of them, or none if it fails.

        Args:
            texts: what was embedded.
            vectors: one a text, all of one length; None for a document that is not to be found by
                vector. They are kept as float32.
            metadatas: a JSON object a text.
            ids: unique and not empty; None draws new ones.
            taken: what happens to a document whose id is taken: it is put in the other's place
                ("replace"), left out ("skip"), or the error of all of them ("refuse").

        Returns:
            The ids of the documents, but for those left out.

        Raises:
            TakenIdError: naming an id that is taken.
            TypeError, ValueError: for arguments of another kind or length.
        """
        given = documents(texts, metadatas, ids)
        if len(vectors) != len(given):
            raise ValueError(f"vectors must be one a text, got {len(vectors)} for {len(given)}")
        places = [place for place, one in enumerate(vectors) if one is not None]
        with self._up_to_date():
            rows = as_float_rows([vectors[place] for place in places], self.dim)
            of_id = {given[place].id: row for place, row in zip(places, rows, strict=True)}
            given = [replace(one, hash=_hash(one.id, of_id.get(one.id))) for one in given]
            return self._put(given, of_id, taken)

    def delete(self, ids: Sequence[str]) -> int:
        """Remove documents; unknown ids are no error. Return how many there were."""
        chosen = check_ids(ids)
        return self._remove(lambda: self._store.by_id(chosen).values())

    def clear(self, where: Condition | None = None, keep: Keep | None = None) -> int:
        """Remove what `select` returns; return how many there were.

        Without arguments that is everything, and vectors of another length may come.
        """
        if where is not None or keep is not None:
            return self._remove(lambda: [one for _, one in self._documents(where, keep)])
        with self._up_to_date():
            count = self._store.clear()
            self._close_vectors()
        return count

    def update(
        self,
        change: Callable[[dict[str, Any]], Mapping[str, Any]],
        where: Condition | None = None,
        keep: Keep | None = None,
    ) -> int:
        """Give what `select` returns the metadata that a function makes of theirs, all at once.

        Return how many there were.
        """
        with self._up_to_date(), self._store.transaction():
            found = dict(self._documents(where, keep))
            changed = {row: as_json(change(json.loads(one.metadata))) for row, one in found.items()}
            self._store.set_metadata(changed)
        return len(found)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to a directory that `VectorDocuments(path)` opens.

        Documents that are there are replaced, all at once. To save where they live changes nothing.

        Raises:
            ValueError: the directory holds something else.
            BlockingIOError: somebody has it open to write.
        """
        directory = Path(path)
        if self.path is not None and directory.resolve() == self.path.resolve():
            return
        if directory.exists() and not (directory / FILE_NAME).exists() and not is_free(directory):
            raise ValueError(f"path must be new, empty or a store's, got {directory}")
        with self._up_to_date():
            save(self._store, self._vectors, directory, FILE_NAME, cached=self.path is not None)

    def _put(self, given: list[Document], vectors: Mapping[str, Vector], taken: Taken) -> list[str]:
        with self._store.transaction():
            held = self._store.by_id([one.id for one in given])
            if held and taken == "refuse":
                raise TakenIdError(f"ids must not be taken, got {next(iter(held))!r}")
            if taken == "skip":
                given = [one for one in given if one.id not in held]
            new = [one for one in given if held.get(one.id) != one]
            removed = self._delete([held[one.id] for one in new if one.id in held])
            self._store.insert(new)
            indexed = [one for one in new if one.id in vectors]
            rows = np.array([vectors[one.id] for one in indexed], np.float32)
            if indexed:
                self._settle_dim(str(rows.shape[1]))
            if self.path is not None:  # in memory the index holds them, and that is enough
                self._store.cache([one.hash for one in indexed], rows)
        if self._vectors is None and indexed:
            self._open_vectors(str(rows.shape[1]))
        if self._vectors is not None:
            self._vectors.follow(removed, rows if self.path is None else None)
        return [one.id for one in given]

    def _settle_dim(self, dim: str) -> None:
        settled = self._store.about("dim")
        if settled is None:
            self._store.note("dim", dim)
        elif settled != dim:  # another process was first
            raise ValueError(f"vectors must have {settled} dims, as those held, got {dim}")

    def _remove(self, chosen: Callable[[], Iterable[Document]]) -> int:
        with self._up_to_date():
            with self._store.transaction():
                removed = self._delete(list(chosen()))
            if self._vectors is not None:
                self._vectors.follow(removed)
        return len(removed)

    def _delete(self, gone: Sequence[Document]) -> list[int]:
        self._store.forget(one.hash for one in gone)
        return self._store.delete(one.id for one in gone)


def _hash(id: str, vector: Vector | None) -> bytes:
    """Return what a document's own vector is kept under; nothing for one that has none."""
    if vector is None:
        return b""
    return hashlib.blake2b(id.encode() + b"\0" + vector.tobytes(), digest_size=16).digest()
