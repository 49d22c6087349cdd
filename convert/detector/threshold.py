"""From which score a box is a face: a point on the curve that a run left of its held-out scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ProvenanceError

__all__ = ["CURVE", "MOST_FALSE", "OperatingPoint", "choose_point", "point_at", "read_curve"]

CURVE = "curve.json"
MOST_FALSE = 0.05
"""False faces a picture, where nobody says otherwise: one in twenty of the composed scenes, which are full of distractors."""

_KEYS = ("scores", "recall", "precision", "false_a_picture")


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, and what it gives on a run's held-out scenes; shares 0..1, false faces a picture."""

    threshold: float
    recall: float
    precision: float
    false_a_picture: float

    def as_table(self) -> dict[str, float]:
        """Without the threshold, which is a manifest's own key."""
        return {key: value for key, value in vars(self).items() if key != "threshold"}


def read_curve(run: Path) -> Mapping[str, Any]:
    """`curve.json` of a run folder: four lists of numbers, the surest score first; empty where nothing was found.

    Raises:
        ProvenanceError: missing or damaged.
    """
    path = run / CURVE
    mend = "name a finished run folder of `python -m train fit --recipe face_detector`, or give --threshold"
    try:
        table = json.loads(path.read_bytes())
        curve = {key: np.array(table[key], np.float64) for key in _KEYS}
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror}", "the curve of a finished run", mend) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ProvenanceError(f"{path}: no curve ({error})", f"lists of {', '.join(_KEYS)}", mend) from error
    lengths = {key: array.shape for key, array in curve.items()}
    if len(set(lengths.values())) != 1 or curve["scores"].ndim != 1:
        raise ProvenanceError(f"{path}: lists of unequal length ({lengths})", "a number in each for a score", mend)
    return curve


def choose_point(curve: Mapping[str, Any], most_false: float) -> OperatingPoint:
    """The lowest threshold with at most so many false faces a picture. Raises ProvenanceError where there is none that finds a face."""
    few = np.flatnonzero((curve["false_a_picture"] <= most_false) & (curve["recall"] > 0))
    if not len(few):
        raise ProvenanceError(
            f"{CURVE}: no threshold that finds a face and has at most {most_false:g} false faces a picture",
            "a detector that is surer of faces than of anything else",
            "train it longer, raise --false-faces, or give --threshold",
        )
    return _at(curve, int(few[-1]), float(curve["scores"][few[-1]]))


def point_at(curve: Mapping[str, Any], threshold: float) -> OperatingPoint:
    """What a threshold gives. Above the surest score nothing is found."""
    found = np.flatnonzero(curve["scores"] >= threshold)
    return _at(curve, int(found[-1]), threshold) if len(found) else OperatingPoint(threshold, 0.0, 1.0, 0.0)


def _at(curve: Mapping[str, Any], place: int, threshold: float) -> OperatingPoint:
    return OperatingPoint(threshold, *(float(curve[key][place]) for key in _KEYS[1:]))
