"""`parity --pictures`: what a change of model or detector changes of what a user sees."""

import json
import shutil

import cv2
import numpy as np
import pytest

from convert.cli import main
from convert.parity.pipeline import Shot, compare_shots
from edge_runtime.face import Face
from edge_runtime.geometry import Box
from tests.support import ROOT, TINY_COLOUR, TINY_GREY

PORTRAIT = ROOT / "edge_runtime" / "demo" / "astronaut.jpg"


def face(left, label="happy", track=None, side=100):
    return Face(Box(left, 0, left + side, side), 0.9, label, 0.8, {label: 0.8}, None, track)


def shots(*faces, source="a.mp4"):
    return [Shot(source, frame, tuple(found)) for frame, found in enumerate(faces)]


def test_faces_are_matched_by_overlap_and_named_by_expression_not_spelling():
    one = shots([face(0), face(300, "sad"), face(900)])
    other = shots([face(310, "happy"), face(5, "Happiness"), face(600)])
    found = compare_shots(one, other)
    assert (found.matched, found.alike, found.only_reference, found.only_candidate) == (2, 1, 1, 1)
    assert found.least_overlap == pytest.approx(90 / 110)
    assert (found.agreement.count, found.agreement.faces) == (1, 4)


def test_each_face_is_matched_once_with_the_one_that_overlaps_it_most():
    found = compare_shots(shots([face(0)]), shots([face(30), face(4)]))
    assert (found.matched, found.only_candidate) == (1, 1)
    assert found.mean_overlap == pytest.approx(96 / 104)


def test_boxes_that_hardly_overlap_are_two_faces():
    found = compare_shots(shots([face(0)]), shots([face(50)]))
    assert (found.matched, found.only_reference, found.only_candidate, found.mean_overlap) == (0, 1, 1, None)


def test_labels_are_compared_over_time_track_by_track():
    one = shots(*[[face(0, name, 1)] for name in ("happy", "happy", "happy", "sad")])
    other = shots(*[[face(0, name, 7)] for name in ("happy", "sad", "happy", "sad")])
    (track,) = compare_shots(one, other).tracks
    assert (track.track, track.frames, track.alike) == (1, 4, 3)
    assert (track.reference_changes, track.candidate_changes) == (1, 3)


def test_shots_of_other_frames_are_never_compared():
    with pytest.raises(ValueError, match="the same shots"):
        compare_shots(shots([face(0)]), shots([face(0)], source="b.mp4"))


def test_no_face_anywhere_is_no_agreement():
    assert compare_shots(shots([]), shots([])).agreement is None


@pytest.fixture
def pipelines(tmp_path, capsys):
    def run(reference, candidate, *pictures, gate="default", **options):
        command = ["parity", "--reference", reference, "--candidate", candidate, "--gate", gate]
        for picture in pictures:
            command += ["--pictures", picture]
        for key, value in options.items():
            command += [f"--{key.replace('_', '-')}", value]
        code = main([str(word) for word in [*command, "--report", tmp_path / "report"]])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def video(tmp_path):
    """Forty frames of a portrait that moves to the right."""
    small = cv2.resize(cv2.imread(str(PORTRAIT)), (144, 144))
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (176, 144))
    for frame in range(40):
        image = np.full((144, 176, 3), 128, np.uint8)
        image[:, frame // 2 : frame // 2 + 144] = small
        writer.write(image)
    writer.release()
    return path


def test_same_model_in_another_folder_agrees_in_a_video_frame_by_frame(pipelines, video, tmp_path):
    copy = shutil.copytree(TINY_GREY, tmp_path / "copy")
    code, out, err = pipelines(TINY_GREY, copy, video)
    assert (code, err) == (0, "")
    assert "agreement: 100.00 %" in out
    table = json.loads((tmp_path / "report" / "pipeline.json").read_bytes())
    (candidate,) = table["candidates"]
    assert (candidate["shots"], candidate["only_candidate"], candidate["least_overlap"]) == (40, 0, 1.0)
    assert candidate["tracks"][0]["alike"] == candidate["tracks"][0]["frames"] > 34
    assert (tmp_path / "report" / "pipeline.md").read_text().startswith("# Pipelines")


def test_few_faces_that_agree_cannot_be_judged(pipelines, tmp_path):
    code, out, _ = pipelines(TINY_GREY, shutil.copytree(TINY_GREY, tmp_path / "copy"), PORTRAIT)
    assert code == 2
    assert "it takes about 34" in out


def test_picture_that_cannot_be_read_is_named_and_the_others_are_compared(pipelines, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + bytes(100))
    copy = shutil.copytree(TINY_GREY, tmp_path / "copy")
    code, out, err = pipelines(TINY_GREY, copy, broken, PORTRAIT)
    assert code == 2
    assert "broken.jpg" in err
    assert err.count("\n") == 1
    assert "pictures and frames: 1" in out


def test_wrong_use_is_refused_in_one_line(pipelines, tmp_path):
    off = tmp_path / "off.toml"
    text = (ROOT / "convert" / "gates" / "default.toml").read_text()
    off.write_text(text.replace("agreement = 0.97", 'agreement = "off"'))
    for said, sides, options in (
        ("as two sides", (TINY_GREY, TINY_GREY), {}),
        ('agreement = "off"', (TINY_GREY, TINY_COLOUR), {"gate": off}),
        ("--split with --pictures", (TINY_GREY, TINY_COLOUR), {"split": "PublicTest"}),
        ("bundle", (TINY_GREY, tmp_path / "gone"), {}),
        ("detector", (TINY_GREY, f"{TINY_GREY}@nobody"), {}),
    ):
        code, out, err = pipelines(*sides, PORTRAIT, **options)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
    code, _, err = pipelines(TINY_GREY, TINY_COLOUR, PORTRAIT)
    assert code == 2
    assert "8 labels" in err


def test_pictures_that_are_not_there_are_refused(pipelines, tmp_path):
    copy = shutil.copytree(TINY_GREY, tmp_path / "copy")
    code, out, err = pipelines(TINY_GREY, copy, tmp_path / "gone.jpg")
    assert (code, out) == (2, "")
    assert "gone.jpg" in err
