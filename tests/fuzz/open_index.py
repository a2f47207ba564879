"""Fuzz what opens an index: whatever its files hold, a clear error or an index that searches.

    pip install atheris
    python tests/fuzz/open_index.py -max_total_time=3600 -rss_limit_mb=2048

The first byte of an input says which file of a good index the rest replaces, and whether the sums
that guard it are made to fit, as no accident but an attacker would. Anything but ValueError and
OSError is a find.
"""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fastfunnel.storage", "fastfunnel.tuning", "numpy.lib"]):
    import numpy as np

    import fastfunnel as ff
    from fastfunnel.storage import draft, log, manifest

draft.CODES_FROM = 1  # so that there are files of codes

DIM = 4
FOLDER = Path(tempfile.mkdtemp(prefix="fastfunnel-fuzz-")) / "index"


def good_index() -> dict[str, bytes]:
    """Make an index with files of every kind; return their bytes by role."""
    index = ff.Index.create(
        FOLDER, dim=DIM, model="some-model", rotation=np.eye(DIM), float_store="disk"
    )
    index.add(np.arange(10 * DIM).reshape(10, DIM).astype(np.float32))
    index.remove([3])
    index._journal.checkpoint()
    index.add(np.ones((2, DIM)))
    index.remove([1])
    index._journal._lock.release()
    return {file.name.split("-")[0]: file.read_bytes() for file in FOLDER.iterdir()}


GOOD = good_index()
NAMES = {file.name.split("-")[0]: file.name for file in FOLDER.iterdir()}
CODES = ["signs", "int8", "scales", "lengths"]
ROLES = ["manifest.json", "vectors", "ids", "deleted", "rotation", "log", *CODES]


def summed_manifest(content: bytes) -> bytes:
    """Give a manifest the checksum of what it holds."""
    plain = json.loads(content)
    plain.pop("checksum", None)
    return json.dumps({"checksum": manifest._checksum(plain), **plain}).encode()


def with_size(name: str, n_bytes: int) -> bytes:
    """Give the good manifest another size for one array."""
    plain = json.loads(GOOD["manifest.json"])
    segment = plain["segments"][0]
    entries = [plain["rotation"], *segment.values(), *segment["codes"].values()]
    for entry in entries:
        if isinstance(entry, dict) and entry["file"] == name:
            entry["bytes"] = n_bytes
    return summed_manifest(json.dumps(plain).encode())


def summed_log(content: bytes) -> bytes:
    """Give a log a head, and its first record a checksum, that fit."""
    record = content[:16].ljust(16, b"\0")
    digest = log._digest(record, log._HEAD.size)
    digest.update(content[16:])
    body = record + digest.digest() + content[16:]
    return log._head(DIM, log._HEAD.size) + body


def test_one_input(data: bytes) -> None:
    """Put one file in place of a good one and open the index."""
    if len(data) < 2:
        return
    role, fit, content = ROLES[data[0] % len(ROLES)], bool(data[0] & 128), data[1:]
    files = {role: content}
    if role == "manifest.json" and fit:
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            files[role] = summed_manifest(content)
    elif role == "log" and fit:
        files[role] = summed_log(content)
    elif role not in ("manifest.json", "log"):
        files["manifest.json"] = with_size(NAMES[role], len(content))
    for changed, new in files.items():
        (FOLDER / NAMES[changed]).write_bytes(new)
    try:
        index = ff.open(FOLDER, mmap=bool(data[0] & 32), verify=bool(data[0] & 64))
        index.search(np.ones(index.dim), 3, exact=True)
        index.search(np.ones(index.dim), 3, funnel=ff.Funnel.parse("b1@1>9 b1@2>8 i8@2>7 f32@3"))
        list(index)
    except (ValueError, OSError):
        pass
    finally:
        for changed in files:
            (FOLDER / NAMES[changed]).write_bytes(GOOD[changed])


def main() -> None:
    """Seed a corpus with the good files, then fuzz."""
    corpus = FOLDER.parent / "corpus"
    corpus.mkdir()
    for number, role in enumerate(ROLES):
        for fit in (0, 128):
            first = next(b for b in range(fit, 256) if b % len(ROLES) == number)
            body = GOOD[role][40 + 16 :] if role == "log" and fit else GOOD[role]
            (corpus / f"{role}-{fit}").write_bytes(bytes([first]) + body)
    atheris.Setup([*sys.argv, "-max_len=8192", "-len_control=0", str(corpus)], test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
