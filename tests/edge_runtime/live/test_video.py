"""Promises of the video of a live run: as long as the run was, whole, and ended in time where the disk becomes full."""

import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge_runtime.sinks.live_video import LEAST_FREE_BYTES, LiveVideo

IMAGE = np.zeros((48, 64, 3), np.uint8)


def frames_of(path):
    video = cv2.VideoCapture(str(path))
    count = 0
    while video.read()[0]:
        count += 1
    return count


def test_irregular_results_become_a_video_as_long_as_the_run(tmp_path):
    video = LiveVideo(tmp_path / "seen.mp4")
    for time_s in (100.0, 100.3, 100.31, 101.0, 102.0):
        video.write(IMAGE, [], time_s, None)
    video.close()
    assert frames_of(tmp_path / "seen.mp4") == 31  # two seconds at 15 frames/s, and the last picture
    assert [path.name for path in tmp_path.iterdir()] == ["seen.mp4"]


def test_an_outage_of_an_hour_does_not_fill_the_disk(tmp_path):
    video = LiveVideo(tmp_path / "seen.mp4")
    video.write(IMAGE, [], 0.0, None)
    video.write(IMAGE, [], 3600.0, None)
    video.close()
    assert frames_of(tmp_path / "seen.mp4") <= 151


def test_a_disk_that_becomes_full_ends_the_video_whole_and_says_so(tmp_path, monkeypatch):
    free = [10 * LEAST_FREE_BYTES]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    video = LiveVideo(tmp_path / "seen.mp4")
    for index in range(60):
        if index == 20:
            free[0] = LEAST_FREE_BYTES - 1
        video.write(IMAGE, [], float(index), 1.0)
    assert "nearly full" in video.problem
    assert frames_of(tmp_path / "seen.mp4") == 50
    video.close()
    with pytest.raises(FileNotFoundError):
        (tmp_path / "seen.partial.mp4").stat()
