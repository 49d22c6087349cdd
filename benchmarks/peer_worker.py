"""One side of `benchmarks.peers`, in an environment of its own, where this checkout is not to be seen.

    python benchmarks/peer_worker.py fer-edge|fer-edge-live|fer-edge-tracking|fer|mediapipe VIDEO WARM_UP_FRAMES CPU [DETECTOR]

Reads the video to its end, frame by frame. Prints JSON lines: {"first": frame} at the first face, and at last the counts and
seconds of the frames after the warm-up. Everything is imported after the start, as in a user's program.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Work = Callable[[Any], int]
"""A BGR frame in, the number of its faces out."""


def main(name: str, video: str, warm_up: str, cpu: str, detector: str = "") -> None:
    os.sched_setaffinity(0, {int(cpu)})  # one thread each: whatever a library starts shares one processor
    import cv2

    cv2.setNumThreads(1)
    sides = {
        "fer-edge": _fer_edge,
        "fer-edge-live": _fer_edge_live,
        "fer-edge-tracking": _fer_edge_tracking,
        "fer": _fer,
        "mediapipe": _mediapipe,
    }
    work = sides[name](detector)
    capture = cv2.VideoCapture(video)
    read_s: list[float] = []
    work_s: list[float] = []
    with_faces: list[bool] = []
    first = True
    while True:
        began = time.perf_counter()
        there, frame = capture.read()
        middle = time.perf_counter()
        if not there:
            break
        faces = work(frame)
        ended = time.perf_counter()
        if faces and first:
            first = False
            print(json.dumps({"first": len(read_s)}), flush=True)
        read_s.append(middle - began)
        work_s.append(ended - middle)
        with_faces.append(faces > 0)
    cut = int(warm_up)
    print(
        json.dumps(
            {
                "frames": len(read_s[cut:]),
                "read_s": sum(read_s[cut:]),
                "work_s": sum(work_s[cut:]),
                "with_faces": sum(with_faces[cut:]),
            }
        )
    )


def _fer_edge(detector: str) -> Work:
    from edge_runtime.detectors import DEFAULT_DETECTOR
    from edge_runtime.pipeline import load

    recognizer = load(detector=detector or DEFAULT_DETECTOR, threads=1, detail=1)
    return lambda frame: len(recognizer(frame))


def _fer_edge_live(_: str) -> Work:
    """What `fer-edge run` does with a recording's frames, but for its records."""
    return _live({"detector.scan_every": 8})


def _fer_edge_tracking(_: str) -> Work:
    """The same, which looks for faces in every second frame. In the others they are where their tracks expect them."""
    return _live({"detector.scan_every": 8, "detector.every_frames": 2})


def _live(chosen: dict[str, int]) -> Work:
    from devices.base import Frame
    from edge_runtime.live.pipeline import open_pipeline
    from edge_runtime.settings.config import load_config

    pipeline = open_pipeline(load_config(flags=chosen).config)
    number = itertools.count()

    def work(image: Any) -> int:
        time_s = (seen := next(number)) / 30
        return len(pipeline.see(Frame(image, time_s, seen), time_s).faces)

    return work


def _fer(_: str) -> Work:
    from fer.fer import FER

    recognizer = FER(mtcnn=False)
    return lambda frame: len(recognizer.detect_emotions(frame))


def _mediapipe(_: str) -> Work:
    """Faces alone, no expressions: the near-range model, for faces within two metres, as its documentation has it."""
    import cv2
    import mediapipe

    detection = mediapipe.solutions.face_detection.FaceDetection(model_selection=0)
    return lambda frame: len(detection.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).detections or ())


if __name__ == "__main__":
    main(*sys.argv[1:])
