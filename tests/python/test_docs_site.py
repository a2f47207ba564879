"""The built site: what it lists, where its links lead, and that it asks no other host for anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from doc_blocks import DOCS, ROOT

import fastfunnel as ff
from fastfunnel import embedders
from fastfunnel.compat import faiss

# What a browser fetches by itself; <a href> is followed by people only.
FETCHED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
NOT_FETCHED = {"canonical", "next", "prev"}


class Page(HTMLParser):
    """The ids of a page, where its links lead, and what the browser loads with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if FETCHED.get(tag) in found and found.get("rel") not in NOT_FETCHED:
            self.loads.append(found[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for library in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(library)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ROOT / "mkdocs.yml", "-d", folder],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_links_lead_somewhere_and_nothing_comes_from_elsewhere(site: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 30
    broken = []
    for path, page in pages.items():
        assert [one for one in page.loads if urlsplit(one).netloc] == [], path
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            base = site if parts.path.startswith("/") else path.parent
            target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                broken.append((path.name, link))
            elif parts.fragment and target in pages:
                anchors = pages[target].ids | {"__search", "__toc", "__drawer"}
                if unquote(parts.fragment) not in anchors:
                    broken.append((path.name, link))
    assert broken == []


def test_style_sheets_load_nothing_from_elsewhere(site: Path) -> None:
    sheets = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert sheets
    assert not any("url(http" in one or "url(//" in one or "@import" in one for one in sheets)


def test_the_reference_has_every_public_name() -> None:
    reference = {
        line.removeprefix("::: ").strip()
        for page in (DOCS / "reference").glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("::: ")
    }
    wanted = {f"fastfunnel.{name}" for name in ff.__all__}
    wanted |= {f"fastfunnel.embedders.{name}" for name in embedders.__all__ if name != "FloatRows"}
    wanted |= {f"fastfunnel.compat.faiss.{name}" for name in faiss.__all__ if name[0] != "M"}
    aliases = {"Index", "IDSelector", "read_index_binary", "write_index_binary"}
    wanted -= {f"fastfunnel.compat.faiss.{name}" for name in aliases}

    assert wanted <= reference


@pytest.fixture
def page() -> ModuleType:
    if not (ROOT / "bench").exists():
        pytest.skip("needs the repository")
    spec = spec_from_file_location("bench_page", ROOT / "bench" / "page.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MACHINE = {"cpu": "A CPU", "cores": 2, "isa": "avx2", "load_average": None, "commit": "abc",
           "date": "2026-11-25T10:00:00+00:00"}  # fmt: skip


def test_figures_become_a_table(page: ModuleType, tmp_path: Path) -> None:
    ratio = {"median": 2.0, "low": 1.5, "high": 2.5}
    seconds = {"ours": [0.1, 0.2, 0.3], "faiss": [0.4]}
    record = {"bits": 64, "rows": 3000, "k": 10, "threads": 1, "mode": "batch", "queries": 20,
              "seconds": seconds, "ratio": ratio}  # fmt: skip
    path = tmp_path / "hamming.json"
    path.write_text(json.dumps({"machine": MACHINE, "source": "random bits", "records": [record]}))

    text = page.figures(path)

    assert text.startswith("random bits. A CPU, 2 cores, avx2, load unknown at the start")
    assert "| 64 | 3,000 | 10 | 1 | batch | 100 | 50 | 2.00 (1.50 to 2.50) |" in text


def test_a_peer_that_misses_the_target_is_shown_as_such(page: ModuleType, tmp_path: Path) -> None:
    point = {"row": "fastfunnel default", "label": "default", "threads": 1, "mode": "single",
             "recall": 0.995, "qps": 4000.0, "p50_ms": 0.2, "bytes_per_row": 5213.4}  # fmt: skip
    match = {"target": 0.99, "threads": 1, "mode": "single", "best_peer": None, "ratio": None,
             "default_ratio": None, "choices": {"fastfunnel default": "default", "peer": None}}  # fmt: skip
    content = {"machine": MACHINE, "dataset": "words", "points": [point], "matches": [match]}
    path = tmp_path / "peers_words.json"
    path.write_text(json.dumps(content))

    text = page.figures(path)

    assert '=== "recall@10 ≥ 0.99"' in text
    assert "    | **fastfunnel default** | default | 0.9950 | 4,000 | 0.200 | 5,213 |" in text
    assert "    | peer | not reached | - | - | - | - |" in text


def test_missing_figures_are_said_to_be_missing(page: ModuleType, tmp_path: Path) -> None:
    assert "No figures yet" in page.figures(tmp_path / "threads.json")
    assert "<!--" not in page.on_page_markdown("<!-- figures: no_such_figures -->")
