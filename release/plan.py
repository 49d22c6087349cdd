"""The release file: which faces, teachers, student, conversion and gate make a bundle.

plan = read_plan(Path("release.toml"))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edge_runtime.errors import LabelError
from edge_runtime.labels import FERPLUS, label_set
from edge_runtime.tables import parse_table, read_table
from release.errors import ReleaseError

__all__ = ["Conversion", "Plan", "Student", "Teacher", "kind_of", "read_plan"]

CONVERSIONS = Path(__file__).parent.parent / "convert" / "recipes"

CARD = "run.json"
NAMED_WEIGHTS = ("imagenet", "none")


@dataclass(frozen=True)
class Teacher:
    """What the student learns from: a recipe that is trained first, or a finished run.

    Attributes:
        recipe: a name of `python -m train list`, or the path of a TOML file.
        run: a finished run folder; one of both.
        weights: that the recipe's net starts from, a run folder or model; "" leaves it to the recipe.
    """

    recipe: str = ""
    run: str = ""
    weights: str = ""

    def __post_init__(self) -> None:
        if bool(self.recipe) == bool(self.run):
            raise ValueError("a teacher is either a recipe or a run")
        if self.weights and self.run:
            raise ValueError("weights for a teacher that is trained already")


@dataclass(frozen=True)
class Student:
    """The net that ships.

    Attributes:
        recipe: a name of `python -m train list`, or the path of a TOML file.
        unlabelled: more faces for the teachers to speak of, as `python -m train distill --unlabelled` reads them; "" for none.
        weights: that the net starts from, a run folder or model; "" leaves it to the recipe.
    """

    recipe: str
    unlabelled: str = ""
    weights: str = ""


@dataclass(frozen=True)
class Conversion:
    """How the student becomes integers, and what must hold before it is packed.

    Attributes:
        recipe: a name in `convert/recipes`, or the path of a TOML file.
        gate: a name in `convert/gates`, or the path of a TOML file.
        most_bytes: of the converted model.
        least_accuracy: of the converted model on the choosing split, 0 to 1.
    """

    recipe: str = "int8"
    gate: str = "default"
    most_bytes: int = 3_000_000
    least_accuracy: float = 0.0

    def __post_init__(self) -> None:
        if self.most_bytes < 1 or not 0 <= self.least_accuracy <= 1:
            raise ValueError("most_bytes is at least 1, least_accuracy a share from 0 to 1")


@dataclass(frozen=True)
class Plan:
    """A release file. Paths are those of whoever runs the command: from its folder.

    Attributes:
        name: of the bundle.
        label_set: that it answers.
        licence: of its weights, in words.
        data: labelled faces, as `python -m train fit` reads them.
        votes: FER+'s csv of votes; "" for none.
        train_split, choose_split: of the data.
        out: the folder for everything that is made; the bundle is `out/NAME`.
        student, teachers, conversion: see there. Without teachers the student learns from labels alone.
    """

    name: str
    label_set: str
    licence: str
    data: str
    out: str
    student: Student
    teachers: tuple[Teacher, ...] = ()
    conversion: Conversion = field(default_factory=Conversion)
    votes: str = ""
    train_split: str = "Training"
    choose_split: str = "PublicTest"

    def __post_init__(self) -> None:
        try:
            labels = label_set(self.label_set)
        except LabelError as error:
            raise ValueError(error.received) from error
        if not self.name.isidentifier():
            raise ValueError(f"name {self.name!r}, letters and digits alone")
        if labels == FERPLUS and not self.votes:
            raise ValueError("label_set ferplus without votes")
        if self.student.unlabelled and not self.teachers:
            raise ValueError("unlabelled faces without a teacher")


def read_plan(path: Path) -> Plan:
    """Reads a release file and looks whether what it names is there.

    Raises:
        ReleaseError: no such file, no TOML, an unknown key, a wrong value, or data or a teacher that is missing.
    """
    file = read_table(path, None, "release file", ReleaseError)
    plan = parse_table(Plan, file.table, path.name, ReleaseError)
    for key, place in (("data", plan.data), ("votes", plan.votes), ("student.unlabelled", plan.student.unlabelled)):
        if place and not Path(place).exists():
            raise ReleaseError(f"{path.name}: {key} = {place!r}, no such file", "data that is there", "check the path")
    starts = {f"teachers[{index}].weights": teacher.weights for index, teacher in enumerate(plan.teachers)}
    for key, weights in {**starts, "student.weights": plan.student.weights}.items():
        if weights and weights not in NAMED_WEIGHTS and not Path(weights).exists():
            raise ReleaseError(
                f"{path.name}: {key} = {weights!r}, no such run or model",
                f"a run folder, a model file, {' or '.join(NAMED_WEIGHTS)}",
                "train that run first, or leave the key out",
            )
    for index, teacher in enumerate(plan.teachers):
        if teacher.run and not (Path(teacher.run) / CARD).is_file():
            raise ReleaseError(
                f"{path.name}: teachers[{index}].run = {teacher.run!r}, no {CARD} in it",
                "a finished run folder of `python -m train fit`",
                "train that teacher, or name its recipe here",
            )
    return plan


def kind_of(plan: Plan) -> str:
    """The kind of arithmetic that the plan's conversion recipe gives, such as "int8".

    Raises:
        ReleaseError: no such recipe, or one that names no kind.
    """
    file = read_table(plan.conversion.recipe, CONVERSIONS, "conversion recipe", ReleaseError)
    kind = file.table.get("kind")
    if not isinstance(kind, str):
        raise ReleaseError(f"{file.path}: kind = {kind!r}", "a recipe of `python -m convert tflite`", "correct it")
    return kind
