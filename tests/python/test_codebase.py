"""What holds for the code as a whole."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import fastfunnel as ff
from fastfunnel import _core

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".pyi", ".cpp", ".hpp", ".cmake"}
MAX_LINES = 300


def source_files() -> list[Path]:
    return [
        path
        for folder in ("cpp", "python", "tests", "bench")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in SUFFIXES or path.name == "CMakeLists.txt"
    ]


def stub_names(nodes: list[ast.stmt]) -> set[str]:
    names = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    # Names with a value are aliases for the reader; with a type only, they are in the module.
    return names | {
        node.target.id
        for node in nodes
        if isinstance(node, ast.AnnAssign)
        and node.value is None
        and isinstance(node.target, ast.Name)
    }


def public_names(thing: object) -> set[str]:
    return {name for name in vars(thing) if not name.startswith("_")}


def test_the_stub_names_what_the_core_has() -> None:
    stub = ast.parse((ROOT / "python/fastfunnel/_core.pyi").read_text(encoding="utf-8"))
    index = next(n for n in stub.body if isinstance(n, ast.ClassDef) and n.name == "Index")

    assert stub_names(stub.body) == public_names(_core) | {"__version__"}
    special = {"__init__", "__len__", "__contains__"}
    assert stub_names(index.body) == public_names(_core.Index) | special
    assert special <= set(vars(_core.Index))


def test_there_is_one_version() -> None:
    assert ff.__version__ == _core.__version__ == importlib.metadata.version("fastfunnel")


def test_every_public_name_exists_and_is_documented() -> None:
    for name in ff.__all__:
        assert getattr(ff, name).__doc__, name


def test_files_are_short() -> None:
    files = source_files()
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
    }

    assert len(files) > 50
    assert {path: n for path, n in lengths.items() if n > MAX_LINES} == {}


@pytest.mark.parametrize(
    "module",
    [
        "fastfunnel",
        "fastfunnel.reference",
        "fastfunnel.cli",
        "fastfunnel.embedders",
        "fastfunnel.integrations.documents",
        "fastfunnel.integrations.sentence_transformers",
    ],
)
def test_importing_needs_numpy_alone(module: str) -> None:
    code = f"""
import sys
before = set(sys.modules)
import {module}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {name for name in run.stdout.split() if not name.startswith("_")} == {
        "fastfunnel",
        "numpy",
    }
