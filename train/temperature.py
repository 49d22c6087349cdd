"""`python -m train calibrate`: one temperature for a model's logits, after which it is as sure as it is right.

Temperature scaling of Guo et al. 2017, section 4.2: the logits are divided by the one number under which the labels of a
split are most likely. It is folded into the last layer, so every conversion and bundle has it at no cost, and no decision
changes: dividing all logits by one number keeps their order.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from edge_runtime.errors import OutputError
from edge_runtime.files import file_sha256, partial_path
from edge_runtime.labels import label_set
from edge_runtime.reliability import Reliability, measure_reliability
from train.errors import DataError, ModelError
from train.evaluate import check_classes, load_model
from train.faces import labelled, open_for_model, say_problems
from train.files import MODEL, write_json
from train.run_card import CARD, read_card
from train.views import predict

__all__ = ["find_temperature", "fold_temperature", "logits_of", "run"]

LAYER = "logits"
_LARGEST = 50.0
"""Beyond this factor either way the labels do not settle a temperature."""
_NOTHING = 1e-3
"""A temperature as close to 1 as this changes no probability that is printed."""
_TIE = 1e-4
"""Two probabilities as close as this may change places by rounding."""


def find_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """The temperature under which `labels` (N,) are most likely, given `logits` (N, C).

    The likelihood has one maximum, as it is concave in 1 / temperature.

    Raises:
        DataError: logits that are not finite, or labels that settle no temperature: all answers are right (the
            likelihood grows for ever as it falls), or the logits say nothing about the labels.
    """
    outputs = logits.astype(np.float64)
    if not np.isfinite(outputs).all():
        raise DataError("logits that are not numbers", "finite ones", "train the model again: it has diverged")
    outputs -= outputs.max(axis=1, keepdims=True)
    wanted = outputs[np.arange(len(labels)), labels]

    def loss(log_scale: float) -> float:
        scale = math.exp(log_scale)
        return float((np.log(np.exp(scale * outputs).sum(axis=1)) - scale * wanted).mean())

    end = math.log(_LARGEST)
    found = float(minimize_scalar(loss, bounds=(-end, end), method="bounded", options={"xatol": 1e-8}).x)
    if abs(found) > 0.99 * end:
        right = float((wanted == 0).mean())
        raise DataError(
            f"{len(labels)} faces, {100 * right:.1f} % of them answered rightly, which settle no temperature",
            f"one between {1 / _LARGEST} and {_LARGEST:.0f}",
            "calibrate on a split that was not fitted, with more faces",
        )
    return math.exp(-found)


def logits_of(model: keras.Model) -> keras.Model:
    """The same model without its softmax.

    Raises:
        ModelError: no dense layer called "logits" right before a softmax.
    """
    last, dense = model.layers[-1], next((layer for layer in model.layers if layer.name == LAYER), None)
    if (
        dense is None
        or not isinstance(dense, keras.layers.Dense)
        or dense.activation is not keras.activations.linear
        or not isinstance(last, keras.layers.Softmax)
        or last.input is not dense.output
    ):
        raise ModelError(
            f"a model that ends in {', '.join(layer.name for layer in model.layers[-2:])}",
            f"a dense layer {LAYER!r} without an activation, and a softmax",
            "name a model that `python -m train fit` saved",
        )
    return keras.Model(model.input, dense.output)


def fold_temperature(model: keras.Model, temperature: float) -> None:
    """Divides the weights of the dense layer "logits" by `temperature`, and so the logits."""
    layer = model.get_layer(LAYER)
    layer.set_weights([weight / temperature for weight in layer.get_weights()])


def run(arguments: argparse.Namespace) -> int:
    """Calibrates the model of a run folder and notes it on the run card. Returns 0, or 2 after broken rows."""
    folder: Path = arguments.run
    path = folder / MODEL
    model = load_model(path)
    card = read_card(folder / CARD)
    if card is None:
        raise DataError(
            f"{folder} without {CARD}", "a finished run folder", "finish the run with `python -m train fit`"
        )
    if arguments.split == card["data"]["train_split"]:
        raise DataError(
            f"--split {arguments.split}, which the model was fitted to",
            "faces that it has not seen: of its own it is far too sure",
            "name the split that the best epoch was chosen on",
        )
    size, channels = model.input_shape[2:]
    labels, light = label_set(card["model"]["label_set"]), card["model"].get("illumination", "none")
    faces = open_for_model(arguments.data, arguments.votes, labels, size, channels, _say, light)
    say_problems(faces, _say)
    check_classes(model, faces.label_set, path)
    chosen = labelled(faces.split(arguments.split))
    if not len(chosen):
        raise DataError(f"split {arguments.split!r} without a labelled face", "some", "name another split")

    temperature = find_temperature(predict(logits_of(model), chosen.pixels), chosen.labels)
    before = predict(model, chosen.pixels)
    reliable = measure_reliability(before, chosen.labels)
    known = card.get("calibration")
    now_sha256 = file_sha256(path)
    # A model that was made again since has lost its earlier temperature.
    earlier = known["temperature"] if known and known["model_sha256"] == now_sha256 else 1.0
    print(f"{arguments.split}, {len(chosen)} faces: temperature {temperature:.4f}")
    if abs(math.log(temperature)) < _NOTHING:
        print(f"{path} is calibrated: nothing was changed\n{reliable.summary()}")
        return 2 if faces.problems else 0
    fold_temperature(model, temperature)
    after = predict(model, chosen.pixels)
    _check_decisions(before, after)
    calm = measure_reliability(after, chosen.labels)
    facts = {
        "temperature": earlier * temperature,
        "split": arguments.split,
        "faces": len(chosen),
        "data_sha256": chosen.sha256(),
        "before": _figures(reliable),
        "after": _figures(calm),
    }
    _write(model, path, card, facts)
    print(f"before: {reliable.summary()}\nafter:  {calm.summary()}")
    print(f"{path} is written anew, with the same decisions; convert it again to have it in a bundle")
    return 2 if faces.problems else 0


def _check_decisions(before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
    first, second = np.sort(before, axis=1)[:, -1], np.sort(before, axis=1)[:, -2]
    changed = (before.argmax(axis=1) != after.argmax(axis=1)) & (first - second > _TIE)
    if changed.any():
        raise ModelError(
            f"{int(changed.sum())} decisions that a temperature changed",
            "the same decisions",
            f"report this as a defect: the layer {LAYER!r} is not what the probabilities are made of",
        )


def _write(model: keras.Model, path: Path, card: dict[str, Any], facts: dict[str, Any]) -> None:
    """The card first, with the hash of the model that then takes its place: a stop between them is seen by that hash."""
    partial = partial_path(path)
    try:
        model.save(partial)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        sha256 = file_sha256(partial)
        if "sha256" in card["model"]:
            card = {**card, "model": {**card["model"], "sha256": sha256}}
        write_json(path.with_name(CARD), {**card, "calibration": {**facts, "model_sha256": sha256}})
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path}: {error.strerror or error}",
            "a place that can be written",
            "free disk space, then run the same command again",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _figures(reliability: Reliability) -> dict[str, float]:
    figures = reliability.as_json()
    return {name: figures[name] for name in ("expected_calibration_error", "negative_log_likelihood", "brier")}


def _say(line: str) -> None:
    print(line, file=sys.stderr)
