"""Cameras and Edge TPUs that are attached to this machine, and what is in the way of using them. Read when asked."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devices.child import Child
from devices.errors import CameraSetupError

__all__ = [
    "AttachedCamera",
    "AttachedTpu",
    "asked_in_a_child",
    "attached_tpus",
    "has_ribbon_camera",
    "ribbon_cameras",
    "video_cameras",
]

# Video devices of a Raspberry Pi that are no cameras for V4L2: codecs, image processors, and the receivers of the camera
# ribbon, which give raw sensor data to libcamera. Source: the drivers' names in Raspberry Pi's kernel.
_RECEIVERS = ("unicam", "rp1-cfe")
_NO_CAMERAS = ("bcm2835-codec", "bcm2835-isp", "rpi-hevc", "rpivid", "pispbe", "pisp_be", *_RECEIVERS)

# A USB accelerator shows the first id until a program has loaded its firmware, and the second from then on.
# Source: Coral's documentation and udev rules.
_TPU_USB_IDS = (("1a6e", "089a"), ("18d1", "9302"))


@dataclass(frozen=True)
class AttachedCamera:
    """A camera.

    Attributes:
        source: what to write as `--source`.
        name: as the device calls itself.
        trouble: what is in the way, or empty.
        mend: what to do about it.
    """

    source: str
    name: str
    trouble: str = ""
    mend: str = ""


@dataclass(frozen=True)
class AttachedTpu:
    """An Edge TPU.

    Attributes:
        kind: "usb" or "pci".
        place: the USB port ("1-1.2") or device ("/dev/apex_0").
        trouble, mend: as for cameras.
    """

    kind: str
    place: str
    trouble: str = ""
    mend: str = ""


def video_cameras(
    root: Path = Path("/"), probe: Callable[[Path], tuple[str, bool]] | None = None
) -> tuple[AttachedCamera, ...]:
    """V4L2 cameras: video devices that give pictures.

    Args:
        root: where /sys, /dev and /proc are; another folder for a made-up machine.
        probe: opens a device and tells its name and whether it captures, or raises OSError; another one for a made-up
            machine. Without one each device is opened in a child process, which is killed after three seconds.
    """
    from devices.cameras.v4l2 import holders

    found = []
    entries = sorted((root / "sys/class/video4linux").glob("video*"), key=lambda entry: (len(entry.name), entry.name))
    for entry in entries:
        name = _text(entry / "name")
        if name.startswith(_NO_CAMERAS):
            continue
        device = root / "dev" / entry.name
        source = f"v4l2:/dev/{entry.name}"
        try:
            shown, captures = (probe or asked_in_a_child)(device)
        except PermissionError:
            mend = "sudo usermod -aG video $USER, then log in again"
            found.append(AttachedCamera(source, name, "no permission: the user is not in the group video", mend))
            continue
        except OSError as error:
            busy = error.errno == errno.EBUSY
            mend = "end the program that holds it" if busy else "unplug it and plug it in again"
            found.append(AttachedCamera(source, name, error.strerror or str(error), mend))
            continue
        if captures:
            held = holders(device, root)
            trouble = f"process {', '.join(held)} holds it" if held else ""
            found.append(AttachedCamera(source, shown or name, trouble, "end that program" if held else ""))
    return tuple(found)


def asked_in_a_child(device: Path, timeout_s: float = 3.0) -> tuple[str, bool]:
    """A video device's own name and whether it gives pictures, from a process that may hang.

    Raises:
        OSError: it cannot be opened, or does not answer in time.
    """
    child = Child("devices.cameras.v4l2:tell_capabilities", {"device": str(device)})
    try:
        message = child.receive(timeout_s)
    except EOFError:
        message = {"errno": errno.EIO}
    finally:
        child.kill()
        child.gone(2.0)
    if message is None:
        raise TimeoutError(errno.ETIMEDOUT, f"no answer within {timeout_s:g} s")
    if "errno" in message:
        raise OSError(message["errno"], os.strerror(message["errno"]))
    return str(message["name"]), bool(message["captures"])


def has_ribbon_camera(root: Path = Path("/")) -> bool:
    """Whether the kernel has a receiver for a camera on the ribbon cable."""
    return any(_text(path).startswith(_RECEIVERS) for path in (root / "sys/class/video4linux").glob("video*/name"))


def ribbon_cameras(timeout_s: float = 10.0) -> tuple[AttachedCamera, ...]:
    """Cameras that libcamera sees, asked through picamera2 in a child process, which is killed after the time.

    Raises:
        CameraSetupError: picamera2 cannot be imported, or libcamera does not answer.
    """
    child = Child("devices.cameras.pi:list_cameras", {})
    try:
        until = time.monotonic() + timeout_s
        message = child.receive(until - time.monotonic())
    except EOFError:
        message = {"error": ["picamera2: its process ended", "a list of cameras", "try: rpicam-hello --list-cameras"]}
    finally:
        child.kill()
        child.gone(2.0)
    if message is None:
        message = {"error": [f"picamera2: no answer within {timeout_s:g} s", "a list", "restart the board"]}
    if "error" in message:
        raise CameraSetupError(*message["error"])
    return tuple(
        AttachedCamera(f"picamera2:{camera['number']}", f"{camera['model']} ({camera['id']})")
        for camera in message["cameras"]
        if "/usb" not in camera["id"]  # those are listed with the V4L2 ones
    )


def attached_tpus(root: Path = Path("/")) -> tuple[AttachedTpu, ...]:
    """Edge TPUs on USB and PCIe.

    Args:
        root: where /sys and /dev are; another folder for a made-up machine.
    """
    found = []
    for entry in sorted((root / "sys/bus/usb/devices").glob("*")):
        if (_text(entry / "idVendor"), _text(entry / "idProduct")) not in _TPU_USB_IDS:
            continue
        bus, number = _text(entry / "busnum"), _text(entry / "devnum")
        node = root / f"dev/bus/usb/{bus:0>3}/{number:0>3}"
        barred = node.exists() and not os.access(node, os.R_OK | os.W_OK)
        found.append(_tpu("usb", entry.name, barred, "plugdev"))
    for node in sorted((root / "dev").glob("apex_*")):
        found.append(_tpu("pci", f"/dev/{node.name}", not os.access(node, os.R_OK | os.W_OK), "apex"))
    return tuple(found)


def _tpu(kind: str, place: str, barred: bool, group: str) -> AttachedTpu:
    if not barred:
        return AttachedTpu(kind, place)
    return AttachedTpu(
        kind,
        place,
        f"no permission: the user is not in the group {group}",
        f"sudo usermod -aG {group} $USER, then log in again",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
