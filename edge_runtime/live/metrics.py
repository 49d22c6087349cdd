"""What a running fer-edge counts, each under its name for Prometheus. docs/outputs.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from devices.process import peak_rss_mb
from edge_runtime.detectors.regions import SEARCHES
from edge_runtime.metrics import Registry
from edge_runtime.version import __version__

if TYPE_CHECKING:
    from edge_runtime.sinks.background import Delivery
    from edge_runtime.sinks.mqtt import Delivered

__all__ = ["LiveMetrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PROCESSED, DROPPED = "processed", "dropped"
NEWER, REFUSED = "newer", "refused"


class LiveMetrics:
    """The figures of one run; the live loop feeds them. Nothing in them belongs to a person.

    Args:
        bundle, bundle_sha256, detector: what answers, as labels of `fer_edge_info`.
    """

    def __init__(self, bundle: str = "", bundle_sha256: str = "", detector: str = "") -> None:
        self.registry = registry = Registry()
        self._info = registry.gauge(
            "fer_edge_info", "What answers; always 1.", ("version", "bundle", "bundle_sha256", "detector")
        )
        self.about(bundle, bundle_sha256, detector)
        self._frames = registry.counter(
            "fer_edge_frames_total", "Frames of the camera, by what became of them.", ("result",)
        )
        for result in (PROCESSED, DROPPED):
            self._frames.set(0, result)
        self._drops = registry.counter(
            "fer_edge_frames_dropped_total",
            "Dropped frames, by cause: newer (a newer one came) or refused.",
            ("cause",),
        )
        for cause in (NEWER, REFUSED):
            self._drops.set(0, cause)
        self._outages = registry.counter("fer_edge_camera_outages_total", "How often the camera was lost.")
        self._fallbacks = registry.counter(
            "fer_edge_accelerator_fallbacks_total", "Batches that the processor answered instead of the accelerator."
        )
        self._records = registry.counter("fer_edge_records_total", "Lines on standard output.", ("result",))
        self._faces = registry.gauge("fer_edge_faces", "Faces in the newest frame.")
        self._searches = registry.counter(
            "fer_edge_searches_total",
            "Processed frames by where faces were searched: whole, regions (about known faces) or none.",
            ("area",),
        )
        for area in SEARCHES:
            self._searches.set(0, area)
        self._left_out = registry.counter(
            "fer_edge_faces_left_out_total", "Faces that were found and not read, as a frame had too many."
        )
        self._changes = registry.counter("fer_edge_label_changes_total", "Labels shown anew, by label.", ("label",))
        self._stages = registry.histogram(
            "fer_edge_stage_seconds", "How long the stages of a frame took.", _SECONDS, ("stage",)
        )
        self._age = registry.histogram(
            "fer_edge_result_age_seconds", "From the frame's exposure to its result.", _SECONDS
        )
        self._degraded = registry.gauge("fer_edge_degraded", "1 for each part that is degraded now.", ("subject",))
        self._accelerator = registry.gauge("fer_edge_accelerator", "1 for what computes now.", ("name",))
        self._temperature = registry.gauge("fer_edge_temperature_celsius", "Of the board; NaN where it is not known.")
        self._temperature.set(float("nan"))
        self._memory = registry.gauge("fer_edge_peak_memory_bytes", "The most memory that this process held.")
        self._log = registry.counter(
            "fer_edge_log_events_total", "Events of the event log, by what became of them.", ("result",)
        )
        self._log_waiting = registry.gauge("fer_edge_log_events_waiting", "Events that the disk has not taken yet.")
        self._mqtt = registry.counter(
            "fer_edge_mqtt_events_total", "Events over MQTT, by what became of them.", ("result",)
        )
        self._mqtt_waiting = registry.gauge("fer_edge_mqtt_events_waiting", "Events that the broker has not taken yet.")
        self._mqtt_connected = registry.gauge("fer_edge_mqtt_connected", "1 while the broker is there.")

    def about(self, bundle: str, bundle_sha256: str, detector: str) -> None:
        """What answers from now on."""
        self._info.clear()
        self._info.set(1, __version__, bundle, bundle_sha256, detector)

    def frame(self, stages_s: Mapping[str, float], age_s: float, faces: int) -> None:
        """A frame that passed the whole pipeline: seconds of each stage, the result's age, how many faces."""
        self._frames.add(1, PROCESSED)
        for stage, took_s in stages_s.items():
            self._stages.observe(took_s, stage)
        self._age.observe(age_s)
        self._faces.set(faces)

    def search(self, area: str, left_out: int) -> None:
        """Where that frame was searched, one of `detectors.regions.SEARCHES`, and how many faces were left out of it."""
        self._searches.add(1, area)
        self._left_out.add(left_out)

    def drops(self, newer: int, refused: int) -> None:
        """All frames so far that a newer one replaced before they were looked at, and those that nobody should see."""
        self._frames.set(newer + refused, DROPPED)
        self._drops.set(newer, NEWER)
        self._drops.set(refused, REFUSED)

    def faults(self, outages: int, fallbacks: int) -> None:
        """So far: how often the camera was lost, and batches that the processor answered instead of the accelerator."""
        self._outages.set(outages)
        self._fallbacks.set(fallbacks)

    def records(self, written: int, lost: int) -> None:
        """Lines so far."""
        self._records.set(written, "written")
        self._records.set(lost, "lost")

    def results(self) -> tuple[int, float]:
        """How many results came so far, and the sum of their ages in seconds."""
        return self._age.total()

    def label_changed(self, label: str) -> None:
        self._changes.add(1, label)

    def status(self, faults: Mapping[str, str], accelerator: str, temperature_c: float | None = None) -> None:
        """What is degraded, what computes, and how warm it is."""
        self._degraded.clear()
        for subject in faults:
            self._degraded.set(1, subject)
        self._accelerator.clear()
        self._accelerator.set(1, accelerator)
        self._temperature.set(float("nan") if temperature_c is None else temperature_c)
        self._memory.set(peak_rss_mb() * 1e6)

    def deliveries(self, log: Delivery | None = None, mqtt: Delivered | None = None) -> None:
        """How events fared; None for an output that is off."""
        if log is not None:
            self._log.set(log.kept, "kept")
            self._log.set(log.lost, "lost")
            self._log_waiting.set(log.waiting)
        if mqtt is not None:
            self._mqtt.set(mqtt.sent, "sent")
            self._mqtt.set(mqtt.lost, "lost")
            self._mqtt_waiting.set(mqtt.waiting)
            self._mqtt_connected.set(mqtt.connected)
