"""A server on the loopback that speaks four embedding providers' wire formats.

The providers' own client libraries talk to it. It answers `vector(text, dim)` for each text, keeps
the requests, and plays failures that a test has lined up before it answers again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import numpy.typing as npt

FULL_DIM = 3072


def vector(text: str, dim: int) -> npt.NDArray[np.float32]:
    """Return the first dims of the text's vector, not normalised, as Gemini sends them."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    full = np.random.default_rng(seed).standard_normal(FULL_DIM).astype(np.float32)
    return full[:dim]


@dataclass(frozen=True, slots=True)
class Failure:
    """One answer that is not the usual one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Loopback:
    """The running server: its address, what it was asked, and the failures it still owes."""

    url: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    twist: Callable[[dict[str, Any]], Any] = lambda answer: answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Return the JSON bodies of the requests, in order."""
        return [body for _, body in self.requests]


@contextmanager
def serving() -> Iterator[Loopback]:
    """Run the server for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.loopback = Loopback(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.loopback  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        loopback: Loopback = self.server.loopback  # type: ignore[attr-defined]
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        loopback.requests.append((self.path, asked))
        if loopback.failures:
            failure = loopback.failures.pop(0)
            self._send(failure.status, failure.body, failure.headers)
        else:
            self._send(200, loopback.twist(_answer(self.path, asked)), {})

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""


def _answer(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    if path.startswith("/cohere"):
        return _cohere(asked)
    if path.startswith("/gemini"):
        return _gemini(asked)
    return _openai_or_voyage(asked)


def _openai_or_voyage(asked: dict[str, Any]) -> dict[str, Any]:
    dim = asked.get("dimensions") or asked.get("output_dimension") or 1536
    kind = asked.get("output_dtype") or "float"
    rows = [_typed(vector(text, dim), kind) for text in asked["input"]]
    if asked.get("encoding_format") == "base64":
        dtype = {"float": "<f4", "ubinary": "u1"}.get(kind, "i1")
        sent: list[Any] = [base64.b64encode(row.astype(dtype).tobytes()).decode() for row in rows]
    else:
        sent = [row.tolist() for row in rows]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": e} for i, e in enumerate(sent)],
        "model": asked["model"],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


def _cohere(asked: dict[str, Any]) -> dict[str, Any]:
    (kind,) = asked["embedding_types"]
    dim = asked.get("output_dimension") or 1024
    rows = [_typed(vector(text, dim), kind).tolist() for text in asked["texts"]]
    return {"id": "1", "texts": asked["texts"], "embeddings": {kind: rows}}


def _gemini(asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "embeddings": [
            {
                "values": vector(
                    "".join(part["text"] for part in one["content"]["parts"]),
                    one.get("outputDimensionality", FULL_DIM),
                ).tolist()
            }
            for one in asked["requests"]
        ]
    }


def _typed(row: npt.NDArray[np.float32], kind: str) -> npt.NDArray[Any]:
    if kind == "int8":
        return np.clip(np.round(row * 30), -128, 127).astype(np.int8)
    if kind in ("binary", "ubinary"):  # as docs.voyageai.com documents the packing
        bits = np.packbits(row > 0).astype(np.int16)
        return bits - 128 if kind == "binary" else bits
    return row
