"""picamera2 without a Pi: its place is taken by a stand-in with the recorded signatures."""

import sys
import time
import types
from typing import ClassVar

import numpy as np
import pytest

from devices.cameras.pi import PiCamera, why_missing
from devices.errors import CameraError, CameraSetupError
from tests.devices.opening import opened


class StandIn:
    made: ClassVar[list] = []
    camera_controls: ClassVar[dict] = {"FrameDurationLimits": None, "AfMode": None, "Brightness": None}

    def __init__(self, camera_num=0):
        self.calls = []
        StandIn.made.append(self)

    @staticmethod
    def global_camera_info():
        return [{"Model": "imx708", "Id": "/base/soc/i2c0mux", "Num": 0}]

    def create_video_configuration(self, **options):
        self.options = options
        return options

    def configure(self, configuration):
        self.configuration = configuration

    def camera_configuration(self):
        return self.configuration

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")

    def capture_request(self):
        stand_in = self

        class Request:
            def make_array(self, name):
                if name == "main":
                    return np.full((480, 640, 3), (255, 0, 0), np.uint8)
                return np.full((240 * 3 // 2, 384), 128, np.uint8)  # rows padded from 320 to 384

            def get_metadata(self):
                return {"SensorTimestamp": time.monotonic_ns() - 20_000_000}

            def release(self):
                stand_in.calls.append("release")

        return Request()


@pytest.fixture
def picamera2(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=StandIn))
    transform = lambda hflip, vflip: (hflip, vflip)  # noqa: E731
    monkeypatch.setitem(sys.modules, "libcamera", types.SimpleNamespace(Transform=transform))
    StandIn.made = []


def test_the_boards_camera_is_set_up_and_gives_bgr_and_a_small_view(picamera2):
    with opened("picamera2?lores=320x240&fps=20&rotate=180&brightness=0.5") as camera:
        frame = camera.read()
    made = StandIn.made[0]
    assert made.options["main"] == {"size": (640, 480), "format": "RGB888"}
    assert made.options["lores"] == {"size": (320, 240), "format": "YUV420"}
    assert made.options["transform"] == (True, True)
    assert made.options["controls"] == {"FrameDurationLimits": (50_000, 50_000), "AfMode": 2, "Brightness": 0.5}
    assert (frame.image[0, 0] == (255, 0, 0)).all()
    assert frame.small.shape == (240, 320, 3)
    assert 0.015 < time.monotonic() - frame.time_s < 1
    assert made.calls == ["start", "release", "stop", "close"]


def test_a_board_without_that_camera_or_setting_says_so(picamera2):
    with pytest.raises(CameraError, match="not among the 1 cameras"):
        opened("picamera2:3")
    with pytest.raises(CameraSetupError, match="has no ExposureTime"):
        opened("picamera2?exposure_us=10000")
    assert StandIn.made[-1].calls == ["stop", "close"]


def test_a_missing_picamera2_names_the_package_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraSetupError, match=r"python3-picamera2|system-site-packages"):
        PiCamera()
    assert "apt install -y python3-picamera2" in why_missing(tmp_path)
    (tmp_path / "usr/lib/python3/dist-packages/picamera2").mkdir(parents=True)
    assert "--system-site-packages" in why_missing(tmp_path)
    assert "apt" not in why_missing(tmp_path)
