"""Pictures that no detector likes: too small, too large, too thin, with hundreds of faces or with parts of one."""

import csv
import io
import json

import cv2
import numpy as np
import pytest

from devices.base import Frame
from edge_runtime import DEMO_PICTURE
from edge_runtime.cli import main
from edge_runtime.detectors import MOST_FACES, open_detector
from edge_runtime.live.pipeline import open_pipeline
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.preprocess import NO_ALIGNMENT, SIMILARITY
from tests.live_world import Boxes, finished, settings
from tests.support import BRIGHT_INT8, TINY_GREY

OURS = f"tflite:{BRIGHT_INT8}"
CROWD = [(index, 10, index + 20 + index % 7, 40) for index in range(2 * MOST_FACES)]


@pytest.fixture(scope="module")
def classifier():
    return load(TINY_GREY).classifier


@pytest.mark.parametrize("alignment", [NO_ALIGNMENT, SIMILARITY])
@pytest.mark.parametrize("grey", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (5, 9), (20, 3000), (2000, 3000)])
def test_pictures_smaller_than_a_face_thin_huge_black_or_white_are_read_without_a_fault(
    classifier, shape, grey, alignment
):
    recognizer = Recognizer(classifier, open_detector(OURS), alignment)
    faces = recognizer(np.full((*shape, 3), grey, np.uint8))
    assert len(faces) <= MOST_FACES
    assert grey or not faces
    for face in faces:
        assert sum(face.emotions.values()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("alignment", [NO_ALIGNMENT, SIMILARITY])
def test_faces_that_the_border_cuts_are_read_like_others(classifier, alignment):
    recognizer = Recognizer(classifier, open_detector(OURS), alignment)
    picture = np.zeros((128, 160, 3), np.uint8)
    for row, column in ((0, 0), (0, 19), (15, 0), (15, 19), (7, 0)):
        picture[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 255
    faces = recognizer(picture)
    assert len(faces) == 5
    assert sum(face.box.left < 0 or face.box.right > 160 for face in faces) == 5
    assert all(sum(face.emotions.values()) == pytest.approx(1, abs=0.02) for face in faces)


def test_of_two_hundred_faces_the_largest_are_read_and_the_others_counted(classifier):
    boxes = Boxes(sorted(CROWD, key=lambda box: box[0] - box[2]))
    recognizer = Recognizer(classifier, boxes)
    picture = np.random.default_rng(1).integers(0, 256, (64, 300, 3), np.uint8)
    faces = recognizer(picture)
    assert (len(faces), recognizer.left_out) == (MOST_FACES, len(CROWD) - MOST_FACES)
    widths = sorted((box[2] - box[0] for box in CROWD), reverse=True)
    assert [face.box.width for face in faces] == widths[:MOST_FACES]
    boxes.boxes = CROWD[:3]
    assert (len(recognizer(picture)), recognizer.left_out) == (3, 0)


def test_predict_says_how_many_faces_of_a_crowd_have_no_record(tmp_path, capsys):
    """The net takes each of 400 bright cells for a face."""
    for name, side in (("crowd.png", 128), ("one.png", 8)):
        picture = np.zeros((128, 160, 3), np.uint8)
        picture[:side, : side * 5 // 4] = 255
        cv2.imwrite(str(tmp_path / name), picture)
    options = ["--bundle", str(TINY_GREY), "--detector", OURS]
    assert main(["predict", str(tmp_path), *options]) == 0
    out, told = capsys.readouterr()
    header, *records = map(json.loads, out.splitlines())
    assert header["alignment"] == "none"
    crowd = [record for record in records if record["source"].endswith("crowd.png")]
    assert (len(crowd), {record["left_out"] for record in crowd}) == (MOST_FACES, {400 - MOST_FACES})
    assert {record["left_out"] for record in records if record not in crowd} == {0}
    assert f"{400 - MOST_FACES} more faces left out" in told
    assert main(["predict", str(tmp_path), *options, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert sum(row["left_out"] == "300" for row in rows) == MOST_FACES


def test_a_live_run_counts_the_faces_that_it_leaves_out_and_where_it_searched():
    config = settings(detector__scan_every=2, tracking__reach=0.2)
    pipeline = open_pipeline(config, Boxes(CROWD))
    sight = pipeline.see(Frame(np.zeros((64, 300, 3), np.uint8), 0.0, 0), 0.0)
    assert (len(sight.faces), sight.left_out) == (MOST_FACES, len(CROWD) - MOST_FACES)
    config = settings("synthetic?size=64x48&fps=0", detector__scan_every=3)
    run = finished(config, frames=6, detector=Boxes(((20, 12, 40, 32),)))
    text = run.loop.metrics.registry.render()
    counts = {area: f'fer_edge_searches_total{{area="{area}"}}' for area in ("whole", "regions", "none")}
    assert run.summary.searches == {"whole": 2, "regions": 4}
    assert f"{counts['whole']} 2\n" in text
    assert f"{counts['regions']} 4\n" in text
    assert f"{counts['none']} 0\n" in text
    assert "searched whole 2, about known faces 4" in run.summary.line()
    assert "fer_edge_faces_left_out_total 0\n" in text


def test_a_face_upside_down_is_not_found():
    portrait = cv2.imread(str(DEMO_PICTURE))
    assert len(open_detector("haar").detect(portrait)) == 1
    assert open_detector("haar").detect(np.ascontiguousarray(portrait[::-1, ::-1])) == []


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (["--bundle", str(BRIGHT_INT8)], "of kind 'face_detector'; expected a classifier"),
        (["--detector", f"tflite:{TINY_GREY}"], "of kind 'classifier'; expected a face_detector"),
    ],
)
def test_bundles_that_are_swapped_are_refused_by_kind_in_one_line(options, kind, capsys):
    assert main(["predict", str(DEMO_PICTURE), *options]) == 2
    out, told = capsys.readouterr()
    assert out == ""
    assert kind in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((f"detector.close_up=tflite:{TINY_GREY}", "detector.scan_every=3"), "of kind 'classifier'"),
        ((f"detector.close_up={OURS}", "detector.scan_every=3"), "take bundles of one detector for both"),
        ((f"detector.close_up={OURS}",), "never used with scan_every = 1"),
        (("detector.scan_every=0",), "scan_every = 0 is not 1 to 60"),
        (("detector.alignment=affine",), "one of none, similarity"),
    ],
)
def test_a_live_run_refuses_detector_settings_that_do_not_go_together_in_one_line(changes, said, capfd):
    sets = [word for change in changes for word in ("--set", change)]
    assert main(["run", "--source", "synthetic?size=64x48", "--bundle", str(TINY_GREY), "--frames", "1", *sets]) == 2
    told = capfd.readouterr().err
    assert said in told
    assert told.count("\n") == 1
