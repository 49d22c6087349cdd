"""Promises of what doctor says about cameras and accelerators."""

import json
from dataclasses import replace

import pytest

from devices.attached import AttachedCamera, AttachedTpu
from devices.board import read_board
from devices.errors import CameraSetupError
from edge_runtime.commands import doctor
from tests.support import TINY_GREY, fer_edge

PC = replace(read_board(), model="A PC")
PI = replace(PC, model="Raspberry Pi 5 Model B Rev 1.0")


@pytest.fixture
def machine(monkeypatch):
    """A made-up machine: what is attached, and why picamera2 cannot be asked."""

    def make(cameras=(), ribbon=(), receiver=False, tpus=(), refusal=None):
        def ribbon_cameras():
            if refusal is not None:
                raise refusal
            return ribbon

        monkeypatch.setattr(doctor, "video_cameras", lambda: cameras)
        monkeypatch.setattr(doctor, "ribbon_cameras", ribbon_cameras)
        monkeypatch.setattr(doctor, "has_ribbon_camera", lambda: receiver)
        monkeypatch.setattr(doctor, "attached_tpus", lambda: tpus)

    return make


MISSING = CameraSetupError("picamera2: not installed", "it", "sudo apt install -y python3-picamera2")


def test_a_machine_without_camera_and_tpu_is_well_and_says_what_could_be_attached():
    outcome = fer_edge("doctor", "--json", "--bundle", TINY_GREY)
    findings = {finding["subject"]: finding for finding in json.loads(outcome.stdout)["findings"]}
    assert outcome.returncode == 0
    if "none found" in findings["camera"]["found"]:
        assert findings["camera"]["hint"]
        assert findings["camera"]["mend"] == ""
    assert "CPU" in findings["accelerator"]["found"] or findings["accelerator"]["found"].startswith("edgetpu")


def test_every_camera_is_listed_as_it_is_named_with_its_mend(machine):
    usb = AttachedCamera("v4l2:/dev/video0", "C920")
    held = AttachedCamera("v4l2:/dev/video2", "C270", "process 7 (motion) holds it", "end that program")
    machine(cameras=(usb, held), ribbon=(AttachedCamera("picamera2:0", "imx708"),))
    findings = doctor._cameras(PI)
    assert [finding.found for finding in findings] == [
        "v4l2:/dev/video0: C920",
        "v4l2:/dev/video2: C270, process 7 (motion) holds it",
        "picamera2:0: imx708",
    ]
    assert [finding.mend for finding in findings] == ["", "end that program", ""]


def test_a_missing_picamera2_is_a_problem_only_where_a_ribbon_camera_is_attached(machine):
    machine(cameras=(AttachedCamera("v4l2:/dev/video0", "C920"),), refusal=MISSING)
    usb, picamera2 = doctor._cameras(PI)
    assert usb.found.startswith("v4l2")
    assert picamera2.mend == ""
    assert picamera2.hint
    machine(receiver=True, refusal=MISSING)
    problem = doctor._cameras(PI)[0]
    assert "apt install -y python3-picamera2" in problem.mend


def test_edge_tpus_are_numbered_as_specs_name_them_and_their_library_is_looked_for(machine, monkeypatch):
    monkeypatch.setattr(doctor, "EDGETPU_LIBRARY", "libnothing.so.9")
    machine(
        tpus=(
            AttachedTpu("usb", "1-1"),
            AttachedTpu("usb", "1-2", "no permission", "usermod"),
            AttachedTpu("pci", "/dev/apex_0"),
        )
    )
    findings = doctor._accelerators()
    assert [finding.found.split(" at ")[0] for finding in findings[:3]] == [
        "edgetpu:usb:0",
        "edgetpu:usb:1",
        "edgetpu:pci:0",
    ]
    assert findings[1].mend == "usermod"
    assert "libedgetpu1-std" in findings[3].mend
