"""What comes with the package is whole, small, and right about the demo's smile."""

import pytest

import edge_runtime
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import DEFAULT_DETECTOR, open_detector
from edge_runtime.detectors.tflite import SHIPPED_DETECTOR
from edge_runtime.golden import check
from edge_runtime.labels import LABEL_SETS, canonical
from edge_runtime.members import DEFAULT_BUNDLE, FACE_DETECTOR, SHIPPED
from edge_runtime.pictures import read_picture

MAX_MODEL_BYTES = 2_700_000


@pytest.mark.parametrize("name", edge_runtime.shipped_bundles())
def test_shipped_bundle_is_whole_small_and_passes_its_self_test(name):
    bundle = edge_runtime.read_bundle(name)
    assert bundle.name == name
    assert bundle.labels.names == LABEL_SETS[bundle.labels.name].names
    assert len(bundle.model) <= MAX_MODEL_BYTES
    assert sum(path.stat().st_size for path in (SHIPPED / name).iterdir()) < 3_000_000
    assert check(bundle, Classifier(bundle).model).passed


@pytest.mark.parametrize("name", edge_runtime.shipped_bundles())
def test_shipped_bundle_says_what_it_was_trained_and_calibrated_on(name):
    manifest = edge_runtime.read_bundle(name).manifest
    assert manifest["training"]["recipe"]["seed"] >= 0
    assert len(manifest["training"]["data"]["sha256"]) == 64
    assert {"split", "count", "seed", "sha256"} <= set(manifest["calibration"])
    assert manifest["calibration"]["split"] == "Training"
    assert manifest["licence"]


@pytest.mark.parametrize("name", edge_runtime.shipped_bundles(FACE_DETECTOR))
def test_a_shipped_detector_is_whole_small_and_says_what_it_was_taught_and_judged_by(name):
    detector = open_detector(f"tflite:{name}")
    manifest = detector.bundle.manifest
    assert detector.bundle.name == name
    assert len(detector.bundle.model) <= 1_000_000
    assert detector.selftest().passed
    assert manifest["training"]["recipe"]["seed"] >= 0
    assert {"recall", "precision", "false_a_picture"} <= set(manifest["operating_point"])
    assert manifest["parity"]["outcome"] == "passed"
    assert len(detector.bundle.model) + len(detector.half.bundle.model) <= 1_000_000
    assert [2 * side for side in detector.half.input_size] == list(detector.input_size)
    assert manifest["licence"]


def test_the_default_detector_is_the_shipped_one_and_gives_landmarks():
    assert edge_runtime.shipped_bundles(FACE_DETECTOR) == [SHIPPED_DETECTOR]
    found = max(
        open_detector(DEFAULT_DETECTOR).detect(read_picture(edge_runtime.DEMO_PICTURE)), key=lambda each: each.score
    )
    eye, other = found.landmarks.right_eye, found.landmarks.left_eye
    assert found.box.left < eye[0] < other[0] < found.box.right
    assert found.score > 0.5


@pytest.mark.parametrize("name", edge_runtime.shipped_bundles())
def test_each_shipped_bundle_calls_the_demos_smile_happy(name):
    faces = edge_runtime.load(name)(read_picture(edge_runtime.DEMO_PICTURE))
    assert [canonical(face.label) for face in faces] == ["happy"]
    assert faces[0].score > 0.5


def test_the_default_bundle_is_ferplus_and_both_label_sets_are_shipped():
    assert edge_runtime.load().bundle.name == DEFAULT_BUNDLE == "ferplus"
    assert edge_runtime.shipped_bundles() == ["fer2013", "ferplus"]
