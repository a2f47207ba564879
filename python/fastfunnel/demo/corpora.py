"""The texts the demo searches: what this machine has, or a file of the user's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fastfunnel.demo.docstrings import installed_roots, read_docstrings
from fastfunnel.demo.passage import Passage, distinct
from fastfunnel.demo.wordnet import read_wordnet, wordnet_directory

QUESTIONS = (
    "how do I parse command line arguments",
    "run a function in a separate process",
    "a small boat rowed by one person",
    "someone who studies insects",
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Distinct passages, a line that says what they are, and questions worth asking of them."""

    passages: list[Passage]
    description: str
    questions: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self.passages)


def installed_corpus() -> Corpus:
    """Return the docstrings of the running Python and, where it is installed, WordNet.

    Raises:
        ValueError: neither was found.
    """
    passages = read_docstrings(installed_roots())
    directory = wordnet_directory()
    if directory is not None:
        passages = distinct(passages + read_wordnet(directory))
    if not passages:
        raise ValueError("found neither docstrings nor WordNet here: give a file with --corpus")
    counts = Counter(passage.source for passage in passages)
    parts = [f"{count:,} {_NAMES[source]}" for source, count in counts.items()]
    return Corpus(passages, " and ".join(parts), QUESTIONS if directory else QUESTIONS[:2])


def line_corpus(path: Path) -> Corpus:
    """Return the distinct non-empty lines of a UTF-8 file, one passage a line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not UTF-8 text, or holds fewer than two distinct lines.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error
    except IsADirectoryError as error:
        raise ValueError(f"{path} is a directory, not a file of texts") from error
    texts = [" ".join(line.split()) for line in lines]
    passages = distinct([Passage(text, path.name, query=text) for text in texts if text])
    if len(passages) < 2:
        raise ValueError(f"{path} holds {len(passages)} distinct lines: a search needs two or more")
    return Corpus(passages, f"{len(passages):,} lines of {path.name}")


_NAMES = {
    "docstring": "docstrings of installed Python code",
    "WordNet": "WordNet synsets",
}
