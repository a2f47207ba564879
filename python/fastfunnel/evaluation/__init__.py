"""The experiment of the literature, on one's own vectors: prefixes, funnels, bits, and the tuned."""

from __future__ import annotations

from fastfunnel.evaluation.evaluate import Evaluation, evaluate
from fastfunnel.evaluation.measure import Measured

__all__ = ["Evaluation", "Measured", "evaluate"]
