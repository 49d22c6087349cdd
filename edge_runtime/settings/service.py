"""Settings of the systemd service."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.settings.field import Settings, setting

__all__ = ["ServiceSettings"]


@dataclass(frozen=True)
class ServiceSettings(Settings):
    """How systemd runs fer-edge. Read by `fer-edge service install`."""

    title = "how systemd runs fer-edge; after a change: fer-edge service install again"

    watchdog_s: float = setting(
        30.0, "no result for so many seconds, and systemd restarts the service", low=4, high=3600
    )
    start_s: float = setting(90.0, "the first result must come within so many seconds", low=5, high=3600)
    restart_s: float = setting(2.0, "seconds before a restart", low=0.1, high=600)
    memory_mb: int = setting(400, "more memory than this, and the service is restarted", low=100, high=1000000)
    kiosk_url: str = setting("http://127.0.0.1:8080/", "the page that the kiosk browser opens")
