"""Where a detector's weights come from, and what was measured on its converted file: parts of a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convert.errors import ProvenanceError
from convert.training import CARD, check_run_model, check_travels, read_run_card
from edge_runtime.members import FACE_DETECTOR

__all__ = ["parity_table", "training_table"]

_KEPT = {
    "recipe": ("name", "sha256", "seed"),
    "model": ("architecture", "width", "height", "channels", "strides", "options"),
    "data": ("sha256", "negatives_sha256", "judged_scenes", "judged_faces", "judged_from_px"),
    "result": (
        "epochs",
        "best_epoch",
        "steps_per_epoch",
        "average_precision",
        "recall_at_one_false_a_picture",
        "landmark_error",
    ),
    "code": ("commit", "dirty"),
    "versions": ("fer_edge", "keras", "backend"),
}
"""What a bundle keeps of a run card; the rest stays with the run."""

REPORT = "report.json"


def training_table(run: Path, source_sha256: str) -> dict[str, Any]:
    """The training provenance for a manifest.

    Raises:
        ProvenanceError: no run card, an incomplete one, or one of another model.
    """
    path = run / CARD
    card = read_run_card(path, _KEPT, FACE_DETECTOR)
    check_run_model(run, source_sha256)
    table = {part: {key: card[part][key] for key in keys} for part, keys in _KEPT.items()}
    if card.get("unpacked") is not None:
        table["unpacked"] = card["unpacked"]
    check_travels(table, path)
    return table


def parity_table(report: Path, sha256: str) -> dict[str, Any]:
    """What `python -m convert parity` measured on the file that is packed.

    Args:
        report: the folder of its report.
        sha256: of the file.

    Raises:
        ProvenanceError: no report, another kind of report, or one without that file.
    """
    path = report / REPORT
    mend = "run `python -m convert parity` with this file as candidate and frames as --data"
    try:
        table = json.loads(path.read_bytes())
        kind, candidates, reference, data = (table[key] for key in ("kind", "candidates", "reference", "data"))
        own = next((each for each in candidates if each["side"]["model"]["sha256"] == sha256), None)
        if kind != FACE_DETECTOR or own is None:
            found = ", ".join(each["side"]["name"] for each in candidates)
            raise ProvenanceError(f"{path}: a {kind}'s report of {found}", f"one of sha256 {sha256[:12]}…", mend)
        sides = {"reference": reference, "own": own["side"]}
        return {
            "outcome": own["verdict"]["outcome"],
            "gate": table["gate"]["name"],
            "split": data["split"],
            "data_sha256": data["sha256"],
            "frames": data["frames"],
            "faces": data["faces"],
            "smallest_px": data["smallest_px"],
            **{
                name: {key: side[key] for key in ("average_precision", "landmark_error")}
                | {"arithmetic": side["model"]["arithmetic"]}
                for name, side in sides.items()
            },
        }
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror}", "the report of a parity run", mend) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ProvenanceError(
            f"{path}: no report of a detector ({error!r})", "the report of a parity run", mend
        ) from error
