"""Promises of each camera, opened in this process."""

import os
import socket
import sys
import time
import types
from typing import ClassVar

import cv2
import numpy as np
import pytest

from devices.base import Opening
from devices.camera_child import flaw, is_black, open_camera
from devices.cameras.images import Images
from devices.cameras.pi import PiCamera, why_missing
from devices.cameras.synthetic import Synthetic, SyntheticOptions, number_in
from devices.cameras.v4l2 import V4l2, holders
from devices.errors import CameraError, CameraSetupError
from devices.spec import Size, parse_source
from tests.devices.rtsp_server import RtspServer


def opened(text, **opening):
    return open_camera(parse_source(text), Opening(epoch_s=time.monotonic(), **opening))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for value in range(6):
        writer.write(np.full((48, 64, 3), value * 40, np.uint8))
    writer.release()
    return path


def test_a_video_is_played_at_its_own_speed_or_as_fast_as_it_is_read(clip):
    with opened(f"file:{clip}") as fast:
        frames = list(fast)
        assert not fast.live
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 20 for n in range(6)], abs=0.01)
    began = time.monotonic()
    with opened(f"file:{clip}?pace=real") as paced:
        times = [frame.time_s for frame in paced]
        assert paced.live
    assert times[0] >= began
    assert times[-1] - times[0] == pytest.approx(5 / 20, abs=0.1)


def test_a_looped_video_begins_again_and_its_time_goes_on(clip):
    with opened(f"file:{clip}?loop=true") as video:
        frames = [video.read() for _ in range(14)]
    assert [frame.index for frame in frames] == list(range(14))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx([1 / 20] * 13, abs=0.01)
    assert abs(int(frames[6].image.mean()) - int(frames[0].image.mean())) <= 2


def test_a_folder_gives_its_pictures_by_name_and_passes_over_what_is_none(tmp_path):
    for name, value in (("b.png", 20), ("a.jpg", 10), ("c.PNG", 30)):
        cv2.imwrite(str(tmp_path / name), np.full((20 + value, 30, 3), value, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("no picture")
    with opened(f"folder:{tmp_path}") as folder:
        frames = list(folder)
        assert folder.unreadable == 1
    assert [frame.image.shape[0] for frame in frames] == [30, 40, 50]
    assert [frame.time_s for frame in frames] == [0, 1, 2]
    with opened(f"folder:{tmp_path}?loop=true&fps=200") as folder:
        assert folder.live
        assert [folder.read().image.shape[0] for _ in range(5)] == [30, 40, 50, 30, 40]


def test_a_folder_without_pictures_is_refused_and_one_without_readable_ones_too(tmp_path):
    with pytest.raises(CameraError, match="No such file"):
        Images(str(tmp_path / "none"))
    with pytest.raises(CameraError, match="no picture among 0"):
        Images(str(tmp_path))
    (tmp_path / "x.jpg").write_bytes(b"")
    for loop in ("false", "true"):
        with opened(f"folder:{tmp_path}?loop={loop}") as folder, pytest.raises(CameraError, match="none of 1"):
            folder.read()


def test_the_shipped_fake_moves_a_picture_and_numbers_every_frame():
    picture = np.full((40, 40, 3), (250, 0, 0), np.uint8)
    camera = Synthetic("", SyntheticOptions(size=Size(160, 120), fps=0), picture=picture)
    frames = [camera.read() for _ in range(200)]
    assert [number_in(frame.image) for frame in frames] == list(range(200))
    places = {int((frame.image[60, :, 0] == 250).argmax()) for frame in frames}
    assert len(places) > 20
    assert all((frame.image == (250, 0, 0)).all(axis=-1).sum() > 8000 for frame in frames)


def test_the_shipped_fake_ends_after_the_frames_that_were_asked_for():
    with opened("synthetic?size=64x48&fps=0&frames=5") as camera:
        assert [frame.index for frame in camera] == list(range(5))


def test_the_shipped_fakes_faults_come_when_they_should_and_pass():
    with opened("synthetic?size=160x120&fps=20&fault=torn@2:0.2,size@10:0.2,black@18:0.2,stall@26:0.4") as camera:
        frames = {}
        while max(frames, default=0) < 36:
            frame = camera.read()
            frames[camera._number] = frame
        flaws = {number: flaw(frame.image, (120, 160)) for number, frame in frames.items()}
    assert flaws[3] == "torn"
    assert flaws[11] == "of 80 × 60 pixels instead of 160 × 120"
    assert is_black(frames[19].image)
    assert {flaws[number] for number in flaws if number in (0, 8, 16, 24, 35)} == {""}
    assert not set(range(27, 33)) & set(frames), "nothing comes of what a stalled camera saw"


def test_a_torn_jpeg_as_the_decoder_gives_it_is_known_and_honest_pictures_are_not_refused():
    noise = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1]
    torn = cv2.imdecode(whole[: len(whole) // 2], cv2.IMREAD_COLOR)
    if torn is not None:  # what a USB camera's cut-off frame becomes
        assert flaw(torn, (120, 160)) == "torn"
    for honest in (noise, np.zeros_like(noise), np.full_like(noise, 255), np.full_like(noise, 127)):
        assert flaw(honest, (120, 160)) == ""


# V4L2 without a camera


def test_an_absent_camera_a_file_and_a_device_that_is_none_are_told_apart(tmp_path):
    with pytest.raises(CameraError, match=r"not there.*plug the camera in") as absent:
        V4l2("/dev/video99")
    assert not isinstance(absent.value, CameraSetupError)
    (tmp_path / "file").write_text("")
    with pytest.raises(CameraSetupError, match="no device"):
        V4l2(str(tmp_path / "file"))
    with pytest.raises(CameraSetupError, match="no video device"):
        V4l2("/dev/null")


def test_a_camera_without_permission_names_the_group(monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CameraSetupError, match="usermod -aG video"):
        V4l2("/dev/null")


def test_who_holds_a_device_is_named(tmp_path):
    for number, name, target in ((71, "motion", "/dev/video0"), (72, "bash", "/dev/null")):
        folder = tmp_path / f"proc/{number}/fd"
        folder.mkdir(parents=True)
        (folder / "3").symlink_to(target)
        (folder.parent / "comm").write_text(f"{name}\n")
    assert holders("/dev/video0", tmp_path) == ["71 (motion)"]


class Capture:
    """Stands where OpenCV's capture stands: a driver that gives 640 × 480 MJPG whatever is asked."""

    asked: ClassVar[dict] = {}

    def __init__(self, *arguments):
        self.values = {cv2.CAP_PROP_FRAME_WIDTH: 640, cv2.CAP_PROP_FRAME_HEIGHT: 480, cv2.CAP_PROP_FPS: 30}
        self.values[cv2.CAP_PROP_FOURCC] = cv2.VideoWriter.fourcc(*"MJPG")
        Capture.asked = {}

    def isOpened(self):  # noqa: N802
        return True

    def set(self, key, value):
        Capture.asked[key] = value

    def get(self, key):
        return self.values[key]

    def read(self):
        return True, np.zeros((480, 640, 3), np.uint8)

    def release(self):
        pass


def test_settings_reach_the_driver_and_what_it_does_not_take_is_said(monkeypatch):
    monkeypatch.setattr("devices.cameras.v4l2._look_at", lambda path: None)
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    with opened("v4l2?size=640x480&fps=30") as camera:
        assert (camera.width, camera.height, camera.fps) == (640, 480, 30)
        assert camera.read().image.shape == (480, 640, 3)
    assert Capture.asked[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert Capture.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    assert Capture.asked[cv2.CAP_PROP_FPS] == 30
    with pytest.raises(CameraSetupError, match="gives 640x480 instead of 1280x720"):
        opened("v4l2?size=1280x720")
    with pytest.raises(CameraSetupError, match="gives MJPG instead of YUYV"):
        opened("v4l2?format=YUYV")


# RTSP, from a server of our own


def test_a_network_camera_is_watched_with_its_password_over_tcp():
    with RtspServer(colour=(200, 40, 40)) as server, opened(server.url) as camera:
        frames = [camera.read() for _ in range(4)]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[0].image.shape == (96, 128, 3)
    assert abs(frames[3].image.reshape(-1, 3).mean(axis=0) - (200, 40, 40)).max() < 4
    assert "hunter2" not in camera.name


def test_a_wrong_password_is_refused_and_not_shown():
    with RtspServer() as server, pytest.raises(CameraError, match="user and password") as caught:
        opened(server.url.replace("hunter2", "letmein"))
    assert "letmein" not in str(caught.value)


def test_a_network_camera_that_falls_silent_is_given_up_in_time():
    with RtspServer() as server, opened(f"{server.url}#timeout_s=1") as camera:
        camera.read()
        server.sending.clear()
        began = time.monotonic()
        with pytest.raises(CameraError, match="broke off"):
            while True:
                camera.read()
        assert time.monotonic() - began < 6


def test_a_refused_and_a_silent_address_end_in_time_and_show_no_password():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(CameraError, match="no answer within") as caught:
            opened(f"rtsp://me:hunter2@127.0.0.1:{port}/live#timeout_s=1")
        assert time.monotonic() - began < 5
        assert "hunter2" not in str(caught.value)
    with pytest.raises(CameraError, match="refused") as caught:
        opened(f"rtsp://me:hunter2@127.0.0.1:{port}/live")
    assert "hunter2" not in str(caught.value)
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ


# picamera2 without a Pi: its place is taken by a stand-in with the recorded signatures


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
