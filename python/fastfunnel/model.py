"""What made the vectors of an index. Embeddings of different models do not mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

Setting: TypeAlias = str | int | float | bool | None


class ModelMismatchError(ValueError):
    """Vectors of one model met an index of another's."""

    def __init__(self, holder: str, difference: str) -> None:
        """Say what `holder` holds, by the words of `Model.difference`."""
        super().__init__(holder, difference)  # as they are, so that it can go to other processes

    def __str__(self) -> str:
        """Return the sentence."""
        holder, difference = self.args
        return (
            f"{holder} holds {difference}: embeddings of different models do not mix, whatever "
            "their scores say"
        )


@dataclass(frozen=True)
class Model:
    """A model and how it was used.

    name: what its maker calls it.
    dim: dims of the vectors it was asked for; None if unknown.
    recipe: what else changes its vectors, like prompts, pooling or a revision; by name.
    """

    name: str
    dim: int | None = None
    recipe: Mapping[str, Setting] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the kinds of values and keep the recipe from changing."""
        if not isinstance(self.name, str):
            raise TypeError(f"model must be a str or a Model, got {type(self.name).__name__}")
        if self.dim is not None and (type(self.dim) is not int or self.dim < 1):
            raise ValueError(f"a model's dim must be None or an int from 1 on, got {self.dim!r}")
        for key, value in self.recipe.items():
            if not isinstance(key, str) or not isinstance(value, (str, int, float, type(None))):
                raise TypeError(f"a recipe must hold numbers and strings, got {key!r}: {value!r}")
        object.__setattr__(self, "recipe", MappingProxyType(dict(self.recipe)))

    def __reduce__(self) -> tuple[type[Model], tuple[str, int | None, dict[str, Setting]]]:
        """Let it be pickled and copied, which its unchanging recipe alone cannot be."""
        return Model, (self.name, self.dim, dict(self.recipe))

    @staticmethod
    def of(source: Any) -> Model:
        """Return what made the vectors of `source`.

        Args:
            source: a Model, a model's name, or an embedder: anything with `model` and `dim`, and
                perhaps a `recipe`.

        Raises:
            TypeError, ValueError: for anything else.
        """
        if isinstance(source, Model):
            return source
        if isinstance(source, str):
            return Model(source)
        if hasattr(source, "model") and hasattr(source, "dim"):
            return Model(source.model, source.dim, getattr(source, "recipe", None) or {})
        raise TypeError(f"model must be a str, a Model or an embedder, got {type(source).__name__}")

    def difference(self, other: Model) -> str | None:
        """Return in what two models differ, or None. What either does not say is no difference."""
        if self.name != other.name:
            return f"vectors of {self.name!r}, not {other.name!r}"
        if self.dim is not None and other.dim is not None and self.dim != other.dim:
            return f"vectors of {self.name!r} at {self.dim} dims, not {other.dim}"
        for key in sorted(self.recipe.keys() & other.recipe.keys()):
            if self.recipe[key] != other.recipe[key]:
                return f"vectors of {self.name!r} with {key} {self.recipe[key]!r}, not {other.recipe[key]!r}"
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the model as JSON knows it."""
        return {"name": self.name, "dim": self.dim, "recipe": dict(self.recipe)}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Model:
        """Return the model that `to_dict` described.

        Raises:
            TypeError, ValueError: for something else.
        """
        recipe = values.get("recipe", {})
        if not isinstance(recipe, Mapping):
            raise TypeError(f"a recipe must be an object, got {type(recipe).__name__}")
        return Model(values.get("name"), values.get("dim"), recipe)  # type: ignore[arg-type]
