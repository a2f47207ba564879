"""Google's Gemini embedding models, through the google-genai library."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.errors import client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side


class GeminiEmbedder(ModelEmbedder):
    """Embed with gemini-embedding-001 or -2.

    Below their full 3,072 dims Gemini's vectors do not arrive normalised; here they are.

    Args:
        model: its name.
        dim: dims of the rows; None for the model's full length.
        strict: make a length that the model was not trained at an error instead of a warning.
        client: a google.genai.Client to use.
        options: for a client made here: `api_key`, `http_options`, `vertexai` …; without
            `http_options` the client retries as its HttpRetryOptions say by default.

    Raises:
        TypeError, ValueError: for a dim that the model does not have.
        EmbeddingError: the client cannot be made, as without a key.
        ImportError: google-genai is not installed.
    """

    provider: ClassVar[str] = "gemini"
    # 100 requests a batchEmbedContents call; each text is cut at 2,048 tokens by the service.
    limits: ClassVar[Limits] = Limits(texts=100, bytes=800_000)
    documents: ClassVar[Side] = Side(task="RETRIEVAL_DOCUMENT")
    queries: ClassVar[Side] = Side(task="RETRIEVAL_QUERY")

    def __init__(
        self,
        model: str = "gemini-embedding-001",
        dim: int | None = None,
        *,
        strict: bool = False,
        client: Any = None,
        **options: Any,
    ) -> None:
        """Make the client; nothing is sent before the first text."""
        super().__init__(model, dim, strict=strict)
        genai = import_client("google.genai", "gemini")
        self._types = genai.types
        if client is None:
            with client_errors(self.provider):
                retrying = self._types.HttpOptions(retry_options=self._types.HttpRetryOptions())
                client = genai.Client(**{"http_options": retrying, **options})
        self._client = client

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        types = self._types
        # One Content a text: gemini-embedding-2 takes plain strings for parts of one document, and
        # answers one vector for all of them.
        contents = [types.Content(parts=[types.Part(text=text)]) for text in texts]
        answer = self._client.models.embed_content(
            model=self.model,
            contents=contents,
            config=types.EmbedContentConfig(task_type=side.task, output_dimensionality=self.dim),
        )
        return [embedding.values for embedding in answer.embeddings or []]
