"""What training starts from: nothing, ImageNet's weights, or a model that was trained before."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from train.errors import ModelError, RecipeError
from train.files import START, check_model_file, model_at
from train.models.applications import APPLICATIONS, Application
from train.run_card import CARD, read_card

__all__ = ["carry_weights"]

KERAS_MODELS = Path("~/.keras/models")
MOBILENET_SIZES = (96, 128, 160, 192, 224)
"""In pixels: those that MobileNetV2's ImageNet weights were trained at."""


def carry_weights(model: keras.Model, architecture: str, weights: str, labels: Sequence[str] | None = None) -> str:
    """Copies weights into `model`, which is changed in place, and says so in a line for a person.

    Args:
        model: pixels to logits, as `train.models.build_logits` makes it.
        architecture: its name in `train.models.ARCHITECTURES`.
        weights: "none", which carries nothing and gives ""; "imagenet", those of `keras.applications` for all but the
            head; or the path of a saved .keras model or of a run folder. Of a saved model, the layers are taken in
            order where all but the logits have the same shapes, else those of the same name and shapes; the logits only
            where they fit.
        labels: what the model answers. The logits of a run with other labels, or these in another order, are left.

    Raises:
        RecipeError: an architecture or options for which there are no ImageNet weights.
        ModelError: ImageNet weights that are not here and cannot be downloaded, a model that is missing or damaged, or
            one of which nothing fits.
    """
    if weights == "none":
        return ""
    if weights == "imagenet":
        return _carry_imagenet(model, architecture)
    return _carry_saved(model, Path(weights).expanduser(), labels)


def _carry_imagenet(model: keras.Model, architecture: str) -> str:
    if architecture not in APPLICATIONS:
        raise RecipeError(
            f'weights = "imagenet" for the architecture {architecture!r}',
            f"one that has ImageNet weights: {', '.join(APPLICATIONS)}",
            'set model.weights = "none" or the path of a run, or take one of those architectures',
        )
    application = APPLICATIONS[architecture]
    facts = _mobilenet_facts(model) if application.constructor == "MobileNetV2" else {}
    # Without weights first: options that do not fit are better known before a download than after it.
    _check_shapes(model, _application(application, None, facts), architecture)
    file = application.file.format(**facts)
    try:
        source = _application(application, "imagenet", facts)
    except Exception as error:  # Keras raises a bare Exception where a download fails
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"no ImageNet weights for {architecture!r} ({reason[:200]})",
            f"the file {file} in {KERAS_MODELS}, or a connection to download it",
            f"put it at {KERAS_MODELS / file}, or use --weights none or the path of a run",
        ) from error
    carried = list(source.weights)
    for index, (variable, value) in enumerate(zip(model.weights, carried, strict=False)):
        array = np.asarray(value)
        # Our faces are blue, green, red; the first kernel (3, 3, 3, filters) of most applications reads red first.
        variable.assign(array[:, :, ::-1] if index == 0 and application.colours == "RGB" else array)
    return f"{len(carried)} of {len(model.weights)} weight arrays carried over from {file}"


def _application(application: Application, weights: str | None, facts: dict[str, Any]) -> keras.Model:
    """The application without its top, at a size that each takes; but for MobileNetV2, sizes change no weights."""
    size = facts.get("size", 96)
    more = {"alpha": facts["alpha"]} if "alpha" in facts else {}
    return getattr(keras.applications, application.constructor)(
        include_top=False, weights=weights, input_shape=(size, size, 3), **more
    )


def _mobilenet_facts(model: keras.Model) -> dict[str, Any]:
    """Width and size in pixels of the file that suits a MobileNetV2; for an open size, 224."""
    size = model.input_shape[1] or 224
    return {
        "alpha": model.get_layer("block_16_project").filters / 320,
        "size": min(MOBILENET_SIZES, key=lambda known: (abs(known - size), known)),
    }


def _check_shapes(model: keras.Model, source: keras.Model, architecture: str) -> None:
    wanted, found = _shapes(source.weights), _shapes(model.weights)
    if found[: len(wanted)] != wanted:
        raise RecipeError(
            f'weights = "imagenet" for {architecture!r} with a width or blocks of its own',
            f"the {len(wanted)} weight arrays of the published net in the same shapes",
            'set model.weights = "none", or leave width and blocks in model.options as they are by default',
        )


def _carry_saved(model: keras.Model, path: Path, labels: Sequence[str] | None) -> str:
    path = model_at(path)
    source = _read(path)
    ours, theirs = ([layer for layer in net.layers if layer.weights] for net in (model, source))
    body = [_shapes(layer.weights) for layer in ours[:-1]]
    if body == [_shapes(layer.weights) for layer in theirs[:-1]]:
        pairs = list(zip(ours, theirs, strict=True))  # names that Keras gives differ from one building to the next
    else:
        named = {layer.name: layer for layer in theirs}
        pairs = [(layer, named[layer.name]) for layer in ours if layer.name in named]
    card = read_card(path.with_name(CARD))
    theirs_labels = None if card is None else card["model"].get("labels")
    if None not in (labels, theirs_labels) and list(labels or ()) != list(theirs_labels or ()):
        pairs = [(layer, other) for layer, other in pairs if layer.name != "logits"]
    carried, anew = 0, [layer.name for layer in ours]
    for layer, other in pairs:
        if _shapes(layer.weights) == _shapes(other.weights):
            layer.set_weights(other.get_weights())
            carried += len(layer.weights)
            anew.remove(layer.name)
    if not carried:
        raise ModelError(
            f"{path}: none of its {len(source.weights)} weight arrays fits {model.name!r}",
            "a model of the same architecture with the same options",
            "name a run of that architecture, or --weights none",
        )
    line = f"{carried} of {len(model.weights)} weight arrays carried over from {path}"
    if anew == ["logits"]:
        theirs_words = f" ({', '.join(theirs_labels)})" if theirs_labels else ""
        return f"{line}: all but the logits, which start anew: that model answers other labels{theirs_words}"
    return line


def _read(path: Path) -> keras.Model:
    check_model_file(path, START)
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{path}: {reason}", "an undamaged .keras file", "copy or train it again") from error


def _shapes(weights: list[Any]) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in weights]
