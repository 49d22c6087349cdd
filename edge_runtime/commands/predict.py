"""`fer-edge predict`: every face in pictures, folders and videos, as records and annotated copies."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from devices.cameras.video_file import VideoFile
from devices.errors import DeviceError
from edge_runtime.commands.opening import recognizer_of
from edge_runtime.detectors import MOST_FACES
from edge_runtime.errors import FerEdgeError, OutputError
from edge_runtime.face import Face
from edge_runtime.files import output_stream, partial_path
from edge_runtime.inputs import Input, find_inputs
from edge_runtime.pictures import read_picture
from edge_runtime.pipeline import Recognizer
from edge_runtime.records import Record, RunHeader
from edge_runtime.sinks import Sink, open_sink
from edge_runtime.sinks.annotate import AnnotatedVideo, write_annotated
from edge_runtime.tracker import Tracker

__all__ = ["run"]

INTERRUPTED = 130


@dataclass
class _Tally:
    """What the summary line counts."""

    pictures: int = 0
    videos: int = 0
    frames: int = 0
    faces: int = 0
    without_face: int = 0
    left_out: int = 0
    refused: int = 0
    labels: Counter[str] = field(default_factory=Counter)


def run(arguments: argparse.Namespace) -> int:
    """Returns 0, or 2 where an input was refused; the others are done all the same."""
    began = time.monotonic()
    recognizer = recognizer_of(arguments)
    findings = find_inputs(arguments.paths)
    inputs = list(findings.inputs)
    tally = _Tally()
    for problem in findings.problems:
        _refuse(problem, tally)
    header = RunHeader.of(
        recognizer.bundle, arguments.detector or recognizer.detector.name, recognizer.alignment, recognizer.detail
    )
    interrupted = False
    try:
        with output_stream(arguments.out) as stream, tqdm(inputs, unit="file", disable=None, leave=False) as bar:
            job = _Job(
                recognizer, open_sink(arguments.format, stream, header), _annotations(arguments.annotate, inputs), tally
            )
            for item in bar:
                try:
                    job.do(item)
                except (FerEdgeError, DeviceError) as error:
                    if isinstance(error, OutputError):
                        raise
                    _refuse(error, tally)
    except KeyboardInterrupt:
        interrupted = True
        kept = f"; what was found so far lies in {partial_path(arguments.out)}" if arguments.out else ""
        print(f"fer-edge: interrupted{kept}", file=sys.stderr)
    print(_summary(tally, recognizer, time.monotonic() - began), file=sys.stderr)
    if interrupted:
        return INTERRUPTED
    return 2 if tally.refused else 0


class _Job:
    """One run's way from an input to its records."""

    def __init__(self, recognizer: Recognizer, sink: Sink, annotations: dict[Path, Path], tally: _Tally) -> None:
        self._recognizer, self._sink, self._annotations, self._tally = recognizer, sink, annotations, tally

    def do(self, item: Input) -> None:
        if item.kind == "video":
            self._video(item.path)
        else:
            self._picture(item.path)

    def _picture(self, path: Path) -> None:
        image = read_picture(path)
        faces = self._recognizer(image)
        self._tally.pictures += 1
        self._write(path, 0, 0.0, faces)
        if path in self._annotations:
            write_annotated(self._annotations[path], image, faces)

    def _video(self, path: Path) -> None:
        tracker = Tracker()
        with VideoFile(path) as video, self._annotated_video(path, video.fps) as copy:
            counted = tqdm(video, total=video.frame_count, unit="frame", desc=path.name, disable=None, leave=False)
            started = False
            for frame in counted:
                if not started:
                    self._tally.videos, started = self._tally.videos + 1, True
                faces = tracker.update(self._recognizer(frame.image))
                self._tally.frames += 1
                self._write(path, frame.index, frame.time_s, faces)
                if copy is not None:
                    copy.write(frame.image, faces)

    @contextlib.contextmanager
    def _annotated_video(self, path: Path, fps: float | None) -> Iterator[AnnotatedVideo | None]:
        """The copy is kept as far as it got when the video breaks off: the records of those frames stand too."""
        if path not in self._annotations:
            yield None
            return
        copy = AnnotatedVideo(self._annotations[path], fps or 25.0)
        try:
            yield copy
        finally:
            copy.close()

    def _write(self, path: Path, frame: int, time_s: float, faces: list[Face]) -> None:
        if not faces:
            self._tally.without_face += 1
        left_out = self._recognizer.left_out
        self._tally.left_out += left_out
        for number, face in enumerate(faces):
            self._sink.write(Record(str(path), frame, time_s, number, face, left_out=left_out))
            self._tally.faces += 1
            self._tally.labels[face.label] += 1


def _refuse(problem: object, tally: _Tally) -> None:
    tally.refused += 1
    tqdm.write(f"fer-edge: {problem}", file=sys.stderr)


def _annotations(folder: Path | None, inputs: list[Input]) -> dict[Path, Path]:
    """Where the annotated copy of each input goes: its path below what all inputs share, so that no two collide."""
    if folder is None or not inputs:
        return {}
    shared = Path(os.path.commonpath([item.path.resolve().parent for item in inputs]))
    copies: dict[Path, Path] = {}
    taken: set[Path] = set()
    for item in inputs:
        below = item.path.resolve().relative_to(shared)
        suffix = ".mp4" if item.kind == "video" else ".jpg" if below.suffix.lower() in (".jpg", ".jpeg") else ".png"
        copy = folder / below.with_suffix(suffix)
        if copy in taken:
            copy = folder / below.with_name(below.name + suffix)
        taken.add(copy)
        if copy.resolve() == item.path.resolve():
            raise OutputError(
                f"--annotate {folder}: {copy} is an input", "another folder than the inputs'", "name a new folder"
            )
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"--annotate {folder}: {error.strerror}", "a folder that can be made", "check its permissions"
            ) from error
        copies[item.path] = copy
    return copies


def _summary(tally: _Tally, recognizer: Recognizer, took_s: float) -> str:
    seen = [f"{tally.pictures} picture{'s' * (tally.pictures != 1)}"]
    if tally.videos:
        seen.append(
            f"{tally.frames} frame{'s' * (tally.frames != 1)} of {tally.videos} video{'s' * (tally.videos != 1)}"
        )
    labels = ", ".join(f"{count} {label}" for label, count in tally.labels.most_common())
    bundle = recognizer.bundle
    left_out = f"{tally.left_out} more faces left out, of frames with over {MOST_FACES}; " if tally.left_out else ""
    return (
        f"{tally.faces} face{'s' * (tally.faces != 1)} in {' and '.join(seen)}{f' ({labels})' if labels else ''}; "
        f"{left_out}{tally.without_face} without a face, {tally.refused} refused; {took_s:.1f} s; "
        f"bundle {bundle.name} {bundle.sha256[:12]}, detector {recognizer.detector.name}"
    )
