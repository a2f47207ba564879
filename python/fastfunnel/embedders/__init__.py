"""Models that turn text into vectors; a client library is imported only when its model is made."""

from __future__ import annotations

from fastfunnel.embedders.choice import embedder_for
from fastfunnel.embedders.codes import as_codes
from fastfunnel.embedders.cohere import CohereEmbedder
from fastfunnel.embedders.errors import EmbeddingError
from fastfunnel.embedders.gemini import GeminiEmbedder
from fastfunnel.embedders.model2vec import Model2VecEmbedder
from fastfunnel.embedders.models import ModelCard, UntrainedDimWarning, known_models
from fastfunnel.embedders.openai import OpenAIEmbedder
from fastfunnel.embedders.protocol import Embedder, FloatRows
from fastfunnel.embedders.sentence_transformers import SentenceTransformerEmbedder
from fastfunnel.embedders.voyage import VoyageEmbedder
from fastfunnel.embedders.wordllama import WordLlamaEmbedder

__all__ = [
    "CohereEmbedder",
    "Embedder",
    "EmbeddingError",
    "FloatRows",
    "GeminiEmbedder",
    "Model2VecEmbedder",
    "ModelCard",
    "OpenAIEmbedder",
    "SentenceTransformerEmbedder",
    "UntrainedDimWarning",
    "VoyageEmbedder",
    "WordLlamaEmbedder",
    "as_codes",
    "embedder_for",
    "known_models",
]
