"""Promises of the names that users give to cameras and accelerators."""

import dataclasses

import pytest

from devices.errors import SpecError
from devices.registry import ACCELERATORS, CAMERAS, adapter
from devices.spec import Size, parse_accelerator, parse_source, without_password


@pytest.mark.parametrize("table", [CAMERAS, ACCELERATORS], ids=["cameras", "accelerators"])
def test_every_name_in_the_table_leads_to_a_class_whose_example_can_be_parsed(table):
    parse = parse_source if table is CAMERAS else parse_accelerator
    for name in table:
        cls = adapter(table, name, "thing")
        assert parse(cls.example).kind == name
        assert dataclasses.is_dataclass(cls.Options)


def test_targets_and_settings_are_read():
    spec = parse_source("v4l2:/dev/video2?size=1280x720&fps=25&format=YUYV")
    assert (spec.kind, spec.target) == ("v4l2", "/dev/video2")
    assert (spec.options.size, spec.options.fps, spec.options.format) == (Size(1280, 720), 25.0, "YUYV")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("picamera2", "0"),
        ("picamera2:1?lores=320x240", "1"),
        ("v4l2", "/dev/video0"),
        ("v4l2:2", "/dev/video2"),
        ("v4l2:/dev/v4l/by-id/usb-046d_C920-video-index0", "/dev/v4l/by-id/usb-046d_C920-video-index0"),
        ("file:clip.mp4", "clip.mp4"),
        ("file:why?.mp4?loop=true", "why?.mp4"),
        ("file:C:\\clip.mp4", "C:\\clip.mp4"),
        ("folder:pictures/?fps=2", "pictures/"),
        ("synthetic", ""),
        ("synthetic?fault=stall@3:2,die@4s", ""),
        ("synthetic?fps=0&fault=lost@/tmp/gone", ""),
        ("rtsp://cam/live?channel=1&subtype=0#transport=udp", "rtsp://cam/live?channel=1&subtype=0"),
    ],
)
def test_defaults_and_odd_targets(text, target):
    assert parse_source(text).target == target


@pytest.mark.parametrize(
    ("text", "device"), [("edgetpu", ""), ("edgetpu:usb:0", "usb:0"), ("edgetpu:pci", "pci"), ("edgetpu::1", ":1")]
)
def test_accelerators_are_read(text, device):
    assert parse_accelerator(text).target == device
    assert parse_accelerator("cpu?threads=2").options.threads == 2


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("picamra2", "did you mean 'picamera2'?"),
        ("webcam", "one of picamera2, v4l2"),
        ("/dev/video1", "did you mean 'v4l2:/dev/video1'?"),
        ("0", "did you mean 'v4l2:/dev/video0'"),
        ("clip.mp4", "did you mean 'file:clip.mp4'"),
        ("v4l2?sise=640x480", "did you mean 'size'?"),
        ("v4l2?size=640", "WIDTHxHEIGHT"),
        ("v4l2?size=8x8", "16 to 8192"),
        ("v4l2?fps=fast", "a number"),
        ("v4l2?fps=nan", "a number"),
        ("v4l2?fps=0", "1 to 1000"),
        ("v4l2?format=MJPEG", "did you mean 'MJPG'?"),
        ("v4l2?fps=30&fps=25", "each key once"),
        ("v4l2?fps=", "fps=VALUE"),
        ("v4l2:video0", "a path such as /dev/video0"),
        ("picamera2:front", "its number"),
        ("picamera2?lores=1280x720", "at most size"),
        ("file:", "such as file:"),
        ("folder", "such as folder:"),
        ("file:clip.mp4?loop=yes", "true or false"),
        ("rtsp://", "expected rtsp://HOST"),
        ("rtsp://host:port/", "expected rtsp://HOST"),
        ("synthetic?fault=explode@3", "KIND@FRAME"),
        ("synthetic?fps=0&fault=die@3", "a speed"),
        ("", "one of picamera2"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_nearest_right_name(text, hint):
    with pytest.raises(SpecError) as caught:
        parse_source(text)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("edgtpu", "did you mean 'edgetpu'?"),
        ("edgetpu:usb0", "usb:N"),
        ("edgetpu?performance=low", "edgetpu:usb:0?performance=low"),
        ("cpu?threads=0", "1 to 64"),
        ("cpu?thread=2", "did you mean 'threads'?"),
        ("cpu:0", "cpu?threads=N"),
    ],
)
def test_accelerators_that_cannot_be_read_are_refused(text, hint):
    with pytest.raises(SpecError) as caught:
        parse_accelerator(text)
    assert hint in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2", "p/w", "a@b", "a:b", "?&#x", "50%"])
def test_no_password_is_ever_shown(password):
    text = f"rtsp://admin:{password}@10.0.0.9:554/live"
    assert password not in without_password(text).replace("10.0.0.9:554/live", "")
    for wrong in (text + "#transport=tpc", text.replace("rtsp", "rstp"), text.replace(":554", ":port")):
        with pytest.raises(SpecError) as caught:
            parse_source(wrong)
        assert f":{password}@" not in str(caught.value)
    if password not in ("?&#x", "p/w"):
        spec = parse_source(text)
        assert spec.shown == "rtsp://admin:***@10.0.0.9:554/live"
        assert password not in repr(spec)
        assert password not in spec.hide(f"error opening {text}")


def test_keys_that_hold_a_secret_are_masked():
    assert without_password("rtsp://h/x?user=a&password=b&token=c") == "rtsp://h/x?user=a&password=***&token=***"
