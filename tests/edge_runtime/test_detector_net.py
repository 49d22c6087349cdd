"""A detector's net: what few cells say is what the table of all says of them."""

import cv2
import numpy as np
import pytest

from edge_runtime import DEMO_PICTURE
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.decode import decode
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.detectors.tflite import SHIPPED_DETECTOR
from tests.support import BRIGHT_FLOAT, BRIGHT_INT8


@pytest.mark.parametrize("bundle", [BRIGHT_INT8, BRIGHT_FLOAT, SHIPPED_DETECTOR], ids=lambda bundle: str(bundle)[-16:])
@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.3, 1.01])
def test_near_gives_the_boxes_that_decoding_the_whole_table_gives(bundle, threshold):
    detector = open_detector(f"tflite:{bundle}")
    net, (width, height) = detector.net, detector.input_size
    pixels, _ = letterbox(cv2.imread(str(DEMO_PICTURE)), width, height, 1)
    table = net.answer(pixels)
    wanted = decode(table[:, 0], table[:, 1:5], table[:, 5:], net.grid, threshold)
    found = net.near(pixels, threshold)
    assert len(found) == {0.0: len(net.grid), 1.01: 0}.get(threshold, len(wanted))
    for name in ("boxes", "scores", "points"):
        one, other = getattr(found, name), getattr(wanted, name)
        assert (one.dtype, one.shape) == (other.dtype, other.shape) == (np.float32, other.shape)
        np.testing.assert_array_equal(one, other)


def test_cells_of_every_level_are_among_those_of_the_demos_portrait():
    detector = open_detector(f"tflite:{SHIPPED_DETECTOR}")
    pixels, _ = letterbox(cv2.imread(str(DEMO_PICTURE)), *detector.input_size, 1)
    scores = detector.answer(pixels)[:, 0]
    ends = np.cumsum([columns * rows for columns, rows in detector.net.grid.levels])
    assert all((level >= 0.02).any() for level in np.split(scores, ends[:-1]))
