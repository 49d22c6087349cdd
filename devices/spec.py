"""Cameras and accelerators as users write them: `v4l2:/dev/video0?size=640x480&fps=30`, `rtsp://…`, `edgetpu:usb:0`.

    NAME[:TARGET][?KEY=VALUE&…]         rtsp://USER:PASSWORD@HOST/PATH[?…][#KEY=VALUE&…]

An RTSP address keeps its own "?"; our keys follow "#" there. Parsing opens nothing and reads no disk.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from dataclasses import dataclass, field
from typing import Any

from devices.errors import SpecError, one_line
from devices.registry import ACCELERATORS, CAMERAS, adapter, nearest

__all__ = ["Size", "Spec", "parse_accelerator", "parse_source", "without_password"]

_NAME = re.compile(r"(\w+)([:?]|$)")
_OPTIONS = re.compile(r"\w+=[^?]*")
_SECRET = re.compile(r"(?i)\b((?:pass|passwd|password|pwd|token|secret|auth|key)\w*=)[^&#\s]*")
_NUMBER = {int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Size:
    """Width and height in pixels, written "640x480"."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if not (16 <= self.width <= 8192 and 16 <= self.height <= 8192):
            raise ValueError(f"size {self}: expected sides of 16 to 8192 pixels")

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Spec:
    """A parsed camera or accelerator.

    Attributes:
        kind: its name in the registry.
        target: path, address or number; the adapter's default where none was written. May hold a password.
        options: the adapter's own frozen dataclass.
        text: as the user wrote it. May hold a password.
        shown: the same for messages and logs: passwords are masked.
    """

    kind: str
    target: str = field(repr=False)
    options: Any
    text: str = field(repr=False)
    shown: str

    def hide(self, message: str) -> str:
        """`message` without this spec's password: for text that comes from a library."""
        for secret in (self.text, self.target):
            if secret:
                message = message.replace(secret, self.shown)
        return without_password(message)


def parse_source(text: str) -> Spec:
    """A camera, a recording or an address.

    Raises:
        SpecError: an unknown name or key (the nearest right one is named), a missing target or a value that cannot be.
    """
    if text.lower().startswith(("rtsp://", "rtsps://")):
        target, mark, written = text.partition("#")
        return _spec(CAMERAS, "rtsp", target, written if mark else None, text, "camera")
    match = _NAME.match(text)
    kind, mark = (match[1], match[2]) if match else (text, "")
    if kind not in CAMERAS:
        raise SpecError(
            f"source {without_password(text)!r}", f"one of {', '.join(CAMERAS)}", _meant(kind, mark == ":", text)
        )
    target, options = _split(text[len(kind) + (mark == ":") :])
    return _spec(CAMERAS, kind, target, options, text, "source")


def parse_accelerator(text: str) -> Spec:
    """`cpu`, `cpu?threads=2`, `edgetpu`, `edgetpu:usb:0`, `edgetpu:pci:0`.

    Raises:
        SpecError: as `parse_source`.
    """
    place, mark, written = text.partition("?")
    kind, _, target = place.partition(":")
    return _spec(ACCELERATORS, kind, target, written if mark else None, text, "accelerator")


def without_password(text: str) -> str:
    """`text` with what stands between "user:" and "@" of an address masked, and values of keys such as "password"."""
    # From "://" to the last "@": a password may hold "/" and "@" itself, and too much masked is better than too little.
    masked = re.sub(r"(://[^:/@\s]*):[^\s]*@", r"\1:***@", text)
    return one_line(_SECRET.sub(r"\1***", masked))


def _meant(kind: str, colon: bool, text: str) -> str:
    shown = without_password(text)
    if kind.startswith("/dev/video"):
        return f"did you mean 'v4l2:{shown}'?"
    if not colon and text.isdigit():
        return f"did you mean 'v4l2:/dev/video{text}', or 'picamera2:{text}'?"
    if not colon and (kind.endswith("/") or "/" in kind or "." in kind):
        return f"did you mean 'file:{shown}', or 'folder:{shown}'?"
    return nearest(kind, CAMERAS)


def _split(rest: str) -> tuple[str, str | None]:
    """Target and options. A file's name may hold "?": options begin at the last one, if KEY=VALUE follows."""
    target, mark, options = rest.rpartition("?")
    if mark and (_OPTIONS.fullmatch(options) or not options):
        return target, options
    return rest, None


def _spec(table: dict[str, str], kind: str, target: str, written: str | None, text: str, what: str) -> Spec:
    cls = adapter(table, kind, what)
    shown = without_password(text)
    if not target:
        if cls.default_target is None:
            raise SpecError(f"{what} {shown!r} without a target", f"such as {cls.example}", f"write {kind}:…")
        target = cls.default_target
    if "\0" in target:
        raise SpecError(f"{what} {shown!r}: a null character", "a path or an address", "correct it")
    try:
        options = cls.Options(**_values(cls.Options, written, shown, what))
        check = getattr(cls, "check_target", None)
        target = check(target, options) if check else target
    except ValueError as error:
        raise SpecError(f"{what} {shown!r}: {error}", f"such as {cls.example}", "correct it") from None
    return Spec(kind, target, options, text, shown)


def _values(options: type[Any], written: str | None, shown: str, what: str) -> dict[str, Any]:
    hints = typing.get_type_hints(options)
    names = [item.name for item in dataclasses.fields(options)]
    values: dict[str, Any] = {}
    for pair in (written or "").split("&"):
        if not pair:
            continue
        key, mark, value = pair.partition("=")
        if key not in names:
            expected = f"one of {', '.join(names)}" if names else "no keys"
            mend = nearest(key, names) if names else "remove it"
            raise SpecError(f"{what} {shown!r}: no key {key!r}", expected, mend)
        if not mark or not value:
            raise SpecError(f"{what} {shown!r}: {key} without a value", f"{key}=VALUE", "give one, or remove the key")
        if key in values:
            raise SpecError(f"{what} {shown!r}: {key} twice", "each key once", "remove one")
        values[key] = _value(hints[key], key, value)
    return values


def _value(hint: Any, key: str, text: str) -> Any:
    """One value as its field's type. Raises ValueError."""
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)] or [hint]
    kind = kinds[0]
    if typing.get_origin(hint) is typing.Literal:
        if text not in kinds:
            raise ValueError(f"{key}={text}: expected one of {', '.join(kinds)}; {nearest(text, kinds)}")
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{key}={text}: expected true or false")
        return text == "true"
    if kind is Size:
        match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text)
        if match is None:
            raise ValueError(f"{key}={text}: expected WIDTHxHEIGHT, such as 640x480")
        return Size(int(match[1]), int(match[2]))
    if kind in _NUMBER:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"{key}={text}: expected {_NUMBER[kind]}")
        return number
    return text
