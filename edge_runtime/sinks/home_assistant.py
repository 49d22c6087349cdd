"""Topics and messages: what fer-edge says over MQTT, and how it introduces itself to Home Assistant.

Home Assistant's MQTT integration: discovery by a retained `<prefix>/<component>/<node>/<object>/config`, availability by
`online` and `offline`, a state topic read through a template, attributes as a JSON object.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge_runtime.live.events import Event
from edge_runtime.live.smoothing import UNCERTAIN
from edge_runtime.live.state import NOBODY, LiveState
from edge_runtime.settings.outputs import MqttSettings
from edge_runtime.version import __version__

__all__ = ["OFFLINE", "ONLINE", "Message", "Topics", "discovery", "event_message", "state_messages"]

ONLINE, OFFLINE = b"online", b"offline"


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        topic: where.
        payload: what.
        retain: whether a new subscriber gets it at once.
        assured: delivered at least once (QoS 1), after a reconnection if need be. What describes a state is not: it is said
            anew on every connection, and a belated old state would overwrite it.
    """

    topic: str
    payload: bytes
    retain: bool = False
    assured: bool = False


@dataclass(frozen=True)
class Topics:
    """Where this device speaks."""

    device: str
    base: str
    discovery: str

    @classmethod
    def of(cls, settings: MqttSettings) -> Topics:
        device = settings.device or socket.gethostname().partition(".")[0] or "fer-edge"
        return cls(device, f"{settings.topic}/{device}", settings.discovery_topic)

    @property
    def availability(self) -> str:
        return f"{self.base}/availability"

    @property
    def state(self) -> str:
        return f"{self.base}/state"

    @property
    def attributes(self) -> str:
        return f"{self.base}/attributes"

    @property
    def event(self) -> str:
        return f"{self.base}/event"

    @property
    def birth(self) -> str:
        """Where Home Assistant says that it started."""
        return f"{self.discovery}/status"


def state_messages(topics: Topics, state: LiveState) -> tuple[Message, Message]:
    """The state, and the attributes behind it, both retained."""
    first = state.faces[0] if state.faces else None
    summary = {
        "expression": state.expression,
        "score": round(first.score, 2) if first else 0.0,
        "faces": len(state.faces),
        "frames_per_second": round(state.frames_per_second),
        "problem": "ON" if state.faults else "OFF",
    }
    attributes = {
        "people": [
            {
                "track": face.track,
                "label": face.label,
                "score": round(face.score, 2),
                "reason": face.reason,
                "emotions": {name: round(value, 2) for name, value in face.emotions.items()},
            }
            for face in state.faces
        ],
        "problems": dict(state.faults),
        "accelerator": state.accelerator,
    }
    return _retained(topics.state, summary), _retained(topics.attributes, attributes)


def event_message(topics: Topics, event: Event) -> Message:
    """One event; not retained, for it is over. `wall_s` says when it happened, however late it is delivered."""
    return Message(topics.event, _json({**event.as_dict(), "wall_s": round(event.wall_s, 3)}), assured=True)


def discovery(topics: Topics, labels: Sequence[str]) -> Iterator[Message]:
    """What introduces this device's entities: expression, faces, problem, frames per second."""
    node = re.sub(r"[^a-zA-Z0-9_-]", "_", f"fer-edge-{topics.device}")
    shared = {
        "state_topic": topics.state,
        "availability_topic": topics.availability,
        "device": {
            "identifiers": [node],
            "name": topics.device,
            "manufacturer": "fer-edge",
            "model": "facial expression recognition",
            "sw_version": __version__,
        },
        "origin": {"name": "fer-edge", "sw_version": __version__},
    }
    entities: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (
            "sensor",
            "expression",
            {
                "name": "Expression",
                "icon": "mdi:emoticon-outline",
                "device_class": "enum",
                "options": [*labels, UNCERTAIN, NOBODY],
                "json_attributes_topic": topics.attributes,
            },
        ),
        ("sensor", "faces", {"name": "Faces", "icon": "mdi:account-multiple", "state_class": "measurement"}),
        (
            "binary_sensor",
            "problem",
            {
                "name": "Problem",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "json_attributes_topic": topics.attributes,
            },
        ),
        (
            "sensor",
            "frames_per_second",
            {
                "name": "Frames per second",
                "icon": "mdi:speedometer",
                "state_class": "measurement",
                "entity_category": "diagnostic",
            },
        ),
    )
    for component, key, own in entities:
        entity = {"unique_id": f"{node}_{key}", "value_template": f"{{{{ value_json.{key} }}}}", **own, **shared}
        yield _retained(f"{topics.discovery}/{component}/{node}/{key}/config", entity)


def _retained(topic: str, content: dict[str, Any]) -> Message:
    return Message(topic, _json(content), retain=True)


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
