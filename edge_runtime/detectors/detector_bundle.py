"""A face detector's bundle: what its manifest says beyond what every bundle has.

kind        "face_detector"
input       {"width", "height", "channels"}: pixels uint8, BGR where there are three channels
strides     pixels between the cells of each level, such as [8, 16, 32]
threshold   the score from which a box is a face
second_look the mean score of two looks from which a box is a face, instead of `threshold`, where one look is not sure of it;
            without it there is no second look
overlap     above which the less certain of two boxes is dropped
framing     {"side", "scale", "right", "down"}: where a classifier's crop lies relative to its boxes

A bundle that looks twice may have the same net of half the width and height as a member, HALF, with golden answers of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_runtime.bundle import Bundle, read_bundle
from edge_runtime.errors import BundleError
from edge_runtime.members import COMMON_KEYS, FACE_DETECTOR, GOLDEN, MODEL, kind_of, read_members
from edge_runtime.preprocess import Framing

__all__ = ["HALF", "HALF_GOLDEN", "DetectorBundle", "DetectorFacts", "read_any_bundle", "read_detector_bundle"]

HALF, HALF_GOLDEN = "half.tflite", "half.npz"
_FACTS = ("input", "strides", "threshold", "overlap", "framing")


@dataclass(frozen=True)
class DetectorFacts:
    """What decoding needs to know; sizes and strides in pixels, threshold, overlap and second_look 0..1."""

    width: int
    height: int
    channels: int
    strides: tuple[int, ...]
    threshold: float
    overlap: float
    framing: Framing
    second_look: float | None = None

    def __post_init__(self) -> None:
        if not (32 <= self.width <= 2048 and 32 <= self.height <= 2048 and self.channels in (1, 3)):
            raise ValueError(f"input of {self.width} × {self.height} px with {self.channels} channels")
        if not self.strides or not all(2 <= stride <= 128 for stride in self.strides):
            raise ValueError(f"strides {self.strides}, but each is 2 to 128 px")
        if len(set(self.strides)) < len(self.strides):
            raise ValueError(f"strides {self.strides}, of which two are the same")
        if not (0 < self.threshold < 1 and 0 < self.overlap < 1):
            raise ValueError(f"threshold {self.threshold} and overlap {self.overlap}, which lie between 0 and 1")
        if self.second_look is not None and not 0 < self.second_look < 1:
            raise ValueError(f"second_look {self.second_look}, which lies between 0 and 1")

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> DetectorFacts:
        """Raises KeyError, TypeError or ValueError where the manifest says something else."""
        size = manifest["input"]
        width, height, channels = (_whole(size[key]) for key in ("width", "height", "channels"))
        if set(size) != {"width", "height", "channels"}:
            raise ValueError(f"input {size}")
        return cls(
            width,
            height,
            channels,
            tuple(_whole(stride) for stride in manifest["strides"]),
            float(manifest["threshold"]),
            float(manifest["overlap"]),
            Framing(**manifest["framing"]),
            None if manifest.get("second_look") is None else float(manifest["second_look"]),
        )

    def halved(self) -> DetectorFacts:
        """Of the same net with half the width and height. It looks once, and its faces begin where those of two looks do.

        Raises:
            ValueError: there is no second look, or half a side is no length that a net may have.
        """
        if self.second_look is None:
            raise ValueError("a net of half the size without second_look")
        if self.width % 2 or self.height % 2:
            raise ValueError(f"half of {self.width} × {self.height} px")
        half = replace(self, width=self.width // 2, height=self.height // 2)
        return replace(half, threshold=self.second_look, second_look=None)

    def as_table(self) -> dict[str, Any]:
        """The part of a manifest that `of` reads."""
        table: dict[str, Any] = {
            "input": {"width": self.width, "height": self.height, "channels": self.channels},
            "strides": list(self.strides),
            "threshold": self.threshold,
            "overlap": self.overlap,
            "framing": vars(self.framing),
        }
        if self.second_look is not None:
            table["second_look"] = self.second_look
        return table


@dataclass(frozen=True)
class DetectorBundle:
    """A verified detector's bundle in memory: names and bytes as in `edge_runtime.bundle.Bundle`.

    `half` is the same net with half the width and height, as a bundle with the same manifest, where there is one.
    """

    name: str
    sha256: str
    facts: DetectorFacts
    model: bytes
    golden: bytes
    manifest: Mapping[str, Any]
    half: DetectorBundle | None = None


def read_detector_bundle(name_or_path: str | Path) -> DetectorBundle:
    """Reads and verifies a face detector's bundle.

    Raises:
        BundleError: as `edge_runtime.bundle.read_bundle`, and where it is a classifier's.
    """
    read = read_members(name_or_path, FACE_DETECTOR, (*COMMON_KEYS, *_FACTS))
    contents = read.contents
    try:
        facts = DetectorFacts.of(read.manifest)
        half_facts = facts.halved() if HALF in contents else None
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{read.folder}: {error}", f"a manifest with {', '.join(_FACTS)} of a detector", "pack the bundle again"
        ) from error
    name, half = str(read.manifest["name"]), None
    if half_facts is not None:
        if HALF_GOLDEN not in contents:
            raise BundleError(f"{read.folder}: {HALF} without {HALF_GOLDEN}", "both", "pack the bundle again")
        half = DetectorBundle(name, read.sha256, half_facts, contents[HALF], contents[HALF_GOLDEN], read.manifest)
    return DetectorBundle(name, read.sha256, facts, contents[MODEL], contents[GOLDEN], read.manifest, half)


def read_any_bundle(name_or_path: str | Path) -> Bundle | DetectorBundle:
    """Reads and verifies a bundle of whatever kind it calls itself. Raises BundleError as the reader of that kind."""
    return read_detector_bundle(name_or_path) if kind_of(name_or_path) == FACE_DETECTOR else read_bundle(name_or_path)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} instead of a whole number")
    return value
