"""A recipe: one system to train, as a TOML file in `train/recipes/` or anywhere."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from train.errors import RecipeError
from train.tables import parse_table

__all__ = ["AugmentOptions", "Recipe", "Schedule", "Stage", "Targets", "list_recipes", "read_recipe"]

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class ModelTable:
    """Which architecture (a file of `train/models/`) and its own options."""

    architecture: str
    size: int = 48
    channels: int = 1
    precision: str = "float32"
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision {self.precision!r}, but only float32 and bfloat16 are known")
        if self.channels not in (1, 3):
            raise ValueError(f"channels {self.channels}, but only 1 (grey) and 3 (BGR) are known")
        if not 16 <= self.size <= 512:
            raise ValueError(f"size {self.size}, but only 16 to 512 px are known")


@dataclass(frozen=True)
class Targets:
    """What the model is taught: the data set's labels, or a mixture of them and FER+ votes.

    `refit`: once trained, scale and shift the logits to the training labels (see `refit.py`).
    """

    kind: str = "labels"
    votes_share: float = 0.5
    label_smoothing: float = 0.0
    refit: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("labels", "mixed"):
            raise ValueError(f"kind {self.kind!r}, but only labels and mixed are known")
        if not (0 <= self.votes_share <= 1 and 0 <= self.label_smoothing < 1):
            raise ValueError("votes_share and label_smoothing are shares from 0 to 1")


@dataclass(frozen=True)
class AugmentOptions:
    """Random distortions, each drawn anew for every picture.

    rotation_deg, scale, shift: largest change either way (degrees; share of the size). flip: mirror half of the
    pictures. brightness: largest change in grey levels. contrast: largest relative change. erase: probability that a
    rectangle of up to 0.1 of the area is painted over with one grey level.
    """

    rotation_deg: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 0:
                raise ValueError(f"{name} {value} is negative")
        if self.scale >= 1 or self.shift >= 1 or self.contrast >= 1 or self.erase > 1:
            raise ValueError("scale, shift, contrast and erase are shares below 1")


@dataclass(frozen=True)
class Stage:
    """A number of epochs at one size in pixels (0: the model's own size).

    A smaller size is cut out of the picture (view "crop") or is the whole picture made smaller (view "resize").
    """

    epochs: int
    size: int = 0
    view: str = "crop"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.size < 0:
            raise ValueError(f"a stage of {self.epochs} epochs at {self.size} px")
        if self.view not in ("crop", "resize"):
            raise ValueError(f"view {self.view!r}, but only crop and resize are known")


@dataclass(frozen=True)
class Schedule:
    """Optimizer, learning rate and epochs.

    `weight_decay` is decoupled (each step takes learning_rate × weight_decay of each kernel away), as Keras' optimizers do.
    `ema`: the weights that are chosen and saved are an average over the steps that keeps this share of itself each step.
    """

    stages: tuple[Stage, ...]
    batch: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    decay: str = "cosine"
    warmup_epochs: int = 0
    weight_decay: float = 0.0
    ema: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema {self.ema}, a share from 0 (none) to below 1")
        if self.optimizer not in ("sgd", "adam"):
            raise ValueError(f"optimizer {self.optimizer!r}, but only sgd and adam are known")
        if self.decay not in ("cosine", "constant"):
            raise ValueError(f"decay {self.decay!r}, but only cosine and constant are known")
        if not self.stages or self.batch < 1 or self.learning_rate <= 0:
            raise ValueError("a schedule needs stages, a batch of at least 1 and a positive learning rate")

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def stage_at(self, epoch: int) -> Stage:
        """The stage that an epoch (from 0) belongs to."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return self.stages[-1]


@dataclass(frozen=True)
class Recipe:
    """One system: where it comes from, what it keeps and changes of its source, and how it is trained."""

    name: str
    source: str
    keeps: str
    changes: str
    target: str
    label_set: str
    model: ModelTable
    schedule: Schedule
    targets: Targets = field(default_factory=Targets)
    augment: AugmentOptions = field(default_factory=AugmentOptions)
    seed: int = 1
    sha256: str = ""

    def __post_init__(self) -> None:
        too_large = [stage.size for stage in self.schedule.stages if stage.size > self.model.size]
        if too_large:
            raise ValueError(f"a stage at {too_large[0]} px for a model of {self.model.size} px")


def list_recipes() -> list[str]:
    """The names of the recipes that the project brings."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def read_recipe(name_or_path: str) -> Recipe:
    """A recipe by its name in `train/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value.
    """
    path = RECIPES / f"{name_or_path}.toml"
    if not path.exists():
        path = Path(name_or_path)
    if not path.is_file():
        raise RecipeError(
            f"recipe {name_or_path!r}",
            f"one of {', '.join(list_recipes())}, or the path of a TOML file",
            "check the name",
        )
    data = path.read_bytes()
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}", "a TOML file", "correct that line") from error
    if "sha256" in table:
        raise RecipeError(f"{path.name}: unknown key 'sha256'", "a recipe's own keys", "remove it")
    return parse_table(Recipe, {**table, "sha256": hashlib.sha256(data).hexdigest()}, path.name)
