"""The 117,659 synsets of WordNet, where Debian's wordnet-base or $WNSEARCHDIR put them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fastfunnel.demo.passage import Passage, distinct

SOURCE = "WordNet"
PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
FEWEST_QUERY_WORDS = 4


def wordnet_directory() -> Path | None:
    """Return the directory of WordNet's data files, or None where there is none."""
    candidates = [Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))]
    candidates += [Path("/usr/share/wordnet"), Path("/usr/share/wordnet/dict")]
    for directory in candidates:
        if all((directory / f"data.{part}").is_file() for part in PARTS_OF_SPEECH):
            return directory
    return None


def read_wordnet(directory: Path) -> list[Passage]:
    """Return one passage a synset: its words, its gloss, and an example sentence as the query."""
    return distinct([passage for part in PARTS_OF_SPEECH for passage in _read(directory, part)])


def _read(directory: Path, part: str) -> Iterator[Passage]:
    content = (directory / f"data.{part}").read_text(encoding="utf-8", errors="replace")
    for line in content.splitlines():
        head, bar, gloss = line.partition(" | ")
        if line.startswith("  ") or not bar:  # the licence stands before the synsets, indented
            continue
        text = f"{', '.join(_words(head.split(' ')))}: {' '.join(gloss.split())}"
        yield Passage(text, SOURCE, _example(text))


def _words(fields: list[str]) -> list[str]:
    """Return a synset's words: field 3 counts them in hexadecimal, then each takes two fields."""
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    return [re.sub(r"\([a-z]+\)$", "", word).replace("_", " ") for word in words]


def _example(text: str) -> str:
    sentences = (sentence.strip() for sentence in re.findall(r'"([^"]+)"', text))
    return next((s for s in sentences if len(s.split()) >= FEWEST_QUERY_WORDS), "")
