import cv2
import numpy as np
import pytest

from edge_runtime import DEMO_PICTURE
from edge_runtime.detectors import open_detector
from edge_runtime.errors import DetectorError


def portrait():
    return cv2.imread(str(DEMO_PICTURE))


def test_haar_finds_the_one_face_of_the_demo_portrait():
    (found,) = open_detector("haar").detect(portrait())
    x, y = found.box.center
    assert 150 < x < 190
    assert 60 < y < 105
    assert 0 < found.score < 1


def test_boxes_grow_with_the_picture_beyond_the_size_that_is_searched():
    small = open_detector("haar").detect(portrait())[0].box
    large = open_detector("haar").detect(cv2.resize(portrait(), None, fx=4, fy=4))[0].box
    assert large.center == pytest.approx(tuple(4 * side for side in small.center), rel=0.1)
    assert large.width == pytest.approx(4 * small.width, rel=0.2)


def test_several_faces_come_largest_first():
    scene = np.full((400, 800, 3), 128, np.uint8)
    scene[:384, :384] = portrait()
    scene[8:392, 400:784] = portrait()
    half = cv2.resize(portrait(), None, fx=0.7, fy=0.7)
    scene[100 : 100 + half.shape[0], 500 : 500 + half.shape[1]] = half
    areas = [found.box.area for found in open_detector("haar").detect(scene)]
    assert len(areas) >= 2
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (23, 23, 3), (30, 2000, 3), (300, 300, 3), (48, 48)]
)
def test_pictures_without_a_face_have_none_whatever_their_shape(shape):
    assert open_detector("haar").detect(np.zeros(shape, np.uint8)) == []


def test_unknown_detector_lists_the_known_ones():
    with pytest.raises(DetectorError, match="haar, yunet"):
        open_detector("harr")


@pytest.mark.parametrize("spec", ["yunet", "yunet:nowhere.onnx", "haar:argument"])
def test_wrong_argument_is_refused_with_a_mend(spec):
    with pytest.raises(DetectorError, match="expected"):
        open_detector(spec)


def test_file_that_is_no_yunet_is_refused(tmp_path, capfd):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"not a model")
    with pytest.raises(DetectorError, match="refuses"):
        open_detector(f"yunet:{model}")
    assert capfd.readouterr().err == ""
