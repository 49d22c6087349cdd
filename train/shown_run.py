"""A run as its page shows it: card, history, scores and faces of one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet
from edge_runtime.reliability import Reliability
from train.scores import Scores

__all__ = ["ShownRun"]


@dataclass(frozen=True)
class ShownRun:
    """What a page is made of. `split` is the one that was evaluated; `recipe` the recipe's own words, maybe none."""

    card: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    scores: Scores
    faces: FaceSet
    probabilities: NDArray[np.floating[Any]]
    reliability: Reliability | None
    repeated: int | None
    fresh: float | None
    split: str
    recipe_text: str
    recipe: Mapping[str, Any]

    @property
    def chosen_on_it(self) -> bool:
        return bool(self.split == self.card["data"]["choose_split"])
