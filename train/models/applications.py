"""What the nets of `keras.applications` have in common here: their pixels, and which of them our architectures are.

Their ImageNet weights expect pixels scaled in one of two ways (`preprocess_input` of each application). That is the first
layers of our nets; the order of the colours is a matter of the first kernel, which `train.weights` turns where needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import layers

__all__ = ["APPLICATIONS", "Application", "imagenet_pixels"]

BGR_MEAN = (103.939, 116.779, 123.68)
"""Mean pixel of ImageNet's training pictures in the order blue, green, red (`imagenet_utils`, mode "caffe")."""


@dataclass(frozen=True)
class Application:
    """A net of `keras.applications`.

    Attributes:
        constructor: its name there.
        colours: the order that its first kernel expects, "RGB" or "BGR".
        file: the file of its ImageNet weights without the top; {alpha} and {size} stand for those of MobileNetV2.
    """

    constructor: str
    colours: str
    file: str


APPLICATIONS = {
    "inception_resnet_v2": Application(
        "InceptionResNetV2", "RGB", "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5"
    ),
    "mobilenet_v2_keras": Application(
        "MobileNetV2", "RGB", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{size}_no_top.h5"
    ),
    "resnet50": Application("ResNet50", "BGR", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
}
"""Our architectures whose weights have the shapes and the order of an application's."""


def imagenet_pixels(inputs: Any, mode: str) -> Any:
    """Pixels 0..255 (N, H, W, 1 or 3) as ImageNet weights expect them, (N, H, W, 3).

    Grey is repeated. mode "tf": scaled to -1..1. mode "caffe": blue, green and red less ImageNet's mean.
    """
    if mode not in ("tf", "caffe"):
        raise ValueError(f"mode {mode!r}, but only tf and caffe are known")
    grey = inputs.shape[-1] == 1
    if mode == "tf":
        x = layers.Concatenate(name="grey_to_three")([inputs] * 3) if grey else inputs
        return layers.Rescaling(1 / 127.5, -1, name="scale")(x)
    if not grey:
        return layers.Rescaling(1.0, [-mean for mean in BGR_MEAN], name="scale")(inputs)
    # Repeated after the subtraction: TFLite's quantizer would else give the pixels one range with what leaves it.
    planes = [
        layers.Rescaling(1.0, -mean, name=f"scale_{colour}")(inputs)
        for colour, mean in zip(("blue", "green", "red"), BGR_MEAN, strict=True)
    ]
    return layers.Concatenate(name="grey_to_three")(planes)
