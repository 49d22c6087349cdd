"""`fer-edge selftest`: does the model answer here as where it was packed?"""

from __future__ import annotations

import argparse

from edge_runtime.commands.opening import classifier_of
from edge_runtime.detectors import open_detector
from edge_runtime.detectors.tflite import TFLiteDetector
from edge_runtime.errors import UsageError
from edge_runtime.golden import Verdict, check
from edge_runtime.interpreter import Network

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where it does, 1 where it does not, with the cause."""
    if arguments.detector is not None:
        if arguments.bundle is not None:
            raise UsageError("--bundle and --detector", "one of them", "test one after the other")
        return _detector(arguments.detector)
    classifier = classifier_of(arguments)
    return _say(check(classifier.bundle, classifier.model), classifier.bundle.name, classifier.model)


def _detector(spec: str) -> int:
    detector = open_detector(spec)
    if not isinstance(detector, TFLiteDetector):
        raise UsageError(
            f"--detector {spec}", "tflite:BUNDLE_DIR", "name a bundle: other detectors have no golden frames"
        )
    return _say(detector.selftest(), detector.bundle.name, detector.network)


def _say(verdict: Verdict, name: str, network: Network) -> int:
    word = "passed" if verdict.passed else "FAILED"
    package, version = network.implementation.package, network.implementation.version
    print(f"{word}: {verdict.message} (bundle {name}, {package} {version})")
    return 0 if verdict.passed else 1
