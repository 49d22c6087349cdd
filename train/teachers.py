"""Teachers: finished runs whose answers a student learns, one or several, as one Keras model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from edge_runtime.labels import label_set
from train.errors import DataError, ModelError
from train.evaluate import load_model
from train.files import MODEL
from train.recipe import Recipe
from train.run_card import CARD, read_card

__all__ = ["Teacher", "joined", "open_teachers"]

_LEAST = 1e-7
"""Of a probability whose logarithm is taken, where a model does not give its logits."""


@dataclass(frozen=True)
class Teacher:
    """A model that answers in the student's labels.

    Attributes:
        name: of its run folder.
        recipe: its recipe's name.
        sha256: of its model.keras.
        accuracy: its share of right answers on `choose_split`, from its run card.
        choose_split: the split that its best epoch was chosen on.
        model: square faces, 0..255, to probabilities.
    """

    name: str
    recipe: str
    sha256: str
    accuracy: float
    choose_split: str
    model: keras.Model

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipe": self.recipe,
            "sha256": self.sha256,
            "accuracy": self.accuracy,
            "choose_split": self.choose_split,
        }


def open_teachers(folders: Sequence[Path], recipe: Recipe) -> tuple[Teacher, ...]:
    """Opens the run folders of teachers for the student that `recipe` describes.

    Raises:
        ModelError: a model that is missing or damaged, or that answers or reads something else than the student.
        DataError: no run card, or one model twice.
    """
    teachers = tuple(_open(folder, recipe) for folder in folders)
    seen: dict[str, str] = {}
    for teacher in teachers:
        if teacher.sha256 in seen:
            raise DataError(
                f"the teachers {seen[teacher.sha256]} and {teacher.name}, which are one model",
                "different ones: the mean of a model with itself is that model",
                "name each once",
            )
        seen[teacher.sha256] = teacher.name
    features = recipe.distillation and recipe.distillation.features
    if features and len(teachers) > 1:
        raise DataError(
            f"{len(teachers)} teachers for a recipe with distillation.features",
            "one: features of different nets have no mean",
            "name one teacher, or take that table out of the recipe",
        )
    return teachers


def _open(folder: Path, recipe: Recipe) -> Teacher:
    path = folder if folder.suffix == ".keras" else folder / MODEL
    model = load_model(path)
    card = read_card(path.with_name(CARD))
    if card is None:
        raise DataError(
            f"the teacher {folder} without {CARD}",
            "a finished run folder, whose card says what the model answers",
            "name the run folder that `python -m train fit` wrote",
        )
    _check_labels(folder, card, model, recipe)
    _check_input(folder, card, model, recipe)
    result = card["result"]
    return Teacher(
        folder.resolve().name,
        str(card["recipe"]["name"]),
        hashlib.sha256(path.read_bytes()).hexdigest(),
        float(result["accuracy"]),
        str(card["data"]["choose_split"]),
        model,
    )


def _check_labels(folder: Path, card: Mapping[str, Any], model: keras.Model, recipe: Recipe) -> None:
    wanted = label_set(recipe.label_set)
    found = card["model"]["label_set"]
    labels = card["model"].get("labels")
    names = tuple(label_set(found).names if labels is None else labels)
    if (found, names) != (wanted.name, wanted.names) or model.output_shape[-1] != len(wanted):
        raise ModelError(
            f"the teacher {folder}, which answers the {model.output_shape[-1]} labels of {found!r}: {', '.join(names)}",
            f"the {len(wanted)} of {wanted.name!r}, which the student {recipe.name!r} answers: {', '.join(wanted.names)}",
            "name a teacher that was trained with those labels, or take a student's recipe with the teacher's",
        )


def _check_input(folder: Path, card: Mapping[str, Any], model: keras.Model, recipe: Recipe) -> None:
    """Another size is no matter: the teacher gets the view scaled. Colour and light cannot be made."""
    channels, light = model.input_shape[3], card["model"].get("illumination", "none")
    if channels != recipe.model.channels:
        raise ModelError(
            f"the teacher {folder}, which reads {_colour(channels)}",
            f"{_colour(recipe.model.channels)}, which the student {recipe.name!r} reads",
            "name a teacher of that colour, or change model.channels of the student's recipe",
        )
    if light != recipe.model.illumination:
        raise ModelError(
            f"the teacher {folder}, whose faces have the light {light!r}",
            f"{recipe.model.illumination!r}, as the faces of the student {recipe.name!r}",
            "name another teacher, or change model.illumination of the student's recipe",
        )


def _colour(channels: int) -> str:
    return "grey faces" if channels == 1 else "faces in colour (BGR)"


def joined(teachers: Sequence[Teacher], channels: int, precision: str, layer: str | None = None) -> keras.Model:
    """The teachers as one frozen model from views of any size, 0..255, to {"logits": …}, float32 (N, C).

    It answers the logarithm of the mean of their probabilities, which are logits up to a constant that no softmax minds.
    Probabilities are averaged because each teacher's opinion then counts the same, as in an ensemble that votes; in a mean
    of logits the teacher with the largest ones would decide.

    Args:
        teachers: at least one.
        channels: of the views.
        precision: of the arithmetic: "float32" or "bfloat16".
        layer: of the one teacher whose output is also given, as "features".

    Raises:
        ModelError: no such layer.
    """
    inputs = keras.Input((None, None, channels), name="pixels")
    answers, outputs = [], {}
    for number, teacher in enumerate(teachers):
        side = teacher.model.input_shape[1]
        seen = ops.image.resize(ops.cast(inputs, "float32"), (side, side), interpolation="bilinear")
        net = _copied(_logits_and(teacher, layer, f"teacher{number}"), precision)
        given = net(seen, training=False)
        answers.append(ops.log_softmax(ops.cast(given["logits"], "float32")))
        if layer is not None:
            outputs["features"] = ops.cast(given["features"], "float32")
    together = answers[0]
    if len(answers) > 1:
        together = ops.logsumexp(ops.stack(answers), axis=0) - float(np.log(len(answers)))
    model = keras.Model(inputs, {"logits": together, **outputs}, name="teachers")
    model.trainable = False
    return model


def _logits_and(teacher: Teacher, layer: str | None, name: str) -> keras.Model:
    """The teacher up to its logits, where it has a layer of them, and to the features of a layer."""
    model = teacher.model
    last = model.layers[-1]
    logits = last.input if isinstance(last, keras.layers.Softmax) else ops.log(ops.maximum(model.output, _LEAST))
    outputs = {"logits": logits}
    if layer is not None:
        names = [one.name for one in model.layers]
        if layer not in names:
            raise ModelError(
                f"the teacher {teacher.name} without the layer {layer!r}",
                f"one of {', '.join(names)}",
                "correct distillation.features.teacher_layer",
            )
        outputs["features"] = model.get_layer(layer).output
    return keras.Model(model.input, outputs, name=name)


def _copied(net: keras.Model, precision: str) -> keras.Model:
    """The net with the same weights in another arithmetic; the logits stay float32.

    It is a copy in any case: several devices share only what is built once that is agreed.
    """

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if precision == "bfloat16" and not isinstance(layer, keras.layers.InputLayer) and layer.name != "logits":
            config["dtype"] = "mixed_bfloat16"
        return type(layer).from_config(config)

    copied = keras.models.clone_model(net, clone_function=copy)
    copied.set_weights(net.get_weights())
    return copied
