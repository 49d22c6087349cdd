"""One frame of a live camera in, its people out: found or expected, who is who, how good to judge, and what is said of each.

    pipeline = open_pipeline(Config())
    pipeline.warm_up()
    seen = pipeline.see(frame, time_s)      # seconds that only go on: the camera's, or a recording's
    seen.faces[0].decision.label

It reads no clock but to time its stages, knows no camera and no output, and holds nothing of a face that is gone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from devices.base import Frame
from devices.engine import EngineDeadlines, EngineState, SupervisedEngine
from devices.spec import parse_accelerator
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import Detection, Detector, bounded, open_detector
from edge_runtime.detectors.regions import NOWHERE, RegionSearch
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.live.quality import Quality, assess
from edge_runtime.live.smoothing import Decider, Decision
from edge_runtime.live.tracker import LiveTracker, Tracked
from edge_runtime.preprocess import cut_face
from edge_runtime.settings.config import Config

__all__ = ["STAGES", "LiveFace", "LivePipeline", "Sight", "open_pipeline"]

STAGES = ("detect", "track", "crop", "classify", "decide")

_WARM_FACES = (1, 2)
_LOADER = "edge_runtime.interpreter:load_engine"


@dataclass(frozen=True)
class LiveFace:
    """A face of one frame.

    Attributes:
        tracked: where it is, and whose it is.
        detector_score: of the detection that found it, or found it last.
        probabilities: float32 (labels,), what the model said of this frame alone.
        quality: what was measured, and why this frame does not count.
        decision: what stands of this track after this frame.
    """

    tracked: Tracked
    detector_score: float
    probabilities: NDArray[np.float32]
    quality: Quality
    decision: Decision

    @property
    def box(self) -> Box:
        return self.tracked.box

    @property
    def detected(self) -> bool:
        """Whether the detector found it in this very frame; otherwise it is where it was going."""
        return self.tracked.unseen_s == 0


@dataclass(frozen=True)
class Sight:
    """What one frame came to.

    Attributes:
        faces: all of them, largest first.
        ended: numbers of the tracks that ended before it.
        left_out: faces that were found and not looked at, as there were more than `detectors.MOST_FACES`.
        searched: where the detector looked, one of `detectors.regions.SEARCHES`: "whole", "regions" or "none".
        stages_s: seconds of each of `STAGES`.
    """

    faces: tuple[LiveFace, ...]
    ended: tuple[int, ...]
    stages_s: Mapping[str, float]
    left_out: int = 0
    searched: str = NOWHERE


class LivePipeline:
    """Holds a detector, a model, the tracks and what is said of them. One thread at a time, but for `interrupt`.

    Args:
        classifier: crops to probabilities.
        detector: frame to boxes.
        config: of detection, tracking, quality and smoothing.
        engine: the accelerator that the classifier runs on; None for the processor. It is closed here.
        close_up: finds the faces of close-ups; None for `detector` itself.

    Raises:
        DetectorError: `close_up` frames faces otherwise.
    """

    def __init__(
        self,
        classifier: Classifier,
        detector: Detector,
        config: Config,
        engine: SupervisedEngine | None = None,
        close_up: Detector | None = None,
    ) -> None:
        self.classifier, self.detector = classifier, detector
        self._config, self._engine = config, engine
        self._tracker = LiveTracker(config.tracking)
        self._decider = Decider(classifier.labels.names, config.smoothing)
        self._frames_since_detection = config.detector.every_frames
        self._search = RegionSearch(detector, close_up, config.detector.scan_every)
        self._left_out = 0
        self._found: dict[int, _Found] = {}  # the tracks of the last detection

    @property
    def accelerator(self) -> EngineState:
        """Where the model runs now, and why there. Any thread may look."""
        return EngineState("cpu", "cpu") if self._engine is None else self._engine.state

    def warm_up(self) -> None:
        """Runs everything once on nothing: kernels are chosen, memory is touched and an accelerator loads its model."""
        facts = self.classifier.bundle.input
        self.detector.detect(np.zeros((480, 640, 3), np.uint8))
        if self._config.detector.scan_every > 1:
            self._search.close_up.detect(np.zeros((160, 160, 3), np.uint8))
        for faces in _WARM_FACES:
            self.classifier.classify([np.zeros((facts.size, facts.size, facts.channels), np.uint8)] * faces)

    def see(self, frame: Frame, time_s: float) -> Sight:
        """Takes in one frame.

        Args:
            time_s: of the frame, on a clock that only goes on.
        """
        clock = time.perf_counter
        marks = [clock()]
        self._frames_since_detection += 1
        detecting = self._frames_since_detection >= self._config.detector.every_frames
        detections = self._detect(frame, time_s) if detecting else []
        marks.append(clock())
        if detecting:
            self._frames_since_detection = 0
            tracking = self._tracker.update([found.box for found in detections], time_s)
            tracked, ended = tracking.faces, tracking.ended
            self._found = {
                face.track: _Found(found.score, found.box, found.landmarks)
                for face, found in zip(tracked, detections, strict=True)
            }
            self._decider.forget(ended)
        else:
            tracked, ended = tuple(self._expected(frame, time_s)), ()
        landmarks = [self._found[face.track].landmarks_at(face.box) for face in tracked]
        marks.append(clock())
        facts, framing = self.classifier.bundle.input, self.detector.framing
        alignment = self._config.detector.alignment
        crops = [
            cut_face(frame.image, face.box, points, framing, facts.size, facts.channels, alignment)
            for face, points in zip(tracked, landmarks, strict=True)
        ]
        marks.append(clock())
        answers = self.classifier.classify(crops)
        marks.append(clock())
        faces = [
            self._judge(face, crop, points, answer, time_s)
            for face, crop, points, answer in zip(tracked, crops, landmarks, answers, strict=True)
        ]
        faces.sort(key=lambda face: -face.box.area)
        marks.append(clock())
        stages_s = {stage: after - before for stage, before, after in zip(STAGES, marks[:-1], marks[1:], strict=True)}
        searched = self._search.searched if detecting else NOWHERE
        return Sight(tuple(faces), ended, stages_s, self._left_out, searched)

    def forget(self) -> tuple[int, ...]:
        """Ends every track and says which: the camera is lost, or the run is over."""
        ended = self._tracker.close()
        self._decider.forget(ended)
        self._found, self._left_out = {}, 0
        self._frames_since_detection = self._config.detector.every_frames
        return ended

    def interrupt(self) -> None:
        """Ends a wait for the accelerator, from any thread."""
        if self._engine is not None:
            self._engine.interrupt()

    def close(self) -> None:
        """Gives the accelerator back. May be called twice."""
        if self._engine is not None:
            self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _detect(self, frame: Frame, time_s: float) -> list[Detection]:
        """In the picture that the camera's hardware made smaller, where there is one; close-ups come from the large one."""
        known = [face.box for face in self._tracker.expected(time_s)] if self._search.scan_every > 1 else []
        found, self._left_out = bounded(self._search, self._search.find(frame.image, known, frame.small))
        return found

    def _expected(self, frame: Frame, time_s: float) -> list[Tracked]:
        """The faces of the last detection, where they were going; those that have left the picture are left out."""
        height, width = frame.image.shape[:2]
        faces = [face for face in self._tracker.expected(time_s) if face.track in self._found]
        return [face for face in faces if 0 <= face.box.center[0] < width and 0 <= face.box.center[1] < height]

    def _judge(
        self,
        face: Tracked,
        crop: NDArray[np.uint8],
        landmarks: Landmarks | None,
        answer: NDArray[np.float32],
        time_s: float,
    ) -> LiveFace:
        quality = assess(crop, face.box, landmarks, self._config.quality)
        decision = self._decider.decide(face.track, answer, time_s, quality)
        return LiveFace(face, self._found[face.track].score, answer, quality, decision)


@dataclass(frozen=True)
class _Found:
    """What the last detection said of a track."""

    score: float
    box: Box
    landmarks: Landmarks | None

    def landmarks_at(self, box: Box) -> Landmarks | None:
        """The landmarks where the face is now, moved and scaled as its box was."""
        if self.landmarks is None or box == self.box:
            return self.landmarks
        (x, y), (there_x, there_y) = self.box.center, box.center
        right, down = box.width / self.box.width, box.height / self.box.height
        pairs = (
            (there_x + (point_x - x) * right, there_y + (point_y - y) * down)
            for point_x, point_y in self.landmarks.as_tuple()
        )
        return Landmarks(*pairs)


def open_pipeline(config: Config, detector: Detector | None = None) -> LivePipeline:
    """The pipeline that the settings name.

    Args:
        detector: instead of the ones that the settings name.

    Raises:
        BundleError, DetectorError, InterpreterError, SpecError: with what to do about it.
    """
    bundle = read_bundle(config.model.bundle)
    close_up = None
    if detector is None:
        detector = open_detector(config.detector.spec, config.detector.detail)
        if config.detector.close_up and config.detector.scan_every > 1:
            close_up = open_detector(config.detector.close_up)
    spec = parse_accelerator(config.accelerator.spec)
    threads = config.model.threads
    if spec.kind == "cpu":
        threads = max(threads, spec.options.threads)
        return LivePipeline(Classifier(bundle, threads), detector, config, close_up=close_up)
    engine = SupervisedEngine(
        spec,
        bundle.program,
        _LOADER,
        threads=threads,
        deadlines=replace(EngineDeadlines(), run_s=config.accelerator.deadline_s),
        most_failures=config.accelerator.failures_before_cpu,
    )
    try:
        return LivePipeline(Classifier(bundle, threads, engine), detector, config, engine, close_up)
    except BaseException:
        engine.close()
        raise
