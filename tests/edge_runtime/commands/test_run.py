"""Promises of `fer-edge run` to whoever starts it: what it prints, when it ends, and what it says of a mistake."""

import csv
import io
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

import edge_runtime
from edge_runtime.cli import main
from edge_runtime.live.records import LIVE_COLUMNS
from tests.support import ROOT, TINY_GREY, fer_edge


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The demo's portrait, walking through 20 frames of a video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    portrait = cv2.resize(cv2.imread(str(edge_runtime.DEMO_PICTURE)), (256, 256))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 256))
    for index in range(20):
        frame = np.full((256, 320, 3), 90, np.uint8)
        frame[:, 3 * index : 3 * index + 256] = portrait
        writer.write(frame)
    writer.release()
    return path


def run(clip, *arguments):
    return fer_edge("run", "--source", f"file:{clip}", "--bundle", TINY_GREY, *arguments)


def cell(value):
    """A value of a JSON record as a table has it."""
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def flat(record, columns):
    """A JSON record as its row of a table."""
    box = dict(zip(("left", "top", "right", "bottom"), record.pop("box"), strict=True))
    emotions = {f"emotion_{name}": value for name, value in record.pop("emotions").items()}
    return [cell({**record, **box, **emotions}[name]) for name in columns]


def test_a_recording_ends_with_its_end_and_every_format_says_the_same(clip, tmp_path):
    plain = run(clip)
    table = run(clip, "--format", "csv", "--annotate", tmp_path / "seen.mp4")
    assert (plain.returncode, table.returncode) == (0, 0)
    header, *lines = map(json.loads, plain.stdout.splitlines())
    faces = [line for line in lines if "box" in line]
    assert header["bundle"] == "tiny_grey"
    assert {face["frame"] for face in faces} <= set(range(20))
    assert len(faces) >= 15
    assert "20 frames: 20 processed, 0 dropped" in plain.stderr
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    # Names are drawn anew for each run, and a result is as old as it is.
    own = ("track", "time", "age_ms", "bundle", "bundle_sha256")
    shared = [name for name in rows[0] if name not in own]
    assert set(LIVE_COLUMNS) - set(own) <= set(shared)
    assert [[row[name] for name in shared] for row in rows] == [flat(face, shared) for face in faces]
    video = cv2.VideoCapture(str(tmp_path / "seen.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 20
    assert video.get(cv2.CAP_PROP_FPS) == 10


def test_a_person_has_one_name_from_record_to_event(clip):
    lines = list(map(json.loads, run(clip).stdout.splitlines()))
    events = [line for line in lines if "kind" in line]
    assert [event["kind"] for event in events if event["kind"] in ("appeared", "left")].count("appeared") >= 1
    named = {line["track"] for line in lines if "box" in line} - {None}
    assert named == {event["track"] for event in events if event["kind"] == "appeared"}
    assert named == {event["track"] for event in events if event["kind"] == "left"}


def test_the_moving_portrait_yields_faces_without_a_camera():
    outcome = fer_edge("run", "--source", "synthetic?size=320x240", "--bundle", TINY_GREY, "--frames", 8)
    assert outcome.returncode == 0
    assert sum('"box"' in line for line in outcome.stdout.splitlines()) >= 4


def test_a_silent_run_prints_its_summary_alone(clip):
    outcome = run(clip, "--format", "none", "--no-display", "--frames", 3)
    assert (outcome.returncode, outcome.stdout) == (0, "")
    assert outcome.stderr.count("\n") == 1


def test_a_window_that_cannot_be_is_said_and_missed_by_nobody(clip):
    outcome = run(clip, "--set", "output.display=true", "--frames", 1)
    assert outcome.returncode == 0
    assert "no window" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "sintetic"), "did you mean 'synthetic'?"),
        (("--source", "file:nothing.mp4"), "nothing.mp4"),
        (("--source", "synthetic", "--bundle", "nothing"), "nothing"),
        (("--source", "synthetic", "--accelerator", "edgetpu:usb:x"), "expected usb"),
        (("--source", "synthetic", "--annotate", "seen.avi"), "seen.mp4"),
        (("--source", "synthetic", "--annotate", "no/such/seen.mp4"), "no folder"),
        (("--source", "synthetic", "--mqtt", "http://broker"), "mqtt://host"),
        (("--source", "synthetic", "--set", "smoothing.treshold=1"), "smoothing.threshold"),
        (("--source", "synthetic", "--frames", "-1"), "whole number"),
        (("--source", "synthetic?fault=barred@0"), "no permission"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, said, capfd):
    try:
        code = main(["run", *arguments])
    except SystemExit as refused:  # argparse's own way
        code = refused.code
    told = capfd.readouterr()
    assert code == 2
    assert said in told.err.splitlines()[-1]
    assert told.out.count("\n") <= 1


def test_a_reader_that_has_enough_ends_the_run():
    command = f"{sys.executable} -m edge_runtime run --source 'synthetic?size=320x240' --bundle {TINY_GREY} | head -n 3"
    outcome = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert outcome.stdout.count("\n") == 3
    assert "Traceback" not in outcome.stderr
    assert outcome.returncode == 0
