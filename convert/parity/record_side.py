"""A side that answered elsewhere: the .npz that `fer-edge record` wrote on a Pi, a Coral or another workstation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.measured import Measured, read_measured
from convert.parity.answers import ModelFacts
from convert.parity.errors import SideError
from edge_runtime.archives import read_archive
from edge_runtime.preprocess import PREPROCESS_VERSION

__all__ = ["RecordSide", "open_record"]

_UNSTATED = "not stated"


@dataclass(frozen=True)
class RecordSide:
    """A record whose preprocessing is the one of this fer-edge.

    Attributes:
        name: in reports.
        measured: what was recorded.
        facts: of the model that answered.
    """

    name: str
    measured: Measured
    facts: ModelFacts

    @property
    def labels(self) -> tuple[str, ...]:
        return self.measured.names

    def check_faces(
        self, rows: NDArray[np.int64], labels: NDArray[np.int16], split: str, hashes: Collection[str]
    ) -> None:
        """Checks that the recorded faces are the ones that the other sides answer.

        Args:
            rows: int64 (N,) of the faces.
            labels: int16 (N,), in the record's own order of labels.
            split: of the faces.
            hashes: that the faces may have, one for each size in which pictures are read here.

        Raises:
            SideError: another data set, split, protocol or order.
        """
        measured = self.measured
        again = "record it again on the same data and split, or name the data that it was recorded on"
        if measured.split != split:
            raise SideError(f"{self.name}: recorded on the split {measured.split!r}", f"{split!r}", again)
        if measured.data_sha256 not in hashes:
            raise SideError(
                f"{self.name}: recorded on faces with the sha256 {measured.data_sha256[:16]}…",
                f"{' or '.join(f'{each[:16]}…' for each in sorted(hashes))}, those of --data and --split",
                again,
            )
        if not np.array_equal(measured.rows, rows):
            raise SideError(
                f"{self.name}: {len(measured.rows)} recorded rows, others than the {len(rows)} of the data",
                "the same rows in the same order",
                again,
            )
        if not np.array_equal(measured.labels, labels):
            differing = int((measured.labels != labels).sum())
            raise SideError(
                f"{self.name}: {differing} of {len(labels)} faces recorded with another label",
                "one labelling for all sides",
                "record with --labels ferplus:VOTES.csv where --votes is given here, and without where it is not",
            )


def open_record(path: Path, name: str) -> RecordSide:
    """Reads a record.

    Raises:
        ProvenanceError: no record, or a damaged one.
        SideError: recorded with another version of the preprocessing.
    """
    measured = read_measured(path)
    values = read_archive(path)
    preprocess = values.get("preprocess")
    if preprocess is None or str(preprocess) != str(PREPROCESS_VERSION):
        raise SideError(
            f"{name}: recorded with preprocessing version {'unknown' if preprocess is None else preprocess}"
            f" (bundle {measured.bundle_sha256[:16]}…)",
            f"{PREPROCESS_VERSION}, which this fer-edge has",
            "record it again with the fer-edge that the other sides are judged with",
        )
    environment = {"interpreter": measured.interpreter}
    if "machine" in values:
        environment["machine"] = str(values["machine"])
    try:
        facts = ModelFacts(
            measured.bundle_sha256,
            int(values["model_bytes"]) if "model_bytes" in values else None,
            str(values.get("arithmetic", _UNSTATED)),
            None,
            None,
            environment,
        )
    except (ValueError, TypeError) as error:
        raise SideError(f"{name}: {_one_line(error)}", "an .npz of `fer-edge record`", "record it again") from error
    return RecordSide(name, measured, facts)


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())
