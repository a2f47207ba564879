"""Fuzz what opens an index: whatever its files hold, a clear error or an index that works.

    pip install atheris
    python tests/fuzz/open_index.py -max_total_time=3600 -rss_limit_mb=2048

Two bytes of an input say how the index is opened, which tiers it has, which of its files the rest
replaces, and whether the sums that guard the file are made to fit, as no accident but an attacker
would. Anything but ValueError and OSError is a find, and so is a change that was lost. Install the
package without -e: atheris does not see through the loader of an editable one.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["fastfunnel.storage", "fastfunnel.tuning", "numpy.lib"]):
    import numpy as np

    import fastfunnel as ff
    from fastfunnel.storage import draft, log, manifest

draft.CODES_FROM = 1  # so that there are files of codes

DIM = 4
MOST_DIMS = 4096  # that are searched: a query of 2**31 takes longer than it shows
# Bits of the first byte, above the number of the role; bits of the second, above that of the tiers.
MMAP, VERIFY, FIT = 32, 64, 128
WRITABLE = 128

TIERS: list[dict[str, Any]] = [
    {"float_store": "disk", "model": "some-model", "rotation": np.eye(DIM)},
    {"float_store": "disk", "float_dtype": "f16", "codes": ("b1",)},
    {"float_store": "disk", "float_dtype": "bf16", "codes": ("i8",)},
    {"float_store": "ram", "metric": "l2"},
]
FUNNELS = [
    ff.Funnel.parse(text)
    for text in ("b1@1>9 b1@2>8 i8@2>7 f32@3", "b1@4>9 f32@4", "i8@1>9 i8@4>5 f32@4")
]


class GoodIndex:
    """An index with files of every kind that its tiers have, and what those files hold."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        """Make it in a folder that does not exist."""
        self.folder = folder
        index = ff.Index.create(folder, dim=DIM, **options)
        index.add(np.arange(10 * DIM).reshape(10, DIM).astype(np.float32))
        index.remove([3])
        index._journal.checkpoint()  # type: ignore[union-attr]
        index.add(np.ones((2, DIM)))
        index.remove([1])
        index._journal._lock.release()  # type: ignore[union-attr]  # as its end would
        names = sorted(path.name for path in folder.iterdir())
        self.files = {name: (folder / name).read_bytes() for name in names}
        self.names = {name.split("-")[0]: name for name in names if name != "writer.lock"}
        self.roles = list(self.names)

    def put(self, role: str, content: bytes, fit: bool) -> None:
        """Replace one file, and what else must change for it to be looked at."""
        if role == "manifest.json" and fit:
            with suppress(ValueError, TypeError, AttributeError, RecursionError):
                content = summed_manifest(content)
        elif role == "log" and fit:
            content = summed_log(content)
        elif role not in ("manifest.json", "log"):
            resized = self.with_size(self.names[role], len(content))
            (self.folder / "manifest.json").write_bytes(resized)
        (self.folder / self.names[role]).write_bytes(content)

    def with_size(self, name: str, n_bytes: int) -> bytes:
        """Give the good manifest another size for one array."""
        plain = json.loads(self.files["manifest.json"])
        segment = plain["segments"][0]
        entries = [plain["rotation"], *segment.values(), *segment["codes"].values()]
        for entry in entries:
            if isinstance(entry, dict) and entry.get("file") == name:
                entry["bytes"] = n_bytes
        return summed_manifest(json.dumps(plain).encode())

    def restore(self) -> None:
        """Bring back what the folder held."""
        for path in self.folder.iterdir():
            if path.name not in self.files:
                path.unlink()
        for name, content in self.files.items():
            (self.folder / name).write_bytes(content)


def summed_manifest(content: bytes) -> bytes:
    """Give a manifest the checksum of what it holds."""
    plain = json.loads(content)
    plain.pop("checksum", None)
    return json.dumps({"checksum": manifest._checksum(plain), **plain}).encode()


def summed_log(content: bytes) -> bytes:
    """Give a log a head, and its first record a checksum, that fit."""
    record = content[:16].ljust(16, b"\0")
    digest = log._digest(record, log._HEAD.size)
    digest.update(content[16:])
    body = record + digest.digest() + content[16:]
    return log._head(DIM, log._HEAD.size) + body


def read(index: ff.Index) -> None:
    """Search an index in every way."""
    if index.dim > MOST_DIMS:
        return
    query = np.ones(index.dim)
    list(index)
    index.search(query, 3, exact=True)
    for funnel in FUNNELS:
        with suppress(ValueError):  # of codes that are not kept, of values that are damaged
            index.search(query, 3, funnel=funnel)


def write(index: ff.Index, folder: Path, verified: bool) -> None:
    """Change an index; what it was told must be there when it is opened again."""
    with index:
        if index.dim <= MOST_DIMS:
            index.add(np.ones((1, index.dim)))
        index.remove(list(index)[:1])
        expected = sorted(index)
    # A file whose checksum nobody compared may still be the damaged one.
    found = sorted(ff.open(folder, verify=verified))
    if found != expected:
        raise AssertionError(f"ids {expected} were written, {found} came back")


def test_one_input(data: bytes) -> None:
    """Put one file in place of a good one and open the index."""
    if len(data) < 3:
        return
    how, tiers = data[0], data[1]
    index = GOOD[tiers % len(GOOD)]
    role = index.roles[how % MMAP % len(index.roles)]
    index.put(role, data[2:], fit=bool(how & FIT))
    mmap, verify = bool(how & MMAP), bool(how & VERIFY)
    opened = None
    try:
        opened = ff.open(index.folder, mmap=mmap, verify=verify, writable=bool(tiers & WRITABLE))
        read(opened)
        if tiers & WRITABLE:
            write(opened, index.folder, verify)
    except (ValueError, OSError):
        pass
    finally:
        if tiers & WRITABLE and opened is not None:
            opened.close()
        index.restore()


def seeds(corpus: Path) -> None:
    """Write an input for each file of each index, with sums made to fit and without."""
    for tiers, index in enumerate(GOOD):
        for number, role in enumerate(index.roles):
            content = index.files[index.names[role]]
            for how in (number, number | MMAP | FIT):
                fits_log = role == "log" and how & FIT
                body = content[log._HEAD.size + 16 :] if fits_log else content
                for writable in (0, WRITABLE):
                    path = corpus / f"{tiers}-{role}-{how}-{writable}"
                    path.write_bytes(bytes([how, tiers | writable]) + body)


def main() -> None:
    """Seed a corpus with the good files, then fuzz."""
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    seeds(corpus)
    # A good file leads nowhere that another does not: without -keep_seed most would be dropped.
    options = ["-max_len=8192", "-len_control=0", "-keep_seed=1", str(corpus)]
    atheris.Setup([*sys.argv, *options], test_one_input)
    atheris.Fuzz()


FOLDER = Path(tempfile.mkdtemp(prefix="fastfunnel-fuzz-"))
GOOD = [GoodIndex(FOLDER / f"index-{i}", options) for i, options in enumerate(TIERS)]

if __name__ == "__main__":
    main()
