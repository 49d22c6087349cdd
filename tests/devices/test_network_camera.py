"""Promises of the network camera, from an RTSP server of our own."""

import os
import socket
import time

import pytest

from devices.errors import CameraError
from tests.devices.opening import opened
from tests.devices.rtsp_server import RtspServer


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
