"""What a corpus may look like on its way into a collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastfunnel.cli.records import Fields, Record, read_records


def records(path: Path, content: str) -> list[Record]:
    path.write_text(content, encoding="utf-8", newline="")
    return list(read_records(str(path), None, Fields()))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.txt", "tea\ncoffee\n"),
        ("c.jsonl", '{"text": "tea"}\n{"text": "coffee"}\n'),
        ("c.csv", "text\r\ntea\r\ncoffee\r\n"),
    ],
)
def test_the_mark_of_utf8_is_no_part_of_a_corpus(tmp_path: Path, name: str, content: str) -> None:
    plain = records(tmp_path / name, content)
    assert plain == [Record("1", "tea", {}), Record("2", "coffee", {})]
    assert records(tmp_path / name, "\ufeff" + content) == plain


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    book = "word " * 100_000
    assert records(tmp_path / "c.csv", f'text,n\n"{book}",1\n') == [Record("1", book, {"n": "1"})]


def test_json_that_is_too_deep_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"c\.jsonl: line 1 is not JSON: "):
        records(tmp_path / "c.jsonl", "[" * 200_000)
