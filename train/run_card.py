"""The run card, `run.json`: what was trained on what, by which code, where, and with what result.

It names no host, no user and no absolute path, so that it can travel with the model.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.facesets import FaceSet
from edge_runtime.files import file_sha256
from edge_runtime.version import __version__
from train.errors import DataError
from train.files import write_json

__all__ = ["CARD", "CARD_VERSION", "Code", "DataFacts", "Hardware", "ResultFacts", "RunCard", "Versions", "read_card"]

CARD = "run.json"
MODEL = "model.keras"
CARD_VERSION = 1
_DEADLINE_S = 10.0


@dataclass(frozen=True)
class Code:
    """The commit of the checkout, and whether files differed from it; None where there is no git or no commit."""

    commit: str | None
    dirty: bool | None

    @classmethod
    def here(cls) -> Code:
        status = _git("status", "--porcelain")
        return cls(_git("rev-parse", "--verify", "HEAD"), None if status is None else bool(status))


@dataclass(frozen=True)
class Versions:
    """What did the arithmetic. `backend` is Keras' backend with its version."""

    fer_edge: str
    python: str
    keras: str
    backend: str
    numpy: str

    @classmethod
    def here(cls) -> Versions:
        import keras

        name = keras.backend.backend()
        packages = {"tensorflow": ("tensorflow_cpu", "tensorflow"), "torch": ("torch",), "jax": ("jax",)}
        found = next(filter(None, map(_version, packages.get(name, (name,)))), "unknown version")
        return cls(__version__, platform.python_version(), keras.__version__, f"{name} {found}", np.__version__)


@dataclass(frozen=True)
class Hardware:
    """The processor's name, the cores that this process may use, and the names of the GPUs that Keras sees."""

    processor: str
    cores: int
    gpus: tuple[str, ...]

    @classmethod
    def here(cls) -> Hardware:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
        return cls(_processor(), cores, _gpus())


@dataclass(frozen=True)
class DataFacts:
    """The faces: hashes, splits, and how many of each class; `left_out` rows or files could not be read."""

    sha256: str
    train_split: str
    training: Mapping[str, int]
    choosing_sha256: str
    choose_split: str
    choosing: Mapping[str, int]
    left_out: int

    @classmethod
    def of(cls, training: FaceSet, choosing: FaceSet, train_split: str, choose_split: str) -> DataFacts:
        return cls(
            training.sha256(),
            train_split,
            _counts(training),
            choosing.sha256(),
            choose_split,
            _counts(choosing),
            len(training.problems),
        )


@dataclass(frozen=True)
class ResultFacts:
    """What came out. Accuracies are those of the saved float32 model on the choosing split, shares from 0 to 1.

    `rounded_accuracy` is that of the same model with int8's rounding, as which the best epoch was chosen (its ranges are
    those of larger batches); None where the recipe rounds nothing. `steps_per_epoch` is None for whole epochs, and a number
    for a trial that is no result.
    """

    epochs: int
    best_epoch: int
    wall_s: float
    accuracy: float
    interval: tuple[float, float]
    repeated_from_training: int | None
    accuracy_without_repeated: float | None
    macro_f1: float
    parameters: int
    steps_per_epoch: int | None
    rounded_accuracy: float | None = None


@dataclass(frozen=True)
class RunCard:
    """Everything about one run; `recipe` and `model` are the recipe's own words.

    `distillation` says by whom a student was taught, and how; `unpacked` of which bundle a model was made, and how that was
    trained. Each is None, and not written, where it does not apply.
    """

    recipe: Mapping[str, Any]
    model: Mapping[str, Any]
    data: DataFacts
    result: ResultFacts
    code: Code
    versions: Versions
    hardware: Hardware
    distillation: Mapping[str, Any] | None = None
    unpacked: Mapping[str, Any] | None = None

    def write(self, path: Path) -> dict[str, Any]:
        """Writes the card as JSON, whole or not at all, and returns what it wrote.

        The temperature that `calibrate` folded into the model beside it is kept too, as long as the model is that one.
        A card of the same recipe and data that stands there keeps its code, versions and hardware: reports may be
        written anew by a later commit than the one that trained.
        """
        card = {"format": CARD_VERSION, **asdict(self)}
        for part in ("distillation", "unpacked"):
            if card[part] is None:
                del card[part]
        before = read_card(path)
        if before is not None and (before["recipe"], before["data"]["sha256"]) == (
            card["recipe"],
            card["data"]["sha256"],
        ):
            card |= {key: before[key] for key in ("code", "versions", "hardware")}
        calibration = before and before.get("calibration")
        if calibration:
            with contextlib.suppress(FileNotFoundError):
                if calibration["model_sha256"] == file_sha256(path.with_name(MODEL)):
                    card["calibration"] = calibration
        write_json(path, card)
        return card


def read_card(path: Path) -> dict[str, Any] | None:
    """A run card as plain JSON, or None where there is none.

    Raises:
        DataError: it is there and is no run card, or a newer one.
    """
    try:
        card = json.loads(path.read_bytes())
        if card["format"] != CARD_VERSION:
            raise DataError(
                f"{path}: format {card['format']!r}", f"format {CARD_VERSION}", "use the fer-edge that wrote it"
            )
        for key in ("recipe", "result", "code", "versions", "hardware"):
            card[key]
        card["model"]["label_set"], card["data"]["sha256"], card["data"]["train_split"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: no run card ({error})", "the run.json that fit wrote", "remove it and run fit again"
        ) from error
    return dict(card)


def _counts(faces: FaceSet) -> dict[str, int]:
    counts = np.bincount(faces.labels[faces.labels >= 0], minlength=len(faces.label_set))
    return dict(zip(faces.label_set.names, counts.tolist(), strict=True))


def _git(*words: str) -> str | None:
    here = Path(__file__).parent
    try:
        done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, timeout=_DEADLINE_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The name that Linux gives: "model name" on x86, "Model" (the board) on a Raspberry Pi."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return facts.get("model name") or facts.get("Model") or platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        return tuple(tf.config.experimental.get_device_details(device).get("device_name", "GPU") for device in devices)
    if backend == "torch":
        import torch

        return tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    if backend == "jax":
        import jax

        return tuple(str(device.device_kind) for device in jax.devices() if device.platform == "gpu")
    return ()
