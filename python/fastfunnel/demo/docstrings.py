"""The docstrings of installed Python code, read from its source without importing any of it."""

from __future__ import annotations

import ast
import inspect
import re
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from fastfunnel.demo.passage import Passage

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

SKIPPED_DIRECTORIES = frozenset(
    {"test", "tests", "testing", "idlelib", "lib2to3", "site-packages", "dist-packages"}
    | {"vendor", "vendored", "third_party"}
)
SOURCE = "docstring"
MOST_CHARACTERS = 500
FEWEST_WORDS = 4
QUERY_WORDS = range(4, 25)
MOST_SOURCE_BYTES = 30_000_000
"""Parsing is the slow part: this much takes some ten seconds, and holds the standard library."""

# Where prose ends and reference begins: doctest, Sphinx fields, NumPy and Google sections.
REFERENCE = re.compile(r"^\s*(>>>|:\w+|\.\. |-{3,}|={3,}|(Args|Arguments|Parameters|Returns)\b:?)")


def installed_roots() -> list[Path]:
    """Return the standard library's directory, then those of the installed packages."""
    paths = sysconfig.get_paths()
    return list(dict.fromkeys(Path(paths[name]) for name in ("stdlib", "purelib", "platlib")))


def read_docstrings(roots: list[Path], most_bytes: int = MOST_SOURCE_BYTES) -> list[Passage]:
    """Return one passage a documented public module, class or function below `roots`.

    Roots are read in order until `most_bytes` of source are parsed. A text repeated elsewhere
    (an inherited or copied docstring) is kept once. Files that do not parse are passed over.
    """
    passages: dict[str, Passage] = {}
    for root in roots:
        for path in _sources(root):
            source = _read(path)
            most_bytes -= len(source)
            if most_bytes < 0:
                return list(passages.values())
            module = _module(path.relative_to(root))
            for name, docstring in _documented(source, module):
                summary, text = _prose(docstring)
                if len(text.split()) >= FEWEST_WORDS:
                    asked = summary != text and len(summary.split()) in QUERY_WORDS
                    passage = Passage(f"{name}: {text}", SOURCE, summary if asked else "")
                    passages.setdefault(text, passage)
    return list(passages.values())


def _sources(root: Path) -> Iterator[Path]:
    """Yield the public .py files below `root` in a fixed order, but no tests or vendored copies."""
    if not root.is_dir():
        return
    for path in sorted(root.iterdir()):
        public = path.name == "__init__.py" or not path.name.startswith(("_", "."))
        if not public or path.name in SKIPPED_DIRECTORIES:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _sources(path)
        elif path.suffix == ".py":
            yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _documented(source: bytes, module: str) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, docstring) of a module and of the public things it defines."""
    if b'"""' not in source and b"'''" not in source:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's escape sequences are not our news
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from _docstrings(tree, module)


def _docstrings(node: ast.Module | Definition, name: str) -> Iterator[tuple[str, str]]:
    docstring = ast.get_docstring(node, clean=False)
    if docstring:
        yield name, docstring
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, Definition) and not child.name.startswith("_"):
                yield from _docstrings(child, f"{name}.{child.name}")


def _prose(docstring: str) -> tuple[str, str]:
    """Return (the summary, the first paragraphs), each on one line."""
    prose: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if REFERENCE.match(line):
            break
        prose.append(line)
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", "\n".join(prose))]
    text = paragraphs[0][:MOST_CHARACTERS]
    for paragraph in paragraphs[1:]:
        if len(text) + len(paragraph) >= MOST_CHARACTERS:
            break
        text = f"{text} {paragraph}".strip()
    return paragraphs[0][:MOST_CHARACTERS], text
