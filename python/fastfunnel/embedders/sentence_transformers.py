"""Any model of the sentence-transformers library, with the recipe its makers give."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.errors import client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side


class SentenceTransformerEmbedder(ModelEmbedder):
    """Embed with a sentence-transformers model: full length first, then cut, then normalise.

    The library's own `truncate_dim` cuts without normalising again, and before Nomic v1.5's layer
    norm, so it is not used. Prefixes come from the table; a model that is not in it gets the
    prompts of its own configuration.

    Args:
        model: its name or directory, or a loaded SentenceTransformer.
        dim: dims of the rows; None for the model's full length.
        strict: make a length that the model was not trained at an error instead of a warning.
        name: what the rows' model is called; needed for a loaded model in the table.
        options: for a model loaded here, as SentenceTransformer takes them: `device`,
            `trust_remote_code` …

    Raises:
        TypeError, ValueError: for a dim that the model does not have.
        EmbeddingError: the model cannot be loaded.
        ImportError: sentence-transformers is not installed.
    """

    provider: ClassVar[str] = "sentence_transformers"
    limits: ClassVar[Limits] = Limits(texts=1024, bytes=8_000_000)
    documents: ClassVar[Side] = Side(task="document")  # the library's own names of the sides
    queries: ClassVar[Side] = Side(task="query")

    def __init__(
        self,
        model: Any = "nomic-ai/nomic-embed-text-v1.5",
        dim: int | None = None,
        *,
        strict: bool = False,
        name: str | None = None,
        **options: Any,
    ) -> None:
        """Load the model, unless it is one already."""
        if isinstance(model, str):
            library = import_client("sentence_transformers", "sentence-transformers")
            with client_errors(self.provider):
                loaded = library.SentenceTransformer(model, **options)
        else:
            loaded = model
        called = name or (model if isinstance(model, str) else "sentence-transformers model")
        loaded.truncate_dim = None
        super().__init__(called, dim, strict=strict, full_dim=_full_dim(loaded))
        self._loaded = loaded
        if self._card is None:
            self._more_recipe = {
                "document_prompt": _prompt(loaded, "document", "passage", "corpus"),
                "query_prompt": _prompt(loaded, "query"),
            }
        if "revision" in options:
            self._more_recipe["revision"] = options["revision"]

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        options: dict[str, Any] = {"show_progress_bar": False, "convert_to_numpy": True}
        if (
            self._card is not None
        ):  # the prefix is in the texts already, and "" keeps a default prompt out
            if side.task is not None:
                options["task"] = side.task
            rows: npt.ArrayLike = self._loaded.encode(texts, prompt="", **options)
        elif side == self.queries:
            rows = self._loaded.encode_query(texts, **options)
        else:
            rows = self._loaded.encode_document(texts, **options)
        return rows


def _prompt(loaded: Any, *names: str) -> str | None:
    """Return the prompt that the library puts before a side's texts: the first that is there."""
    prompts = getattr(loaded, "prompts", None) or {}
    names = (*names, getattr(loaded, "default_prompt_name", None) or "")
    return next((prompts[name] for name in names if prompts.get(name)), None)


def _full_dim(loaded: Any) -> int | None:
    ask = getattr(loaded, "get_embedding_dimension", None)
    ask = ask or loaded.get_sentence_embedding_dimension
    found = ask()
    return None if found is None else int(found)
