import cv2
import numpy as np
import pytest

from edge_runtime.colours import colour_of
from edge_runtime.face import Face
from edge_runtime.geometry import Box
from edge_runtime.labels import FERPLUS
from edge_runtime.sinks.annotate import annotated


def bar_levels(label):
    """Grey levels within the label's bar, drawn above a face in the middle of a black picture."""
    image = np.zeros((400, 400, 3), np.uint8)
    canvas = annotated(image, [Face(Box(100, 150, 300, 350), 0.9, label, 0.9, {label: 0.9})])
    return cv2.cvtColor(canvas[100:146, 100:200], cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("label", FERPLUS.names)
def test_every_label_stands_out_from_its_bar(label):
    bar = int(cv2.cvtColor(np.full((1, 1, 3), colour_of(label), np.uint8), cv2.COLOR_BGR2GRAY)[0, 0])
    levels = bar_levels(label)
    ink = levels.max() if bar < 110 else 0
    assert abs(int(ink) - bar) > 95
    assert (np.abs(levels.astype(int) - int(ink)) < 10).sum() > 100


@pytest.mark.parametrize(
    "box", [Box(-40, -40, 60, 60), Box(350, 350, 450, 450), Box(0, 0, 400, 400), Box(10, 10, 11, 11)]
)
def test_faces_on_the_border_and_of_any_size_are_drawn_inside_the_picture(box):
    image = np.full((400, 400, 3), 90, np.uint8)
    canvas = annotated(image, [Face(box, 0.9, "happy", 0.9, {"happy": 0.9}, track=3)])
    assert canvas.shape == image.shape
    assert (canvas != image).any()
    assert (image == 90).all()
