"""What an unpacked bundle says of itself: the recipe that it was trained by, and what a run card keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from train.errors import ModelError
from train.recipe import CLASSIFIER, list_recipes

__all__ = ["OTHER_RECIPE", "Packed", "origin_of", "recipe_of"]

OTHER_RECIPE = "name the recipe that the bundle was trained by: --recipe NAME_OR_PATH"


class Packed(Protocol):
    """A bundle of either kind."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def manifest(self) -> Mapping[str, Any]: ...


def recipe_of(bundle: Packed, kind: str = CLASSIFIER) -> str:
    """The name of the recipe that it was trained by. Raises ModelError where the project has none of that name and kind."""
    trained: Any = bundle.manifest.get("training") or {}
    name, known = str(trained.get("recipe", {}).get("name", "")), list_recipes(kind)
    if name not in known:
        found = f"was trained by the recipe {name!r}, which is not here" if name else "does not say its recipe"
        raise ModelError(
            f"the bundle {bundle.name}, which {found}",
            f"one of {', '.join(known)}, or the path of its file",
            "name it: --recipe NAME_OR_PATH",
        )
    return name


def origin_of(bundle: Packed) -> dict[str, Any]:
    """Which bundle it was, and how that was trained."""
    return {"name": bundle.name, "sha256": bundle.sha256, "training": bundle.manifest.get("training")}
