"""The newest state and its faces as JSON."""

from __future__ import annotations

from typing import Any

from edge_runtime.geometry import Box
from edge_runtime.kiosk.newest import Shown
from edge_runtime.kiosk.vitals import Vitals

__all__ = ["box_as_json", "state_as_json"]


def state_as_json(shown: Shown, vitals: Vitals) -> dict[str, Any]:
    """What `GET /api/state` and each `state` of `/api/events` say."""
    state, frame = shown.seen.state, shown.seen.frame
    return {
        "number": shown.seen.number,
        "expression": state.expression,
        "faces": [
            {
                "track": face.track,
                "label": face.label,
                "score": round(face.score, 4),
                "reason": face.reason,
                "emotions": {name: round(value, 4) for name, value in face.emotions.items()},
                "box": None if face.box is None else box_as_json(face.box),
            }
            for face in state.faces
        ],
        "frame": None if frame is None else {"width": frame.image.shape[1], "height": frame.image.shape[0]},
        "frames_per_second": round(state.frames_per_second, 1),
        "temperature_c": vitals.temperature_c,
        "accelerator": state.accelerator,
        "camera": state.camera,
        "processed": state.processed,
        "dropped": state.dropped,
        "faults": vitals.faults(state),
    }


def box_as_json(box: Box) -> dict[str, float]:
    """In pixels of the frame."""
    return {name: round(getattr(box, name), 1) for name in ("left", "top", "right", "bottom")}
