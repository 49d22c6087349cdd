"""Architectures, one file each: `Options` (a frozen dataclass) and `build(options, classes, size, channels)`.

`build` returns a Keras model from pixels in 0..255, float32 (N, size, size, channels), to logits (N, classes). Scaling of
the pixels is its first layer. Keras is imported when a net is built.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edge_runtime.tables import parse_table
from train.errors import RecipeError

if TYPE_CHECKING:
    import keras

__all__ = ["ARCHITECTURES", "build_logits", "with_softmax"]

ARCHITECTURES = {
    "inception_resnet_v2": "train.models.inception_resnet_v2",
    "mini_xception": "train.models.mini_xception",
    "mobilenet_v2": "train.models.mobilenet_v2",
    "mobilenet_v2_keras": "train.models.mobilenet_v2_keras",
    "resnet50": "train.models.resnet50",
    "simple_cnn": "train.models.simple_cnn",
    "vgg": "train.models.vgg",
}


def build_logits(
    architecture: str, options: dict[str, Any], classes: int, size: int | None, channels: int
) -> keras.Model:
    """Builds an architecture by name. `size` None leaves height and width open, for nets that end in pooling.

    Raises:
        RecipeError: an unknown architecture or option, or a size that the architecture cannot take.
    """
    if architecture not in ARCHITECTURES:
        raise RecipeError(
            f"architecture {architecture!r}", f"one of {', '.join(ARCHITECTURES)}", "correct model.architecture"
        )
    module = importlib.import_module(ARCHITECTURES[architecture])
    parsed = parse_table(module.Options, options, "model.options", RecipeError)
    try:
        model: keras.Model = module.build(parsed, classes, size, channels)
    except ValueError as error:
        raise RecipeError(
            f"architecture {architecture!r} at {size} px: {error}",
            "an input that it can take",
            "correct model.size or the stages",
        ) from error
    return model


def with_softmax(logits: keras.Model, size: int | None = None) -> keras.Model:
    """The model that is saved and converted: pixels to probabilities. `size`: it reads that many px and cuts the middle out."""
    import keras

    net = logits if size in (None, logits.input_shape[1]) else _of_the_middle(logits, size)
    probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(net.output)
    return keras.Model(net.input, probabilities, name=logits.name)


def _of_the_middle(logits: keras.Model, size: int) -> keras.Model:
    """The same net and weights behind a crop: it reads pictures of `size` px."""
    import keras

    side, channels = logits.input_shape[2:]
    inputs = keras.Input((size, size, channels), name="pixels")
    cropped = keras.layers.CenterCrop(side, side, name="crop")(inputs)

    def call(layer: keras.layers.Layer, *arguments: Any, **options: Any) -> Any:
        given = keras.tree.map_structure(lambda tensor: cropped if tensor is inputs else tensor, arguments)
        return layer(*given, **options)

    net = keras.models.clone_model(logits, input_tensors=inputs, call_function=call)
    net.set_weights(logits.get_weights())
    return net
