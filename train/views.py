"""Views: the same face seen several times, and the model's probabilities averaged over what it says of each.

One view is the default, and what a board does. Mirror images double the work; ten crops (Krizhevsky et al. 2012, section 4.1;
Khaireddin & Chen 2021 take 40 of FER2013's 48 px) are ten times the work: for figures that are compared with a paper's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train.errors import ModelError

__all__ = ["FLIP", "SINGLE", "Views", "at_size", "predict", "ten_crop"]

_CHUNK = 512


@dataclass(frozen=True)
class Views:
    """Which views of a face are averaged.

    Attributes:
        mirror: each view and its mirror image.
        crop: side in pixels of the squares that are cut out: the four corners and the middle; None takes the whole face.
    """

    mirror: bool = False
    crop: int | None = None

    def __post_init__(self) -> None:
        if self.crop is not None and self.crop < 1:
            raise ValueError(f"crops of {self.crop} px, but a crop has at least one")

    def __str__(self) -> str:
        if self.crop is not None:
            return f"{'ten' if self.mirror else 'five'}-crop {self.crop}"
        return "flip" if self.mirror else "single"

    @property
    def words(self) -> str:
        """For the head of a report: "averaged over …", or nothing for one view."""
        if self.crop is not None:
            images = ", each with its mirror image" if self.mirror else ""
            return f"averaged over the four corners and the middle of {self.crop} px{images}"
        return "averaged with their mirror images" if self.mirror else ""

    def of(self, faces: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """The views of `faces` (N, H, W, C), one after the other; the whole face or the top left corner first."""
        height, width = faces.shape[1:3]
        if self.crop is None:
            corners, side_y, side_x = [(0, 0)], height, width
        else:
            side_y = side_x = self.crop
            bottom, right = height - side_y, width - side_x
            corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
        for top, left in corners:
            view = faces[:, top : top + side_y, left : left + side_x]
            yield view
            if self.mirror:
                yield view[:, :, ::-1]


SINGLE = Views()
FLIP = Views(mirror=True)


def ten_crop(side: int) -> Views:
    """Four corners and the middle of `side` px, each with its mirror image."""
    return Views(mirror=True, crop=side)


def predict(model: keras.Model, pixels: NDArray[np.uint8], views: Views = SINGLE) -> NDArray[np.float32]:
    """Probabilities float32 (N, C) for uint8 pixels (N, H, W) or (N, H, W, 3), averaged over the views.

    Raises:
        ModelError: crops that are not smaller than the faces, or that the model cannot read.
    """
    net = model
    if views.crop is not None:
        if not views.crop < min(pixels.shape[1:3]):
            raise ModelError(
                f"crops of {views.crop} px of faces of {pixels.shape[2]} × {pixels.shape[1]} px",
                "crops smaller than the faces",
                "name a smaller --ten-crop; Khaireddin & Chen (2021) take 40 of 48 px",
            )
        net = at_size(model, views.crop)
    rows = []
    for start in range(0, len(pixels), _CHUNK):  # in chunks: float32 pixels take four times the room
        chunk = pixels[start : start + _CHUNK].astype(np.float32)
        chunk = chunk[..., None] if chunk.ndim == 3 else chunk
        answers = [np.asarray(net.predict_on_batch(view)) for view in views.of(chunk)]
        rows.append(np.asarray(sum(answers[1:], start=answers[0]) / len(answers), np.float32))
    return np.concatenate(rows)


def at_size(model: keras.Model, side: int) -> keras.Model:
    """The same layers and weights over `side` × `side` px. A CenterCrop, which would cut the crop again, is left out.

    Raises:
        ModelError: the weights belong to one size, as those of a dense layer over flattened features do, or the
            size is too small for the model's halvings.
    """

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.CenterCrop):
            return keras.layers.Identity(name=layer.name)
        return type(layer).from_config(layer.get_config())

    now = model.input_shape[1]
    given = model.input
    inputs: Any = keras.Input((side, side, model.input_shape[3]), name="pixels")
    try:
        resized = keras.models.clone_model(
            model, input_tensors=[inputs] if isinstance(given, list) else inputs, clone_function=copy
        )
        resized.set_weights(model.get_weights())
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"a model of {now} px that cannot read {side} px",
            "a model that averages its features (GlobalAveragePooling2D), or one that crops its input to that size",
            "take --flip or --single, or train a recipe whose model.crop is that size",
        ) from error
    return resized
