"""`fer-edge selftest`: does the model answer here as where it was packed?"""

from __future__ import annotations

import argparse

from edge_runtime.commands.opening import classifier_of
from edge_runtime.golden import check

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 where it does, 1 where it does not, with the cause."""
    classifier = classifier_of(arguments)
    implementation = classifier.model.implementation
    verdict = check(classifier.bundle, classifier.model)
    word = "passed" if verdict.passed else "FAILED"
    print(
        f"{word}: {verdict.message} (bundle {classifier.bundle.name}, {implementation.package} {implementation.version})"
    )
    return 0 if verdict.passed else 1
