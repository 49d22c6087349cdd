import csv
import functools
import io
import json
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from edge_runtime import DEMO_PICTURE
from edge_runtime.bundle import read_bundle
from tests.support import ROOT, TINY_GREY, fer_edge

FIELDS = [
    "source",
    "frame",
    "time_s",
    "face",
    "track",
    "box",
    "detector_score",
    "label",
    "score",
    "emotions",
    "left_out",
]


def predict(*arguments, **options):
    return fer_edge("predict", *arguments, "--bundle", TINY_GREY, **options)


def lines(outcome):
    return [json.loads(line) for line in outcome.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path):
    """Two good pictures, one without a face, one broken, in a folder with a folder in it."""
    place = tmp_path / "pictures"
    (place / "deeper").mkdir(parents=True)
    shutil.copy(DEMO_PICTURE, place / "a.jpg")
    shutil.copy(DEMO_PICTURE, place / "deeper" / "a.jpg")
    cv2.imwrite(str(place / "empty.png"), np.full((60, 80, 3), 90, np.uint8))
    (place / "broken.jpg").write_bytes(DEMO_PICTURE.read_bytes()[:4000])
    return place


def make_video(path, count=12, size=(384, 384)):
    portrait = cv2.imread(str(DEMO_PICTURE))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    for index in range(count):
        writer.write(np.roll(portrait, 2 * index, axis=1))
    writer.release()
    return path


def test_one_record_a_face_with_all_fields_after_a_header_with_the_bundle():
    outcome = predict(DEMO_PICTURE)
    header, record = lines(outcome)
    assert outcome.returncode == 0
    assert header["sha256"] == read_bundle(TINY_GREY).sha256
    assert list(record) == FIELDS
    assert record["emotions"][record["label"]] == record["score"]
    left, top, right, bottom = record["box"]
    assert 0 < left < right < 384
    assert 0 < top < bottom < 384
    assert "box" not in header


def test_broken_picture_among_good_ones_is_one_clear_line_and_the_rest_is_done(folder):
    outcome = predict(folder)
    assert outcome.returncode == 2
    assert len(lines(outcome)) == 3
    complaints = [line for line in outcome.stderr.splitlines() if "broken.jpg" in line]
    assert len(complaints) == 1
    assert "1 without a face, 1 refused" in outcome.stderr


def test_csv_has_a_row_a_face_and_a_column_an_emotion(folder):
    rows = list(csv.DictReader(io.StringIO(predict(folder, "--format", "csv").stdout)))
    assert len(rows) == 2
    assert {"left", "emotion_happy", "bundle_sha256", "track"} <= set(rows[0])
    assert sum(float(rows[0][name]) for name in rows[0] if name.startswith("emotion_")) == pytest.approx(1, abs=0.02)


def test_out_file_holds_what_standard_output_would(folder, tmp_path):
    out = tmp_path / "faces.jsonl"
    outcome = predict(folder, "--out", out)
    assert outcome.stdout == ""
    assert out.read_text() == predict(folder).stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.jsonl", "pictures"]


def test_out_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    outcome = predict(DEMO_PICTURE, "--out", tmp_path / "nowhere" / "faces.jsonl")
    assert outcome.returncode == 2
    assert "nowhere" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_annotated_copies_keep_their_folders_and_differ_from_the_originals(folder, tmp_path):
    predict(folder, "--annotate", tmp_path / "seen")
    copies = sorted(path.relative_to(tmp_path / "seen").as_posix() for path in (tmp_path / "seen").rglob("*.*"))
    assert copies == ["a.jpg", "deeper/a.jpg", "empty.png"]
    copy, original = cv2.imread(str(tmp_path / "seen" / "a.jpg")), cv2.imread(str(DEMO_PICTURE))
    assert copy.shape == original.shape
    assert (np.abs(copy.astype(int) - original).max(axis=2) > 60).sum() > 500


def test_annotating_over_the_inputs_is_refused(folder):
    before = (folder / "a.jpg").read_bytes()
    outcome = predict(folder / "a.jpg", "--annotate", folder)
    assert outcome.returncode == 2
    assert "is an input" in outcome.stderr
    assert (folder / "a.jpg").read_bytes() == before


def test_video_gives_frames_times_and_one_track_for_one_person(tmp_path):
    outcome = predict(make_video(tmp_path / "clip.avi"), "--annotate", tmp_path / "seen")
    records = lines(outcome)[1:]
    assert outcome.returncode == 0
    assert [record["frame"] for record in records] == list(range(12))
    assert [record["time_s"] for record in records] == pytest.approx([index / 10 for index in range(12)], abs=0.001)
    assert {record["track"] for record in records} == {1}
    copy = cv2.VideoCapture(str(tmp_path / "seen" / "clip.mp4"))
    assert copy.get(cv2.CAP_PROP_FRAME_COUNT) == 12


def test_half_written_video_gives_the_frames_it_has_and_exit_2(tmp_path):
    video = make_video(tmp_path / "clip.avi", 30)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    shutil.copy(DEMO_PICTURE, tmp_path / "z.jpg")
    outcome = predict(video, tmp_path / "z.jpg")
    assert outcome.returncode == 2
    assert [line for line in outcome.stderr.splitlines() if "clip.avi" in line]
    sources = [record["source"] for record in lines(outcome)[1:]]
    assert sources[-1].endswith("z.jpg")


@pytest.mark.parametrize("name", ["missing.jpg", "empty", ""])
def test_missing_path_and_folder_with_no_pictures_are_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    outcome = predict(tmp_path / name if name else "")
    assert outcome.returncode == 2
    assert "fer-edge: " in outcome.stderr


def test_two_runs_print_the_same_bytes(folder):
    assert predict(folder).stdout == predict(folder).stdout


def test_more_threads_give_the_same_answers(folder):
    assert predict(folder, "--threads", 4).stdout == predict(folder).stdout


@pytest.mark.parametrize(
    "wrong", [("--threads", "0"), ("--threads", "999"), ("--detector", "harr"), ("--bundle", "nowhere")]
)
def test_wrong_option_is_one_line_and_exit_2(wrong):
    outcome = fer_edge("predict", DEMO_PICTURE, "--bundle", TINY_GREY, *wrong)
    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1


def test_reader_that_stops_early_is_no_error(folder):
    command = f"{sys.executable} -m edge_runtime predict {folder} --bundle {TINY_GREY} | head -1"
    outcome = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert json.loads(outcome.stdout)["bundle"]
    assert "Traceback" not in outcome.stderr
    assert "Broken" not in outcome.stderr


def test_no_progress_bar_where_no_terminal_is(folder):
    assert "\r" not in predict(folder).stderr


def test_interrupted_run_keeps_what_it_found_and_says_where(tmp_path):
    video = make_video(tmp_path / "long.avi", 600)
    out = tmp_path / "faces.jsonl"
    command = [
        sys.executable,
        "-m",
        "edge_runtime",
        "predict",
        str(video),
        "--bundle",
        str(TINY_GREY),
        "--out",
        str(out),
    ]
    heed = functools.partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # a shell's background jobs are born deaf to it
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=heed)
    partial = tmp_path / "faces.partial.jsonl"
    deadline = time.monotonic() + 30
    while not (partial.exists() and partial.stat().st_size > 2000):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert partial.name in complaints
    assert not out.exists()
    assert partial.stat().st_size > 2000
