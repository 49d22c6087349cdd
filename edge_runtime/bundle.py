"""A model bundle: a folder that carries a model with everything needed to use it rightly and to notice damage.

    model.tflite    the model; uint8 pixels in, probabilities out
    manifest.json   labels, input, preprocess version, size and sha256 of each member, provenance, licence, its own sha256
    golden.npz      made-up frames with the crops and outputs that they must give (`fer-edge selftest`)

`edge_runtime.members` reads and verifies the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import BundleError, LabelError, UsageError
from edge_runtime.illumination import NO_ILLUMINATION, check_illumination
from edge_runtime.labels import LabelSet
from edge_runtime.logits import read_place, softmax
from edge_runtime.members import CLASSIFIER, COMMON_KEYS, GOLDEN, MODEL, read_members

__all__ = ["Bundle", "InputFacts", "read_bundle"]

_REQUIRED = (*COMMON_KEYS, "labels", "label_set", "input")


@dataclass(frozen=True)
class InputFacts:
    """What the model reads: square crops of `size` px, 1 (grey) or 3 (BGR) channels, uint8, normalised by `illumination`.

    Raises UsageError where `illumination` is none of ILLUMINATIONS.
    """

    size: int
    channels: int
    illumination: str = NO_ILLUMINATION

    def __post_init__(self) -> None:
        check_illumination(self.illumination)
        if not (8 <= self.size <= 1024 and self.channels in (1, 3)):
            raise ValueError(f"input {self}: expected a size of 8 to 1024 px and 1 or 3 channels")

    def as_table(self) -> dict[str, Any]:
        """The manifest's `input`. Where nothing is normalised there is no such key, as before there were methods."""
        table = asdict(self)
        if self.illumination == NO_ILLUMINATION:
            del table["illumination"]
        return table


@dataclass(frozen=True)
class Bundle:
    """A verified bundle in memory.

    Attributes:
        name: the bundle's own name, such as "fer2013".
        sha256: of the manifest, which holds the hashes of the other members: one hash names the whole bundle.
        labels: names in the order of the model's output.
        input: the crop that the model reads.
        model: the bytes of `model.tflite`.
        program: what is run of it: the model itself, or one that answers its logits, where the manifest says where they are.
        golden: the bytes of `golden.npz`.
        manifest: everything else that the manifest says (training, calibration, parity, licence).
    """

    name: str
    sha256: str
    labels: LabelSet
    input: InputFacts
    model: bytes
    program: bytes
    golden: bytes
    manifest: Mapping[str, Any]

    def probabilities(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities, float32 (N, labels), of what `program` answered, as real numbers of that shape."""
        return answers if self.program is self.model else softmax(answers)


def read_bundle(name_or_path: str | Path) -> Bundle:
    """Reads and verifies a classifier's bundle, by the name of a shipped one or by its folder.

    Raises:
        BundleError: no such bundle; a member missing, extra, too large or changed; a newer format or preprocessing; a
            manifest that is not canonical or contradicts itself; a face detector's bundle.
    """
    read = read_members(name_or_path, CLASSIFIER, _REQUIRED)
    folder, manifest = read.folder, read.manifest
    try:
        names = manifest["labels"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TypeError(f"labels {names!r}")
        labels = LabelSet(str(manifest["label_set"]), tuple(names))
        facts = InputFacts(**manifest["input"])
        place = read_place(manifest)
        model = read.contents[MODEL]
        program = model if place is None else place.answering(model)
    except UsageError as error:
        raise BundleError(f"{folder}: {error.received}", error.expected, error.mend) from error
    except (TypeError, ValueError, LabelError) as error:
        raise BundleError(
            f"{folder}: {error}",
            "a manifest with labels and input as `fer-edge bundle show` prints them",
            "pack the bundle again",
        ) from error
    return Bundle(str(manifest["name"]), read.sha256, labels, facts, model, program, read.contents[GOLDEN], manifest)
