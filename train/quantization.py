"""A net that computes as its int8 TFLite form will, so that it can learn under that rounding.

    net = fake_quantized(model)          # the same weights in the same order, float32
    model.set_weights(net.get_weights()) # after fine-tuning: a plain model, to be converted as ever

Fake quantization of Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", section 3. Two things are simpler: the range of a tensor is that of the batch at hand instead of a moving
average, which needs no state, and batch normalization keeps the averages of the float run from the first step on, as
Krishnamoorthi 2018 ("Quantizing deep convolutional networks for efficient inference") does after some.

Where a tensor is rounded follows TensorFlow's converter: once an operator. A batch normalization, a multiplication by a
constant and a ReLU are part of the convolution before them, a ReLU also of a sum, a product or a normalization that stands
alone, and what only goes into a concatenation is rounded with it. The scaling of pixels is part of the convolution after
it where that one adds no border, else two operators. Poolings by the largest value and changes of shape keep the
range that they are given, average pooling too; an average over all places has its own. What differs: the converter takes one
range for all branches of a concatenation also where they go elsewhere too, and makes two operators of a batch
normalization that stands behind no convolution.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from train.errors import RecipeError
from train.rounding import (
    RoundedConv2D,
    RoundedDense,
    RoundedDepthwiseConv2D,
    RoundedRescaling,
    RoundedSeparableConv2D,
    SettledBatchNormalization,
    round_activation,
    round_own_range,
)

__all__ = ["fake_quantized"]

Rounding = Callable[[Any, Any], Any]
"""Inputs and outputs of a layer to its rounded outputs."""

_REPLACED: dict[Any, Any] = {
    layers.Conv2D: RoundedConv2D,
    layers.DepthwiseConv2D: RoundedDepthwiseConv2D,
    layers.SeparableConv2D: RoundedSeparableConv2D,
    layers.Dense: RoundedDense,
    layers.BatchNormalization: SettledBatchNormalization,
}
_KERNELS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Dense)
_AFFINE = (layers.BatchNormalization, layers.Rescaling)
_SUMS = (layers.Add, layers.Subtract, layers.Multiply)
_ABSENT = (layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout, layers.GaussianNoise, layers.Identity)
"""Layers that leave no operator."""
_UNCHANGING = (
    layers.MaxPooling2D,
    layers.GlobalMaxPooling2D,
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.ZeroPadding2D,
    layers.Cropping2D,
    layers.CenterCrop,
    layers.UpSampling2D,
)
"""Layers that choose or move values, and add at most zeros."""
_FIXED = {"sigmoid": (0.0, 255 / 256), "softmax": (0.0, 255 / 256), "tanh": (-1.0, 127 / 128)}
"""Activations whose range TFLite prescribes (its 8-bit quantization specification: LOGISTIC, SOFTMAX, TANH)."""


def fake_quantized(model: keras.Model) -> keras.Model:
    """A copy of a functional model, its weights too, that rounds kernels and activations as int8 does.

    The order of its weights is the same. Models inside of it are copied in the same way.

    Raises:
        RecipeError: a layer with a kernel that is none of Conv2D, DepthwiseConv2D, SeparableConv2D and Dense, or one whose
            channels are first.
    """
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    rounded = _rounded_layers(model)

    def copy(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return fake_quantized(layer)
        _check(layer)
        cls: Any = _REPLACED.get(type(layer), type(layer))
        if rounded.get(layer.name) == "scaling":
            cls = RoundedRescaling
        if layer.name in rounded:
            cls = _rounding(cls, _range_of(layer))
        copied = cls.from_config(layer.get_config())
        if isinstance(layer, _KERNELS) and not (_is_linear(layer) or _is_relu(layer)):
            copied.activation = _behind_rounding(copied.activation)
        return copied

    net = keras.models.clone_model(model, clone_function=copy)
    net.set_weights(model.get_weights())
    return net


def _check(layer: Any) -> None:
    kernel = any("kernel" in weight.name for weight in getattr(layer, "weights", ()))
    if kernel and type(layer) not in _REPLACED:
        raise RecipeError(
            f"layer {layer.name!r}, a {type(layer).__name__}, in a net that is to learn int8's rounding",
            f"kernels in {', '.join(cls.__name__ for cls in _KERNELS)} alone",
            'set quantization.kind = "none", or add the layer to train/rounding.py',
        )
    if kernel and getattr(layer, "data_format", "channels_last") != "channels_last":
        raise RecipeError(
            f"layer {layer.name!r} with its channels first", "channels last", "build the net with channels last"
        )


@functools.cache
def _rounding(cls: Any, rounding: Rounding) -> Any:
    """The layer class `cls` with its outputs rounded; no layer is added, which could change the order of the weights."""

    @functools.wraps(cls.call)
    def call(self: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        return rounding(inputs, cls.call(self, inputs, *args, **options))

    return type(f"{cls.__name__}Rounded", (cls,), {"call": call})


def _own(inputs: Any, outputs: Any) -> Any:  # noqa: ARG001
    return round_own_range(outputs)


def _of_inputs(inputs: Any, outputs: Any) -> Any:
    return round_activation(outputs, keras.ops.min(inputs), keras.ops.max(inputs))


@functools.cache
def _fixed(low: float, high: float) -> Rounding:
    return lambda inputs, outputs: round_activation(outputs, low, high)  # noqa: ARG005


def _range_of(layer: Any) -> Rounding:
    if isinstance(layer, layers.AveragePooling2D):
        return _of_inputs
    name = "softmax" if isinstance(layer, layers.Softmax) else _activation(layer)
    return _fixed(*_FIXED[name]) if name in _FIXED else _own


def _behind_rounding(activation: Any) -> Any:
    """An activation that is an operator of its own: what it reads was written, and rounded, by the one before."""
    return lambda x: activation(round_own_range(x))


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", type(function).__name__))


def _is_linear(layer: Any) -> bool:
    return _activation(layer) == "linear"


def _is_relu(layer: Any) -> bool:
    """Whether it is, or ends in, a ReLU that TFLite's operators have built in: up to nothing or up to 6."""
    if isinstance(layer, layers.ReLU):
        return layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold
    return _activation(layer) in ("relu", "relu6")


@dataclass(frozen=True)
class _Call:
    """One use of a layer; tensors by their identity."""

    layer: Any
    reads: tuple[int, ...]
    writes: tuple[int, ...]


def _rounded_layers(model: keras.Model) -> dict[str, str]:
    """The layers after which a tensor is rounded, by name, and what each writes (see `_kind`).

    One that is used twice is one of them if either use is.
    """
    calls, ends = _calls(model)
    readers: dict[int, list[_Call | None]] = defaultdict(list)
    for call in calls:
        for tensor in call.reads:
            readers[tensor].append(call)
    for tensor in ends:
        readers[tensor].append(None)

    def only_reader(tensor: int) -> _Call | None:
        """The one operator that reads a tensor; None where there are several, or it is what the model answers."""
        while len(readers[tensor]) == 1:
            (reader,) = readers[tensor]
            if reader is None or not isinstance(reader.layer, _ABSENT):
                return reader
            (tensor,) = reader.writes
        return None

    # Of each tensor that is not rounded yet: the operator that is being written.
    open_as: dict[int, str] = {}
    rounded: dict[str, str] = {}
    for call in calls:
        layer = call.layer
        if isinstance(layer, _ABSENT):
            for tensor in call.writes:
                open_as[tensor] = open_as.get(call.reads[0], "")
        if isinstance(layer, (*_ABSENT, *_UNCHANGING, keras.Model)):
            continue
        kind = _kind(layer, [open_as.get(tensor, "") for tensor in call.reads])
        for tensor in call.writes:
            reader = only_reader(tensor)
            if reader is not None and _joins(reader.layer, kind):
                open_as[tensor] = kind
            else:
                rounded[layer.name] = kind
    return rounded


def _calls(model: keras.Model) -> tuple[list[_Call], list[int]]:
    """Each use of a layer, inputs first, and the tensors that `model` answers; read from a copy, which is thrown away."""
    calls: list[_Call] = []
    kept = []  # tensors are told apart by their identity: none may go before all are known

    def call(layer: Any, *args: Any, **options: Any) -> Any:
        outputs = layer(*args, **options)
        reads = [x for x in keras.tree.flatten((args, options)) if isinstance(x, keras.KerasTensor)]
        writes = keras.tree.flatten(outputs)
        kept.extend([*reads, *writes])
        calls.append(_Call(layer, tuple(map(id, reads)), tuple(map(id, writes))))
        return outputs

    copied = keras.models.clone_model(
        model, clone_function=lambda layer: layer.from_config(layer.get_config()), call_function=call
    )
    return calls, [id(tensor) for tensor in copied.outputs]


def _kind(layer: Any, inputs: list[str]) -> str:
    """What a layer's output still is: "convolution", "sum", "scaling", or "" once only a concatenation can join it."""
    if isinstance(layer, _KERNELS) and _is_linear(layer):
        return "convolution"
    if isinstance(layer, _AFFINE):
        alone = "scaling" if isinstance(layer, layers.Rescaling) else "sum"
        return "convolution" if inputs == ["convolution"] else alone
    return "sum" if isinstance(layer, _SUMS) else ""


def _joins(layer: Any, kind: str) -> bool:
    """Whether `layer` becomes part of the operator that is being written, takes it into its own, or rounds for it."""
    if isinstance(layer, layers.Concatenate):
        return True
    if isinstance(layer, _AFFINE):
        return kind == "convolution"
    if kind == "scaling" and isinstance(layer, _KERNELS):
        return getattr(layer, "padding", "") == "valid"
    return kind != "" and isinstance(layer, (layers.ReLU, layers.Activation)) and _is_relu(layer)
