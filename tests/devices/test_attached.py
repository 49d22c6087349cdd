"""Promises of the lists of attached cameras and Edge TPUs, read from made-up trees."""

import errno
import os
from pathlib import Path

import pytest

from devices.accelerators.edgetpu import EdgeTpu
from devices.attached import (
    AttachedTpu,
    asked_in_a_child,
    attached_tpus,
    has_ribbon_camera,
    ribbon_cameras,
    video_cameras,
)
from devices.errors import CameraSetupError


def video(root, number, name):
    folder = root / f"sys/class/video4linux/video{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")


def usb(root, port, vendor, product, bus=1, number=4):
    folder = root / f"sys/bus/usb/devices/{port}"
    folder.mkdir(parents=True)
    for key, value in (("idVendor", vendor), ("idProduct", product), ("busnum", bus), ("devnum", number)):
        (folder / key).write_text(f"{value}\n")


def probe(path):
    answers = {
        "video0": ("HD Pro Webcam C920", True),
        "video1": ("HD Pro Webcam C920", False),
        "video2": PermissionError(errno.EACCES, "Permission denied"),
        "video10": OSError(errno.EBUSY, "Device or resource busy"),
    }
    answer = answers[path.name]
    if isinstance(answer, OSError):
        raise answer
    return answer


def test_usb_cameras_are_listed_in_order_with_what_is_in_the_way(tmp_path):
    for number, name in ((10, "Grabber"), (0, "C920"), (1, "C920"), (2, "Other"), (20, "bcm2835-isp-capture0")):
        video(tmp_path, number, name)
    cameras = video_cameras(tmp_path, probe)
    assert [camera.source for camera in cameras] == ["v4l2:/dev/video0", "v4l2:/dev/video2", "v4l2:/dev/video10"]
    assert [bool(camera.mend) for camera in cameras] == [False, True, True]
    assert "usermod -aG video" in cameras[1].mend
    assert "end the program" in cameras[2].mend


def test_a_device_is_asked_in_a_process_of_its_own_and_one_that_hangs_is_not_waited_for(tmp_path):
    with pytest.raises(FileNotFoundError):
        asked_in_a_child(tmp_path / "video0", 60)
    with pytest.raises(OSError, match="ioctl"):
        asked_in_a_child(Path("/dev/null"), 60)
    with pytest.raises(TimeoutError, match="no answer within 0 s"):
        asked_in_a_child(Path("/dev/null"), 0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_camera_that_another_process_holds_names_it(tmp_path):
    video(tmp_path, 0, "C920")
    folder = tmp_path / "proc/71/fd"
    folder.mkdir(parents=True)
    (folder / "3").symlink_to(tmp_path / "dev/video0")
    (folder.parent / "comm").write_text("motion\n")
    (camera,) = video_cameras(tmp_path, probe)
    assert camera.trouble == "process 71 (motion) holds it"


def test_the_ribbons_receiver_is_no_camera_of_its_own(tmp_path):
    assert not has_ribbon_camera(tmp_path)
    video(tmp_path, 0, "unicam-image")
    assert has_ribbon_camera(tmp_path)
    assert video_cameras(tmp_path, probe) == ()


def test_nothing_attached_gives_empty_lists(tmp_path):
    assert video_cameras(tmp_path, probe) == attached_tpus(tmp_path) == ()


def test_ribbon_cameras_without_picamera2_give_its_mend():
    with pytest.raises(CameraSetupError, match="picamera2") as caught:
        ribbon_cameras()
    assert "python3-picamera2" in str(caught.value) or "system-site-packages" in str(caught.value)


def test_edge_tpus_are_found_on_usb_before_and_after_their_first_use_and_on_pcie(tmp_path):
    usb(tmp_path, "1-1", "046d", "082d")
    usb(tmp_path, "1-2", "1a6e", "089a")
    usb(tmp_path, "2-1", "18d1", "9302")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").write_text("")
    assert attached_tpus(tmp_path) == (
        AttachedTpu("usb", "1-2"),
        AttachedTpu("usb", "2-1"),
        AttachedTpu("pci", "/dev/apex_0"),
    )


@pytest.mark.parametrize(
    ("target", "there"), [("", True), ("usb", True), ("usb:0", True), ("usb:1", False), ("pci", False), (":1", False)]
)
def test_an_edge_tpu_is_present_when_its_number_is_attached(tmp_path, target, there):
    usb(tmp_path, "1-2", "18d1", "9302")
    assert EdgeTpu(target, root=tmp_path).present(0) is there
