"""`fer-edge selftest`: do the models answer here as where they were packed?"""

from __future__ import annotations

import argparse

from edge_runtime.commands.opening import classifier_of
from edge_runtime.detectors import DEFAULT_DETECTOR, open_detector
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.errors import UsageError
from edge_runtime.golden import Verdict, check
from edge_runtime.interpreter import Network

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Of the bundle and the detector that are named, or of the default ones where neither is.

    Returns 0 where they do, 1 where one does not, with the cause.
    """
    codes = []
    if arguments.bundle is not None or arguments.detector is None:
        classifier = classifier_of(arguments)
        codes.append(_say(check(classifier.bundle, classifier.model), classifier.bundle.name, classifier.model))
    if arguments.detector is not None or arguments.bundle is None:
        codes.append(_detector(arguments.detector or DEFAULT_DETECTOR))
    return max(codes)


def _detector(spec: str) -> int:
    detector = open_detector(spec)
    if not isinstance(detector, TFLiteDetector):
        raise UsageError(
            f"--detector {spec}", "tflite or tflite:BUNDLE_DIR", "name a bundle: other detectors have no golden frames"
        )
    return _say(detector.selftest(), detector.bundle.name, detector.network)


def _say(verdict: Verdict, name: str, network: Network) -> int:
    word = "passed" if verdict.passed else "FAILED"
    package, version = network.implementation.package, network.implementation.version
    print(f"{word}: {verdict.message} (bundle {name}, {package} {version})")
    return 0 if verdict.passed else 1
