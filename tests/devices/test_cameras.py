"""Promises of each camera, opened in this process."""

import os
import time
from typing import ClassVar

import cv2
import numpy as np
import pytest

from devices.camera_child import flaw, is_black
from devices.cameras.images import Images
from devices.cameras.synthetic import Synthetic, SyntheticOptions, number_in
from devices.cameras.v4l2 import V4l2, holders
from devices.errors import CameraError, CameraSetupError
from devices.spec import Size
from tests.devices.opening import opened


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
