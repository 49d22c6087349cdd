"""What an unpacked bundle says of itself: the recipe that it was trained by, and what a run card keeps of it."""

from __future__ import annotations

from typing import Any

from edge_runtime.bundle import Bundle
from edge_runtime.detectors.detector_bundle import DetectorBundle
from train.errors import ModelError
from train.recipe import CLASSIFIER, list_recipes

__all__ = ["OTHER_RECIPE", "origin_of", "recipe_of"]

OTHER_RECIPE = "name the recipe that the bundle was trained by: --recipe NAME_OR_PATH"


Packed = Bundle | DetectorBundle


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
