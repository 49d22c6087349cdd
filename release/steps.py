"""The steps of a release: commands, in their order, and the files in which they meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_runtime.labels import FERPLUS
from release.plan import Plan, Teacher

__all__ = ["Step", "Workshop", "steps"]

MODEL = "model.keras"


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: in a word or two.
        module: that `python -m` runs.
        words: its arguments.
        check: whether its exit code 1 is a verdict on the model.
    """

    name: str
    module: str
    words: tuple[str, ...]
    check: bool = False

    def __str__(self) -> str:
        return " ".join(["python", "-m", self.module, *self.words])


@dataclass(frozen=True)
class Workshop:
    """The places of a release's files."""

    folder: Path
    name: str

    def teacher(self, teacher: Teacher) -> Path:
        return Path(teacher.run) if teacher.run else self.folder / "teachers" / Path(teacher.recipe).stem

    @property
    def student(self) -> Path:
        return self.folder / "student"

    @property
    def original(self) -> Path:
        return self.folder / "float32.tflite"

    @property
    def converted(self) -> Path:
        return self.folder / "converted.tflite"

    @property
    def parity(self) -> Path:
        return self.folder / "parity"

    def trial(self, kind: str) -> Path:
        """A bundle without figures, from which the figures are recorded."""
        return self.folder / f"trial-{kind}"

    def record(self, kind: str) -> Path:
        return self.folder / f"{kind}.npz"

    @property
    def bundle(self) -> Path:
        return self.folder / self.name


def steps(plan: Plan, kind: str) -> list[Step]:
    """The commands of a release.

    Args:
        plan: the release file.
        kind: of arithmetic that its conversion recipe gives, such as "int8".
    """
    shop = Workshop(Path(plan.out), plan.name)
    return [*_training(plan, shop), *_conversion(plan, shop), *_packing(plan, shop, kind)]


def _training(plan: Plan, shop: Workshop) -> list[Step]:
    faces = ["--data", plan.data, *_given("--votes", plan.votes)]
    splits = ["--train-split", plan.train_split, "--choose-split", plan.choose_split]
    found = []
    for teacher in plan.teachers:
        if teacher.recipe:
            words = ["fit", "--recipe", teacher.recipe, *faces, *splits, *_given("--weights", teacher.weights)]
            found.append(_step("teacher", "train", [*words, "--out", str(shop.teacher(teacher))]))
    out = ["--out", str(shop.student)]
    words = ["--recipe", plan.student.recipe, *faces, *splits, *_given("--weights", plan.student.weights)]
    if plan.teachers:
        taught = [word for teacher in plan.teachers for word in ("--teacher", str(shop.teacher(teacher)))]
        more = _given("--unlabelled", plan.student.unlabelled)
        found.append(_step("student", "train", ["distill", *words, *taught, *more, *out]))
    else:
        found.append(_step("student", "train", ["fit", *words, *out]))
    judged = ["--data", plan.data, *_own_votes(plan), "--split", plan.choose_split]
    found.append(_step("temperature", "train", ["calibrate", str(shop.student), *judged]))
    return found


def _conversion(plan: Plan, shop: Workshop) -> list[Step]:
    model, how = str(shop.student / MODEL), plan.conversion
    calibration = ["--calibration", plan.data, "--calibration-split", plan.train_split]
    most = ["--most-bytes", str(how.most_bytes)]
    judged = ["--data", plan.data, *_own_votes(plan), "--split", plan.choose_split]
    sides = ["--reference", model, "--candidate", str(shop.converted), "--candidate", str(shop.original)]
    return [
        _step("original", "convert", ["tflite", model, "--kind", "float32", "--out", str(shop.original)]),
        _step(
            "conversion",
            "convert",
            ["tflite", model, "--recipe", how.recipe, *calibration, *most, "--out", str(shop.converted)],
            check=True,
        ),
        _step(
            "gate", "convert", ["parity", *sides, *judged, "--gate", how.gate, "--report", str(shop.parity)], check=True
        ),
    ]


def _packing(plan: Plan, shop: Workshop, kind: str) -> list[Step]:
    facts = ["--name", plan.name, "--label-set", plan.label_set, "--licence", plan.licence, "--run", str(shop.student)]
    found, records = [], []
    for each, model in {"float32": shop.original, kind: shop.converted}.items():
        bundle, record = shop.trial(each), shop.record(each)
        pack = ["pack", str(model), *facts, "--out", str(bundle), "--replace"]
        found.append(_step(f"trial bundle, {each}", "convert", pack))
        labels = ["--labels", f"{FERPLUS.name}:{plan.votes}"] if plan.label_set == FERPLUS.name else []
        answers = ["record", plan.data, "--split", plan.choose_split, "--bundle", str(bundle), *labels]
        found.append(_step(f"figures, {each}", "edge_runtime", [*answers, "--out", str(record)]))
        records += ["--record", f"{each}={record}"]
    pack = ["pack", str(shop.converted), *facts, *records, "--most-bytes", str(plan.conversion.most_bytes)]
    found.append(_step("bundle", "convert", [*pack, "--out", str(shop.bundle), "--replace"], check=True))
    found.append(_step("self-test", "edge_runtime", ["selftest", "--bundle", str(shop.bundle)], check=True))
    return found


def _own_votes(plan: Plan) -> list[str]:
    """The votes where they are the labels that a model is judged by."""
    return _given("--votes", plan.votes) if plan.label_set == FERPLUS.name else []


def _given(option: str, value: str) -> list[str]:
    return [option, value] if value else []


def _step(name: str, module: str, words: list[str], check: bool = False) -> Step:
    return Step(name, module, tuple(words), check)
