"""Documents, metadata, full text and the embedding cache, in one SQLite file.

A document has a row number that is never used twice, and a row's text and vector never change: a
changed document is a new row, unless its metadata alone is another. So whoever holds vectors by row number can be brought into step by
comparing row numbers alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastfunnel.collection.fusion import words_query
from fastfunnel.collection.where import Condition, add_functions
from fastfunnel.embedders import FloatRows

FORMAT = "fastfunnel collection 1"
PORTION = 500  # rows asked for at once: far below SQLite's limit of parameters

_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE documents (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL,
  metadata TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE words USING fts5(text, content='documents', content_rowid='row');
CREATE TRIGGER added AFTER INSERT ON documents BEGIN
  INSERT INTO words(rowid, text) VALUES (new.row, new.text);
END;
CREATE TRIGGER removed AFTER DELETE ON documents BEGIN
  INSERT INTO words(words, rowid, text) VALUES ('delete', old.row, old.text);
END;
"""

# What SQLite says of a filter that is too much for it; a locked file, say, is another matter.
_LIMITS = ("parser stack overflow", "Expression tree is too large", "too many SQL variables")
_SPARE = "FROM vectors WHERE hash NOT IN (SELECT hash FROM documents)"


@dataclass(frozen=True, slots=True)
class Document:
    """A text under its id, its metadata as JSON, and the hash its vector is cached under.

    A document whose hash is empty has no vector.
    """

    id: str
    text: str
    metadata: str
    hash: bytes


def is_store(path: Path) -> bool:
    """Return whether there is a file that holds tables: a kill while it is made leaves none."""
    if not path.is_file():
        return False
    with closing(sqlite3.connect(path)) as connection:
        try:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        except sqlite3.DatabaseError:
            return True  # whatever it is, it is not for us to overwrite


class Store:
    """The SQLite file of a collection. Safe for one thread at a time."""

    def __init__(self, path: Path, create: Mapping[str, str] | None = None) -> None:
        """Open the file, or make it and note what `create` says of the collection.

        SQLite takes `:memory:` for a file of no disk.

        Raises:
            ValueError: it is damaged, or not a collection's.
        """
        self.path = path
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")  # an add that returned is on disk
            self._connection.execute("PRAGMA busy_timeout=30000")
            add_functions(self._connection)
            if create is not None:
                with self.transaction():
                    for statement in _statements(_SCHEMA):
                        self._connection.execute(statement)
                    for key, value in {"format": FORMAT, **create}.items():
                        self.note(key, value)
            found = self.about("format")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise ValueError(f"{path} cannot be read: {error}") from error
        if found != FORMAT:
            self._connection.close()
            raise ValueError(f"{path} must be a {FORMAT!r} file, got {found!r}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes of the block all happen, or none."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def about(self, key: str) -> str | None:
        """Return what is noted of the collection under `key`."""
        found = self._connection.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def note(self, key: str, value: str) -> None:
        """Note something of the collection under `key`."""
        self._connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    def version(self) -> int:
        """Return a number that changes when another connection changes the file."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def count(self) -> int:
        """Return the number of documents."""
        return int(self._connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def put(self, documents: Sequence[Document]) -> list[int]:
        """Add documents under new row numbers, in place of those with their ids; equal ones stay.

        Returns:
            The rows that were removed.
        """
        held = self.by_id([one.id for one in documents])
        new = [one for one in documents if held.get(one.id) != one]
        removed = self.delete([one.id for one in new if one.id in held])
        self.insert(new)
        return removed

    def insert(self, documents: Iterable[Document]) -> None:
        """Add documents whose ids are not taken, under new row numbers."""
        self._connection.executemany(
            "INSERT INTO documents(id, text, metadata, hash) VALUES (?, ?, ?, ?)",
            ((one.id, one.text, one.metadata, one.hash) for one in documents),
        )

    def delete(self, ids: Iterable[str]) -> list[int]:
        """Remove documents and return their rows; unknown ids are no error."""
        sql = "DELETE FROM documents WHERE id = ? RETURNING row"
        return [row[0] for id in ids for row in self._connection.execute(sql, (id,)).fetchall()]

    def set_metadata(self, metadatas: Mapping[int, str]) -> None:
        """Give rows other metadata, as JSON."""
        sql = "UPDATE documents SET metadata = ? WHERE row = ?"
        self._connection.executemany(sql, ((text, row) for row, text in metadatas.items()))

    def clear(self) -> int:
        """Remove all documents and vectors, and what is noted of their dims; return how many."""
        with self.transaction():
            count = self.count()
            self._connection.execute("DELETE FROM documents")
            self._connection.execute("DELETE FROM vectors")
            self._connection.execute("DELETE FROM about WHERE key = 'dim'")
        return count

    def by_id(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return the documents with these ids."""
        found = self._select("SELECT id, text, metadata, hash FROM documents WHERE id IN ({})", ids)
        return {row[0]: Document(*row) for row in found}

    def by_row(self, rows: Sequence[int]) -> dict[int, Document]:
        """Return the documents with these row numbers."""
        sql = "SELECT row, id, text, metadata, hash FROM documents WHERE row IN ({})"
        return {row[0]: Document(*row[1:]) for row in self._select(sql, rows)}

    def documents(self, condition: Condition | None = None) -> Iterator[tuple[int, Document]]:
        """Yield row number and document, as they were added, where a filter holds."""
        where = condition or Condition("1")
        sql = f"SELECT row, id, text, metadata, hash FROM documents WHERE {where.sql} ORDER BY row"
        for row in self._filtered(sql, where.parameters):
            yield row[0], Document(*row[1:])

    def rows(self, condition: Condition | None = None) -> list[int]:
        """Return the row numbers, ascending, of the documents that a filter holds for."""
        where = condition or Condition("1")
        sql = f"SELECT row FROM documents WHERE {where.sql} ORDER BY row"
        return [row[0] for row in self._filtered(sql, where.parameters)]

    def rows_with_vectors(self, above: int = 0) -> list[int]:
        """Return the row numbers, ascending, of the documents that have vectors."""
        sql = "SELECT row FROM documents WHERE row > ? AND hash != x'' ORDER BY row"
        return [found[0] for found in self._connection.execute(sql, (above,))]

    def matching(self, text: str, most: int, condition: Condition | None = None) -> list[int]:
        """Return the rows whose texts have words of `text`, by BM25, best first."""
        query = words_query(text)
        if not query:
            return []
        where = condition or Condition("1")
        sql = (
            "SELECT row FROM words JOIN documents ON row = words.rowid "
            f"WHERE words MATCH ? AND {where.sql} ORDER BY bm25(words), row LIMIT ?"
        )
        found = self._filtered(sql, (query, *where.parameters, most))
        return [row[0] for row in found]

    def uncached(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Return those hashes under which no vector is cached."""
        found = self._select("SELECT hash FROM vectors WHERE hash IN ({})", hashes)
        return set(hashes) - {row[0] for row in found}

    def cache(self, hashes: Sequence[bytes], vectors: FloatRows) -> None:
        """Keep vectors under the hashes of their texts."""
        pairs = zip(hashes, (row.astype("<f4").tobytes() for row in vectors), strict=True)
        self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", pairs)

    def spare(self) -> int:
        """Return the number of cached vectors whose texts are not here."""
        return int(self._connection.execute(f"SELECT count(*) {_SPARE}").fetchone()[0])

    def prune(self) -> int:
        """Remove cached vectors whose texts are not here; return their number, shrink the file."""
        with self.transaction():
            removed = self._connection.execute(f"DELETE {_SPARE}").rowcount
        if removed:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def forget(self, hashes: Iterable[bytes]) -> None:
        """Drop the vectors under these hashes from the cache."""
        sql = "DELETE FROM vectors WHERE hash = ?"
        self._connection.executemany(sql, ((hash,) for hash in hashes))

    def vectors(self, rows: Sequence[int], dim: int) -> FloatRows:
        """Return the (len(rows), dim) cached vectors of these rows.

        Raises:
            ValueError: one is missing or of another length, as in a damaged file.
        """
        sql = "SELECT row, vector FROM documents JOIN vectors USING (hash) WHERE row IN ({})"
        found = dict(self._select(sql, rows))
        if any(len(found.get(row, b"")) != 4 * dim for row in rows):
            raise ValueError(f"{self.path} is damaged: a vector is missing or not of {dim} dims")
        joined = b"".join(found[row] for row in rows)
        return np.frombuffer(joined, "<f4").reshape(len(rows), dim).astype(np.float32)

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file, and with its full text: nothing if well."""
        problems = [row[0] for row in self._connection.execute("PRAGMA integrity_check")]
        try:
            self._connection.execute("INSERT INTO words(words, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            problems.append(f"full text: {error}")
        orphans = (
            "SELECT count(*) FROM documents "
            "WHERE hash != x'' AND hash NOT IN (SELECT hash FROM vectors)"
        )
        missing = self._connection.execute(orphans).fetchone()[0]
        if missing:
            problems.append(f"{missing} documents have no vector")
        return [problem for problem in problems if problem != "ok"]

    def copy(self, path: Path) -> None:
        """Make the file at `path` the same as this one, at once, for those who have it open too."""
        with closing(sqlite3.connect(path)) as other:
            self._connection.backup(other)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _filtered(self, sql: str, values: Sequence[object]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            if any(limit in str(error) for limit in _LIMITS):
                raise ValueError(f"where must be simpler for SQLite: {error}") from None
            raise

    def _select(self, sql: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), PORTION):
            portion = values[start : start + PORTION]
            marks = ", ".join("?" * len(portion))
            yield from self._connection.execute(sql.format(marks), portion)


def _statements(script: str) -> Iterator[str]:
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""
