"""A face detector's recipe: `kind = "face_detector"`, and tables of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_runtime.tables import parse_table
from train.errors import RecipeError
from train.models.face_detector_options import Options
from train.recipe import recipe_file, recipe_table
from train.recipe_tables import Schedule, Stage
from train.scenes.options import SceneOptions

__all__ = ["DETECTOR", "DetectorRecipe", "DetectorSchedule", "Judging", "Net", "Weights", "read_detector_recipe"]

DETECTOR = "face_detector"
"""The `kind` of a recipe of this sort."""


@dataclass(frozen=True)
class Net:
    """The net and what it reads: pictures of `width` × `height` px with `channels` 1 (grey) or 3 (BGR).

    weights: "none", or the path of a finished run or a saved detector to start from.
    """

    width: int = 320
    height: int = 256
    channels: int = 1
    weights: str = "none"
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels {self.channels}, but only 1 (grey) and 3 (BGR) are known")
        if self.width % 32 or self.height % 32 or not (64 <= self.width <= 1280 and 64 <= self.height <= 1280):
            raise ValueError(f"{self.width} × {self.height} px, but multiples of 32 from 64 to 1280")


@dataclass(frozen=True)
class Weights:
    """How much the parts of the loss count: the score's is 1.

    focus: the exponent of quality focal loss.
    smooth: below which share of the face's size a landmark's distance counts as its square.
    """

    box: float = 2.0
    distance: float = 0.5
    points: float = 1.0
    focus: float = 2.0
    smooth: float = 0.1

    def __post_init__(self) -> None:
        if min(self.box, self.distance, self.points, self.focus) < 0:
            raise ValueError("weights of the loss are not negative")
        if not 0 < self.smooth <= 1:
            raise ValueError(f"smooth {self.smooth}, a share above 0 and up to 1")


@dataclass(frozen=True)
class DetectorSchedule:
    """epochs of `scenes` new scenes each, `batch` a step; a cosine from `learning_rate` to zero after a warm-up."""

    epochs: int
    scenes: int
    batch: int = 16
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    warmup_epochs: int = 1
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        if self.scenes < self.batch:
            raise ValueError(f"{self.scenes} scenes an epoch, less than a batch of {self.batch}")
        _ = self.optimizing  # it checks the rest

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.scenes // self.batch

    @property
    def optimizing(self) -> Schedule:
        """The same as the optimizer and the learning rate of `train.learning` read it."""
        return Schedule(
            (Stage(self.epochs),),
            batch=self.batch,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            warmup_epochs=self.warmup_epochs,
            weight_decay=self.weight_decay,
        )


@dataclass(frozen=True)
class Judging:
    """On how many held-out scenes the best epoch is chosen, how often, and from how small a face on.

    every: an epoch of so many is judged; the last always is.
    """

    scenes: int = 300
    every: int = 1
    smallest_px: float = 16.0

    def __post_init__(self) -> None:
        if self.scenes < 1 or self.every < 1 or self.smallest_px < 0:
            raise ValueError("judging needs at least one scene, and each of at least one epoch")


@dataclass(frozen=True)
class DetectorRecipe:
    """One detector: where it comes from, what it keeps and changes of its source, and how it is trained."""

    kind: str
    name: str
    source: str
    keeps: str
    changes: str
    target: str
    schedule: DetectorSchedule
    model: Net = field(default_factory=Net)
    scenes: SceneOptions = field(default_factory=SceneOptions)
    loss: Weights = field(default_factory=Weights)
    judging: Judging = field(default_factory=Judging)
    seed: int = 1
    sha256: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what the net reads."""
        return self.model.width, self.model.height


def read_detector_recipe(name_or_path: str) -> DetectorRecipe:
    """A detector's recipe by its name in `train/recipes/`, or by the path of a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a wrong value, or a recipe of another kind.
    """
    table = recipe_table(name_or_path)
    if table.get("kind") != DETECTOR:
        found = table.get("kind", "classifier")
        raise RecipeError(f"recipe {name_or_path!r} of kind {found!r}", f"kind = {DETECTOR!r}", "name another recipe")
    return parse_table(DetectorRecipe, table, recipe_file(name_or_path).path.name, RecipeError)
