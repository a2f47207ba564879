"""Funnel search for Matryoshka embeddings: a cheap score over every row, the true score for a few."""

from __future__ import annotations

try:
    from fastfunnel import _core
except ImportError as error:
    raise ImportError(
        "fastfunnel's compiled core cannot be imported: "
        f"{error}. Install the package with `pip install .` from its folder (a C++20 compiler is "
        "needed), and do not import it from inside the source tree."
    ) from error

from fastfunnel.diagnosis import Diagnosis, diagnose
from fastfunnel.evaluation import Evaluation, evaluate
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.index import Index
from fastfunnel.model import Model, ModelMismatchError
from fastfunnel.rotation import fit_rotation
from fastfunnel.runtime import active_isa, available_isas, build_info
from fastfunnel.search import (
    HammingResult,
    SearchResult,
    exact_search,
    funnel_search,
    hamming_search,
)
from fastfunnel.sources import from_faiss, from_lance, from_npy, from_parquet
from fastfunnel.storage import open_index as open
from fastfunnel.tuning import TuningReport
from fastfunnel.vectors import binarize, normalize, truncate

from fastfunnel.collection import Collection, Hit  # isort: skip  (it stands on the names above)

__version__ = _core.__version__

__all__ = [
    "Collection",
    "Diagnosis",
    "Evaluation",
    "Funnel",
    "HammingResult",
    "Hit",
    "Index",
    "Model",
    "ModelMismatchError",
    "SearchResult",
    "Stage",
    "TuningReport",
    "active_isa",
    "available_isas",
    "binarize",
    "build_info",
    "diagnose",
    "evaluate",
    "exact_search",
    "fit_rotation",
    "from_faiss",
    "from_lance",
    "from_npy",
    "from_parquet",
    "funnel_search",
    "hamming_search",
    "normalize",
    "open",
    "truncate",
]
