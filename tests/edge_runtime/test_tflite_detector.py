"""The detector of a bundle, with a net of which it is known what it must find (tests/make_tiny_detectors.py)."""

import json
import shutil
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime import DEMO_PICTURE
from edge_runtime.bundle import read_bundle
from edge_runtime.cli import main
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.decode import Found, Grid, decode, faces_of, suppress
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.detectors.letterbox import letterbox
from edge_runtime.detectors.tflite import MOST_FACES
from edge_runtime.errors import BundleError
from edge_runtime.members import canonical_json, with_own_hash
from tests.support import BRIGHT_FLOAT, BRIGHT_INT8, TINY_GREY

BOTH = pytest.mark.parametrize("bundle", [BRIGHT_INT8, BRIGHT_FLOAT], ids=lambda path: path.name)


def frame_with(*cells, size=(160, 128), scale=1):
    """Black with bright squares of 8 px × scale at (column, row) of cells of that size."""
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    for column, row in cells:
        side = 8 * scale
        frame[row * side : (row + 1) * side, column * side : (column + 1) * side] = 255
    return frame


@BOTH
def test_boxes_and_landmarks_are_where_the_net_says(bundle):
    (found,) = open_detector(f"tflite:{bundle}").detect(frame_with((5, 3)))
    assert found.box.as_tuple() == pytest.approx((32, 16, 56, 40), abs=0.3)
    assert found.score > 0.9
    assert found.landmarks.right_eye == pytest.approx((40, 24), abs=0.3)
    assert found.landmarks.left_eye == pytest.approx((48, 24), abs=0.3)
    assert found.landmarks.left_mouth == pytest.approx((47.2, 33.6), abs=0.3)


@BOTH
@pytest.mark.parametrize(("size", "scale"), [((320, 256), 2), ((320, 128), 2), ((200, 256), 2), ((640, 512), 4)])
def test_a_frame_of_any_shape_is_searched_whole_and_boxes_are_in_its_pixels(bundle, size, scale):
    (found,) = open_detector(f"tflite:{bundle}").detect(frame_with((4, 3), size=size, scale=scale))
    middle = (4.5 * 8 * scale, 3.5 * 8 * scale)
    assert found.box.center == pytest.approx(middle, abs=scale)
    assert found.box.width == pytest.approx(24 * scale, abs=scale)


def test_grey_frames_are_searched_too():
    detector = open_detector(f"tflite:{BRIGHT_INT8}")
    colour = frame_with((5, 3))
    assert detector.detect(colour[..., 0]) == detector.detect(colour)


def test_a_bundle_that_looks_twice_looks_closer_where_a_frame_has_the_pixels_and_at_the_mirrored_frame_elsewhere(
    monkeypatch,
):
    monkeypatch.setattr("edge_runtime.detectors.second_look.SURE", 2.0)  # this net is always sure
    monkeypatch.setattr("edge_runtime.detectors.second_look._DOUBT", 1.0)
    detector = open_detector(f"tflite:{BRIGHT_INT8}")
    looks, near = [], detector.net.near
    detector.net.near = lambda pixels, threshold: looks.append(pixels.shape) or near(pixels, threshold)
    large = np.zeros((256, 320, 3), np.uint8)
    large[96:112, 144:160] = 255
    of_large, of_small = {}, {}
    for second_look, count in ((None, 1), (0.5, 2)):
        detector.facts = replace(detector.facts, second_look=second_look)
        for seen, frame in ((of_large, large), (of_small, frame_with((5, 3)))):
            looks.clear()
            seen[second_look] = detector.detect(frame)
            assert len(looks) == count
    assert len(of_large[None]) == 1
    assert of_large[0.5] == []  # four cells fire in its close-up, with boxes half as large
    (once,), (twice,) = of_small[None], of_small[0.5]
    np.testing.assert_allclose(twice.box.as_tuple(), once.box.as_tuple(), atol=0.5)
    np.testing.assert_allclose(twice.landmarks.as_tuple(), once.landmarks.as_tuple(), atol=0.5)


def test_hundreds_of_faces_take_bounded_time_and_the_largest_are_kept_and_the_rest_counted():
    detector = open_detector(f"tflite:{BRIGHT_INT8}")
    began = time.monotonic()
    found = detector.detect(np.full((128, 160, 3), 255, np.uint8))
    assert time.monotonic() - began < 5
    assert len(found) == MOST_FACES
    assert detector.left_out == 400 - MOST_FACES
    areas = [each.box.area for each in found]
    assert areas == sorted(areas, reverse=True)
    assert areas[79] == pytest.approx(48 * 48, rel=0.05)
    assert detector.detect(frame_with((5, 3))) != []
    assert detector.left_out == 0


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (7, 9, 3), (30, 2000, 3), (300, 300, 3), (48, 48), (2000, 3000, 3)]
)
def test_black_pictures_have_no_face_whatever_their_shape(shape):
    assert open_detector(f"tflite:{BRIGHT_INT8}").detect(np.zeros(shape, np.uint8)) == []


def test_a_letterboxed_frame_is_whole_and_beside_it_is_black():
    for shape in ((100, 300, 3), (300, 100, 3), (128, 160), (1, 500, 3)):
        pixels, scale = letterbox(np.full(shape, 200, np.uint8), 160, 128, 1)
        assert pixels.shape == (128, 160, 1)
        width, height = round(shape[1] * scale[0]), round(shape[0] * scale[1])
        assert (pixels[:height, :width] == 200).all()
        assert pixels.sum() == 200 * width * height
        assert width == 160 or height == 128


def test_a_small_frame_is_enlarged_as_crops_are_because_opencv_has_another_kernel_for_grey_on_arm(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "edge_runtime.detectors.letterbox.grown",
        lambda image, size: asked.append(size) or np.full((size[1], size[0]), 7, np.uint8),
    )
    pixels, _ = letterbox(np.zeros((60, 80, 3), np.uint8), 160, 128, 1)
    assert asked == [(160, 120)]
    assert (pixels[:120] == 7).all()
    letterbox(np.zeros((240, 320, 3), np.uint8), 160, 128, 1)
    assert len(asked) == 1


@BOTH
def test_its_golden_frames_pass_here_and_another_net_fails(bundle):
    detector = open_detector(f"tflite:{bundle}")
    verdict = detector.selftest()
    assert verdict.passed, verdict.message
    right = detector.answer
    for change in ([0.5] + [0.0] * 14, [0.0] + [1.0] * 14):  # a score, and lengths
        detector.answer = lambda pixels, change=change: right(pixels) + np.float32(change)
        assert (detector.selftest().passed, detector.selftest().cause) == (False, "kernel")


def test_the_command_tests_a_detectors_bundle(capsys):
    assert main(["selftest", "--detector", f"tflite:{BRIGHT_INT8}"]) == 0
    assert capsys.readouterr().out.startswith("passed: 8 golden frames")
    assert main(["selftest", "--detector", "haar"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_names_the_shipped_classifier_and_detector_are_tested_and_with_one_that_one_alone(capsys):
    said = {}
    for options in ((), ("--bundle", str(TINY_GREY)), ("--detector", "tflite")):
        assert main(["selftest", *options]) == 0
        said[options] = capsys.readouterr().out.splitlines()
    assert [len(lines) for lines in said.values()] == [2, 1, 1]
    assert said[()][1] == said["--detector", "tflite"][0]


def test_classifier_and_detector_bundles_that_are_swapped_are_refused_by_kind():
    with pytest.raises(BundleError, match=r"of kind 'classifier'; expected a face_detector; give it to --bundle"):
        open_detector(f"tflite:{TINY_GREY}")
    with pytest.raises(BundleError, match=r"of kind 'face_detector'; expected a classifier; .*--detector: tflite:"):
        read_bundle(BRIGHT_INT8)


def test_a_bundle_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BundleError, match="does not exist"):
        open_detector(f"tflite:{tmp_path / 'none'}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"strides": [8, 16]}, None),
        ({"strides": [8, 16, 64]}, "for the scores of a level"),
        ({"strides": [8, 8, 16]}, "two are the same"),
        ({"input": {"width": 128, "height": 128, "channels": 1}}, "input \\(1, 128, 160, 1\\)"),
        ({"input": {"width": 160, "height": 128}}, "'channels'"),
        ({"input": {"width": 160.5, "height": 128, "channels": 1}}, "160.5"),
        ({"threshold": 2}, "threshold 2"),
        ({"framing": {"side": "depth", "scale": 1.0}}, "framing"),
        ({"overlap": None}, "no key 'overlap'"),
        ({"second_look": 0.5}, None),
        ({"second_look": 1.5}, "second_look 1.5"),
        ({"second_look": "often"}, "often"),
    ],
)
def test_a_manifest_that_the_net_contradicts_is_refused(tmp_path, changes, reason):
    folder = shutil.copytree(BRIGHT_INT8, tmp_path / "bundle")
    manifest = {**json.loads((folder / "manifest.json").read_bytes()), **changes}
    manifest = {key: value for key, value in manifest.items() if value is not None}
    (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))
    if reason is None:
        open_detector(f"tflite:{folder}")  # a level that is not asked for may be there
        return
    with pytest.raises(BundleError, match=reason) as caught:
        open_detector(f"tflite:{folder}")
    assert "\n" not in str(caught.value)


def test_one_flipped_byte_of_a_detector_is_refused(tmp_path):
    folder = shutil.copytree(BRIGHT_INT8, tmp_path / "bundle")
    data = bytearray((folder / "model.tflite").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.tflite").write_bytes(data)
    with pytest.raises(BundleError, match="damaged"):
        read_detector_bundle(folder)


def test_suppression_keeps_the_surest_of_boxes_that_overlap_and_drops_empty_ones():
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10], [5, 5, 5, 9], [9, 0, 19, 10]])
    scores = np.float32([0.6, 0.9, 0.5, 0.99, 0.7])
    found = Found(boxes, scores, np.zeros((5, 5, 2), np.float32))
    assert suppress(found, 1.0).boxes[:, 0].tolist() == [1, 9, 0, 30]
    kept = suppress(found, 0.3)
    assert kept.boxes[:, 0].tolist() == [1, 9, 30]
    assert kept.scores == pytest.approx([0.9, 0.7, 0.5])


def test_landmarks_are_the_mean_over_boxes_that_are_almost_the_same_and_over_no_others():
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10], [30, 0, 40, 10]])
    scores = np.float32([0.8, 0.4, 0.7, 0.6])
    points = np.float32([10, 20, 90, 50])[:, None, None] + np.zeros((4, 5, 2), np.float32)
    kept = suppress(Found(boxes, scores, points), 0.3, 0.5)
    assert kept.boxes[:, 0].tolist() == [0, 30]  # the box of half that score is no face, though it has its say
    assert kept.points[:, 0, 0] == pytest.approx([(10 * 0.64 + 20 * 0.16) / 0.8, 50])


def test_a_cell_below_the_threshold_makes_no_face_and_steadies_the_landmarks_of_one():
    grid = Grid.of(64, 64, (32,))
    table = np.zeros((4, 15), np.float32)
    table[:2, 0] = 0.8, 0.5
    table[0, 1:5], table[1, 1:5] = (0.5, 0.5, 1.5, 1.5), (1.5, 0.5, 0.5, 1.5)  # the same box, seen from two cells
    table[1, 5:] = 1.0
    alone, steadied = (faces_of(table, grid, threshold, 0.4) for threshold in (0.79, 0.6))
    assert alone.boxes.tolist() == steadied.boxes.tolist() == [[0, 0, 64, 64]]
    table[1, 0] = 0.1
    assert faces_of(table, grid, 0.6, 0.4).points.tolist() == [[[16, 16]] * 5]
    assert steadied.points[0, 0] == pytest.approx([(16 * 0.64 + 80 * 0.25) / 0.89, (16 * 0.64 + 48 * 0.25) / 0.89])


def test_cells_below_the_threshold_are_no_boxes_and_negative_distances_count_as_none():
    grid = Grid.of(64, 64, (32,))
    found = decode(
        np.float32([0.5, 0.49, 0.1, 0.9]),
        np.float32([[1, 1, 1, 1]] * 3 + [[-1, 1, 0.5, 1]]),
        np.zeros((4, 10), np.float32),
        grid,
        0.5,
    )
    assert found.boxes.tolist() == [[-16, -16, 48, 48], [48, 16, 64, 80]]


def test_it_reads_expressions_in_a_recognizer():
    """Bright cells of the demo portrait are no faces, but what is found is cropped and classified like any face."""
    from edge_runtime.pipeline import load

    portrait = cv2.imread(str(DEMO_PICTURE))
    portrait[:40, :40] = 255
    recognizer = load(TINY_GREY, f"tflite:{BRIGHT_INT8}")
    faces = recognizer(portrait)
    assert faces
    assert all(face.landmarks is not None for face in faces)
