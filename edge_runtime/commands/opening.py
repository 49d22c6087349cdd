"""A recognizer or classifier from a command's options, with the defaults filled in."""

from __future__ import annotations

import argparse

from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.detectors import DEFAULT_DETECTOR, DETAIL_OF_PICTURES
from edge_runtime.members import DEFAULT_BUNDLE
from edge_runtime.pipeline import Recognizer, load
from edge_runtime.preprocess import NO_ALIGNMENT

__all__ = ["classifier_of", "recognizer_of"]


def recognizer_of(arguments: argparse.Namespace, detail: int = DETAIL_OF_PICTURES) -> Recognizer:
    """From --bundle, --detector, --threads, --align, and --detail or `detail`. Raises what `pipeline.load` raises."""
    return load(
        arguments.bundle or DEFAULT_BUNDLE,
        arguments.detector or DEFAULT_DETECTOR,
        arguments.threads,
        arguments.align or NO_ALIGNMENT,
        detail if arguments.detail is None else arguments.detail,
    )


def classifier_of(arguments: argparse.Namespace) -> Classifier:
    """From --bundle and --threads. Raises what `read_bundle` and `Classifier` raise."""
    return Classifier(read_bundle(arguments.bundle or DEFAULT_BUNDLE), arguments.threads)
