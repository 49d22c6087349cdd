"""A student while it learns: of the targets, as any recipe's net, and of what teachers answer for the same views.

`keras.distillation.Distiller` weighs both parts and keeps the teachers still. Three things stand around it here. The
view is drawn before the step, because a Distiller gives its input to both sides, each of which would distort it anew;
blur and darkness come in the step, before the student alone, because its teachers know less of a face so spoiled.
The faces' weights are folded into the targets, because it passes over sample weights. Features are outputs of both
sides, because for layers by name it runs the student twice a step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from train.answers import Answered, AnswerStore
from train.batches import Batches, Lessons
from train.drawn import DrawnView, draw, draw_chunk
from train.errors import DataError, RecipeError
from train.recipe import Recipe
from train.recipe_tables import Distillation, Features
from train.teachers import Teacher, joined
from train.trainee import Trainee, compile_options

__all__ = ["ANSWERS", "Student", "TaughtBatches", "Teaching", "label_loss"]

ANSWERS = "answers"
"""The folder of cached answers in a run folder."""
_ASKED = 128
"""Views that the teachers answer at once where their answers are cached."""


@dataclass(frozen=True)
class Teaching:
    """What a student learns from beside its labels.

    Attributes:
        teachers: their mean is learnt; none learns from the labels alone, on the same views.
        unlabelled: uint8 (N, H, W, C), pictures that only the teachers say something about.
        watch: called while answers are gathered for the cache.
    """

    teachers: Sequence[Teacher] = ()
    unlabelled: NDArray[np.uint8] | None = None
    watch: Callable[[Answered], None] = lambda _: None

    def lessons(self, lessons: Lessons, recipe: Recipe) -> Lessons:
        """The training faces and the unlabelled ones. Raises DataError where a recipe cannot take those."""
        if self.unlabelled is None:
            return lessons
        if not self.teachers:
            raise DataError(
                f"{len(self.unlabelled)} unlabelled pictures without a teacher",
                "a teacher, which alone says something about them",
                "leave --unlabelled out, or --without-teacher",
            )
        if recipe.schedule.sampling == "balanced":
            raise RecipeError(
                f'{recipe.name}: schedule.sampling = "balanced" with unlabelled pictures',
                '"shuffled": nobody knows how frequent their classes are',
                "change the recipe, or leave --unlabelled out",
            )
        return lessons.with_unlabelled(self.unlabelled)

    def facts(self) -> dict[str, str]:
        """Hashes of what a checkpoint must have been taught by."""
        teachers = hashlib.sha256(" ".join(teacher.sha256 for teacher in self.teachers).encode()).hexdigest()
        pictures = "none" if self.unlabelled is None else hashlib.sha256(self.unlabelled.tobytes()).hexdigest()
        return {"teachers": teachers if self.teachers else "none", "unlabelled": pictures}

    def as_json(self, recipe: Recipe) -> dict[str, Any]:
        """What the run card says of it; shares are 0..1, and without a teacher there is no temperature."""
        table = recipe.distillation
        assert table is not None
        taught = bool(self.teachers)
        return {
            "teachers": [teacher.as_json() for teacher in self.teachers],
            "teacher_share": table.teacher_share if taught else 0.0,
            "temperature": table.temperature if taught else None,
            "views": table.views,
            "cached_views": table.cached_views if table.views == "cached" else None,
            "features": None if table.features is None or not taught else asdict(table.features),
            "unlabelled": 0 if self.unlabelled is None else len(self.unlabelled),
            "unlabelled_sha256": self.facts()["unlabelled"],
        }


class TaughtBatches(Batches):
    """Batches of one epoch's drawn views, as ({"pixels", "answers"}, targets, labelled).

    Targets are weighted, and zero where there is no label; `labelled` is 1 or 0, for the accuracy alone. "answers" are
    there where the teachers are not asked in the step.
    """

    def __init__(
        self, lessons: Lessons, recipe: Recipe, epoch: int, answers: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__(lessons, recipe, epoch)
        self.answers = answers

    def __getitem__(self, index: int) -> Any:
        pixels, targets, weights = super().__getitem__(index)
        inputs: dict[str, NDArray[Any]] = {"pixels": pixels}
        if self.answers is not None:
            inputs["answers"] = self.answers[self.chosen(index)]
        labelled = (targets.sum(axis=1) > 0).astype(np.float32)
        return inputs, targets * weights[:, None], labelled


class Student(Trainee):
    """A recipe's net while it learns from targets and teachers.

    Args:
        recipe: with a `distillation`.
        classes: how many the net answers.
        steps: batches an epoch.
        teaching: teachers and unlabelled pictures.
        folder: the run folder, for cached answers.
        say: called with lines for a person.

    Raises:
        RecipeError, ModelError: layers of features that do not exist or cannot be compared.
    """

    def __init__(
        self, recipe: Recipe, classes: int, steps: int, teaching: Teaching, folder: Path, say: Callable[[str], None]
    ) -> None:
        assert recipe.distillation is not None
        self.table: Distillation = recipe.distillation
        self.teaching, self.folder, self.say, self.classes = teaching, folder, say, classes
        features = self.table.features if teaching.teachers else None
        self.features: Features | None = features
        self.teachers = None
        if teaching.teachers:
            layer = features.teacher_layer if features else None
            self.teachers = joined(teaching.teachers, recipe.model.channels, self.table.precision, layer)
        self.live = self.teachers is not None and self.table.views == "live"
        self.store: AnswerStore | None = None
        # The student begins with the same weights whoever teaches it: building teachers has drawn random numbers.
        keras.utils.set_random_seed(recipe.seed)
        super().__init__(recipe, classes, steps)

    def _model(self) -> keras.Model:
        table, share = self.table, self.table.teacher_share if self.teachers is not None else 0.0
        inputs = {"pixels": keras.Input(self.logits.input_shape[1:], dtype="uint8", name="pixels")}
        if not self.live:
            inputs["answers"] = keras.Input((self.classes,), dtype="float32", name="answers")
        pixels = ops.cast(inputs["pixels"], "float32")
        if self.live:
            assert self.teachers is not None
            known = self.teachers(pixels, training=False)
        else:
            known = {"logits": keras.layers.Identity(dtype="float32")(inputs["answers"])}
        answer_loss: Any = keras.losses.KLDivergence()
        if self.features is None:
            teacher = keras.Model(inputs, known["logits"], name="answering")
            student = keras.Model(inputs, self.logits(self.worsen(pixels)), name="student")
            losses, weights, distiller = [], [1.0], keras.distillation.Distiller
        else:
            teacher = keras.Model(inputs, (known["logits"], known["features"]), name="answering")
            student = keras.Model(inputs, self._with_features(pixels, known["features"]), name="student")
            distance = {"mse": keras.losses.MeanSquaredError, "cosine": keras.losses.CosineSimilarity}
            losses = [keras.distillation.FeatureDistillation((None, distance[self.features.loss]()))]
            weights, answer_loss, distiller = [1.0, self.features.weight], (answer_loss, None), FeatureDistiller
        losses.insert(0, keras.distillation.LogitsDistillation(table.temperature, answer_loss))
        # Of no dtype policy but float32: a Distiller casts its input to its own, and answers are finer than bfloat16.
        return distiller(teacher, student, losses, weights, student_loss_weight=1.0 - share, dtype="float32")

    def _with_features(self, pixels: Any, wanted: Any) -> tuple[Any, Any]:
        """The student's logits, and its features with as many channels as those that are wanted."""
        assert self.features is not None
        names = [layer.name for layer in self.logits.layers]
        if self.features.student_layer not in names:
            raise RecipeError(
                f"distillation.features.student_layer = {self.features.student_layer!r}",
                f"a layer of {self.logits.name}: {', '.join(names)}",
                "correct the recipe",
            )
        layer = self.logits.get_layer(self.features.student_layer)
        net = keras.Model(self.logits.input, [self.logits.output, layer.output])
        self._check_features(net)
        logits, features = net(self.worsen(pixels))
        features = ops.cast(features, "float32")
        if features.shape[-1] != wanted.shape[-1]:
            features = keras.layers.Dense(wanted.shape[-1], dtype="float32", name="to_teacher")(features)
        return logits, features

    def _check_features(self, net: keras.Model) -> None:
        """Refuses features of other shapes, which an open size shows only once a picture goes through."""
        assert self.features is not None
        assert self.teachers is not None
        whole, channels = self.recipe.model.net_size, self.recipe.model.channels
        for size in sorted({stage.size or whole for stage in self.recipe.schedule.stages}):
            picture = np.zeros((1, size, size, channels), np.float32)
            ours, theirs = net(picture)[1].shape, self.teachers(picture)["features"].shape
            if tuple(ours[:-1]) != tuple(theirs[:-1]):
                raise RecipeError(
                    f"features {tuple(ours[1:])} of {self.features.student_layer!r} at {size} px beside the teacher's"
                    f" {tuple(theirs[1:])} of {self.features.teacher_layer!r}",
                    "vectors, or maps of one height and width",
                    "compare layers behind the pooling, or of the same size",
                )

    def _compile(self, optimizer: Any) -> None:
        self.model.compile(
            optimizer,
            label_loss if self.features is None else (label_loss, _no_loss),
            weighted_metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            **compile_options(),
        )

    def prepare(self, lessons: Lessons) -> None:
        """Asks the teachers for the answers that the cache lacks."""
        if self.teachers is None or self.live:
            return
        facts = {
            "data": hashlib.sha256(lessons.pixels.tobytes()).hexdigest(),
            "recipe": self.recipe.sha256,
            "teachers": self.teaching.facts()["teachers"],
        }
        self.store = AnswerStore(self.folder / ANSWERS, facts, (len(lessons), self.classes), self.say)
        views = list(dict.fromkeys(self.view(epoch) for epoch in range(self.recipe.schedule.epochs)))

        def ask(view: DrawnView, place: slice) -> NDArray[np.float32]:
            return self.asked(draw_chunk(self.augment, lessons.pixels, view, self.recipe.seed, place))

        self.store.complete(views, ask, self.teaching.watch)

    def asked(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the teachers answer for views (N, H, W, C): logits, float32 (N, classes)."""
        assert self.teachers is not None
        parts = range(0, len(pixels), _ASKED)
        answers = [self.teachers.predict_on_batch(pixels[at : at + _ASKED].astype(np.float32)) for at in parts]
        return np.concatenate([np.asarray(answer["logits"]) for answer in answers])

    def batches(self, lessons: Lessons, epoch: int) -> Batches:
        view = self.view(epoch)
        pixels = draw(self.augment, lessons.pixels, view, self.recipe.seed)
        answers = None
        if not self.live:
            none = np.zeros((len(pixels), self.classes), np.float32)
            answers = none if self.store is None else self.store.whole(view)
        return TaughtBatches(replace(lessons, pixels=pixels), self.recipe, epoch, answers)

    def view(self, epoch: int) -> DrawnView:
        """The view of every face that an epoch sees: with cached views the same for a baseline without a teacher."""
        stage = self.recipe.schedule.stage_at(epoch)
        number = epoch if self.table.views == "live" else epoch % self.table.cached_views
        return DrawnView(number, stage.size or self.recipe.model.net_size, stage.view)

    def _variables(self) -> list[Any]:
        """Without the teachers, who do not learn."""
        return [*self.model.student.variables, *self.model.optimizer.variables]


class FeatureDistiller(keras.distillation.Distiller):  # type: ignore[misc]
    """A Distiller whose sides give (logits, features), of which the targets and the accuracy are about the logits."""

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        return super().compute_loss(x, (y, y), y_pred, sample_weight, training)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().compute_metrics(x, y, y_pred[0], sample_weight)


def label_loss(targets: Any, logits: Any) -> Any:
    """Cross-entropy for rows of any sum, a mean over the batch: TensorFlow's own has a false gradient unless it is 1."""
    return -ops.mean(ops.sum(ops.cast(targets, "float32") * ops.log_softmax(logits), axis=-1))


def _no_loss(targets: Any, features: Any) -> Any:  # noqa: ARG001
    """Features have no label."""
    return ops.zeros(())
