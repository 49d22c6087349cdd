"""The camera of a live run, as the settings name it."""

from __future__ import annotations

from dataclasses import replace

import edge_runtime
from devices.backoff import Backoff
from devices.base import Deadlines
from devices.registry import CAMERAS, adapter
from devices.spec import parse_source
from devices.worker import CameraWorker
from edge_runtime.settings.config import Config

__all__ = ["open_source"]


def open_source(config: Config) -> CameraWorker:
    """The supervised camera that the settings name; the synthetic one shows the demo's portrait.

    Raises:
        SpecError: the spec cannot be read.
    """
    settings = config.source
    spec = parse_source(settings.spec)
    camera = adapter(CAMERAS, spec.kind, "camera")
    deadlines: Deadlines = camera.deadlines
    if camera.retries:  # a recording on a slow disk is no camera that stalls
        deadlines = replace(deadlines, read_s=settings.stall_after_s)
    return CameraWorker(
        spec,
        deadlines,
        picture=str(edge_runtime.DEMO_PICTURE),
        picture_reader="edge_runtime.pictures:read_picture",
        backoff=Backoff(settings.reconnect_first_s, settings.reconnect_most_s),
    )
