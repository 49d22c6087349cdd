"""What was measured on a bundle: outputs that `fer-edge record` wrote, summed up for the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.errors import ProvenanceError
from edge_runtime.archives import DamagedArchiveError, read_archive
from edge_runtime.intervals import accuracy_interval
from edge_runtime.labels import LabelSet

__all__ = ["Measured", "parity_table", "read_measured"]

RECORD_VERSION = 1
_KEYS = ("probabilities", "labels", "names", "rows", "bundle_sha256", "data_sha256", "split", "interpreter", "version")
_RECORD = "an .npz of `fer-edge record`"
_AGAIN = "record it again with `fer-edge record`"


@dataclass(frozen=True)
class Measured:
    """One record: probabilities float32 (N, L) for the faces `rows` of a data set, with their labels (-1: left out)."""

    path: Path
    probabilities: NDArray[np.float32]
    labels: NDArray[np.int16]
    rows: NDArray[np.int64]
    names: tuple[str, ...]
    split: str
    data_sha256: str
    bundle_sha256: str
    interpreter: str

    def __post_init__(self) -> None:
        count = len(self.probabilities)
        if self.probabilities.shape != (count, len(self.names)) or not count == len(self.labels) == len(self.rows):
            raise ValueError(f"probabilities of shape {self.probabilities.shape} for {len(self.labels)} faces")
        if not np.isfinite(self.probabilities).all():
            raise ValueError("probabilities that are no numbers")
        if not ((self.labels >= -1) & (self.labels < len(self.names))).all() or not (self.labels >= 0).any():
            raise ValueError(f"labels beyond -1 to {len(self.names) - 1}, or none that counts")

    def answers(self) -> NDArray[np.int64]:
        """The class that was answered for each face."""
        answers: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return answers


def read_measured(path: Path) -> Measured:
    """Reads an .npz of `fer-edge record`.

    Raises:
        ProvenanceError: missing, damaged, or of another kind or version.
    """
    try:
        archive = read_archive(path)
        values = {key: archive[key] for key in _KEYS}
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror or error}", _RECORD, _AGAIN) from error
    except (DamagedArchiveError, KeyError) as error:
        raise ProvenanceError(f"{path}: {_one_line(error)}", _RECORD, _AGAIN) from error
    texts = {key: str(values[key]) for key in ("split", "data_sha256", "bundle_sha256", "interpreter", "version")}
    if texts.pop("version") != str(RECORD_VERSION):
        raise ProvenanceError(f"{path}: record version {values['version']}", f"{RECORD_VERSION}", _AGAIN)
    try:
        names = tuple(str(name) for name in values["names"])
        return Measured(path, values["probabilities"], values["labels"], values["rows"], names, **texts)
    except (ValueError, TypeError) as error:
        raise ProvenanceError(f"{path}: {_one_line(error)}", _RECORD, _AGAIN) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def parity_table(records: Mapping[str, Measured], kind: str, labels: LabelSet, bundle_sha256: str) -> dict[str, Any]:
    """The parity summary for a manifest: accuracy of each kind on the same faces, and how often two kinds agree.

    Args:
        records: by kind, "int8" or "float32".
        kind: of the model that is packed; its record must be among them.
        labels: of the bundle.
        bundle_sha256: of this bundle without a parity summary, which is what was recorded.

    Raises:
        ProvenanceError: no record of the packed kind, one of another bundle, or records of different faces.
    """
    if kind not in records:
        raise ProvenanceError(
            f"records of {', '.join(records)} for an {kind} bundle", f"one of {kind}", f"add --record {kind}=FILE.npz"
        )
    own = records[kind]
    if own.bundle_sha256 != bundle_sha256:
        raise ProvenanceError(
            f"{own.path}: recorded with the bundle {own.bundle_sha256[:12]}…",
            f"{bundle_sha256[:12]}…, which this command makes without --record",
            "pack without --record, record with that bundle, then pack with the same options and --record",
        )
    for record in records.values():
        if record.names != labels.names:
            raise ProvenanceError(f"{record.path}: labels {', '.join(record.names)}", ", ".join(labels.names), _AGAIN)
        same = (
            record.data_sha256 == own.data_sha256
            and np.array_equal(record.labels, own.labels)
            and np.array_equal(record.rows, own.rows)
        )
        if not same:
            raise ProvenanceError(
                f"{record.path}: other faces than {own.path}", "the same faces in each record", _AGAIN
            )
    judged = own.labels >= 0
    table: dict[str, Any] = {
        "split": own.split,
        "data_sha256": own.data_sha256,
        "count": int(judged.sum()),
        "left_out": int((~judged).sum()),
        "accuracy": {name: _accuracy(record, judged) for name, record in records.items()},
    }
    if len(records) == 2:
        first, second = (record.answers()[judged] for record in records.values())
        table["agreement"] = round(float((first == second).mean()), 6)
    return table


def _accuracy(record: Measured, judged: NDArray[np.bool_]) -> dict[str, Any]:
    correct, count = int((record.answers() == record.labels)[judged].sum()), int(judged.sum())
    interval = accuracy_interval(correct, count)
    return {
        "share": round(correct / count, 6),
        "correct": correct,
        "interval": [round(interval.low, 6), round(interval.high, 6)],
        "interpreter": record.interpreter,
        "bundle_sha256": record.bundle_sha256,
    }
