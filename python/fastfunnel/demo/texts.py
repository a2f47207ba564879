"""The texts of an index, by id, in a SQLite file beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from fastfunnel.demo.passage import Passage

FILE_NAME = "texts.sqlite"


def write_texts(directory: Path, passages: Iterable[Passage]) -> None:
    """Write passages under ids 0, 1, 2 … into a new file in `directory`.

    Raises:
        FileExistsError: the directory has such a file already.
    """
    path = directory / FILE_NAME
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    rows = ((row, passage.source, passage.text) for row, passage in enumerate(passages))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, source TEXT NOT NULL, text TEXT NOT NULL)"
        )
        connection.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)


def read_texts(directory: Path, ids: Iterable[int]) -> dict[int, Passage]:
    """Return the passages of those ids that the directory's file knows; none without a file.

    Raises:
        ValueError: the file is damaged or holds something else.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return {}
    select = "SELECT text, source FROM texts WHERE id = ?"
    found: dict[int, Passage] = {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for one in ids:
                row = connection.execute(select, (one,)).fetchone()
                if row is not None:
                    found[one] = Passage(text=row[0], source=row[1])
    except sqlite3.Error as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return found
