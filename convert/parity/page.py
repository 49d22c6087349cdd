"""The page of a parity run, `parity.html`: one file for people, with its verdict, measures and flipped faces.

    write_page(Path("report"), result, task.faces, reference_answers, candidate_answers)

It holds faces of the data set: do not pass it on where the data's licence does not let them travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.parity.answers import Answers
from convert.parity.errors import ParityError
from convert.parity.page_cost import candidate_cost, made_by
from convert.parity.page_faces import FEWEST, MOST, flipped_faces
from convert.parity.page_head import causes, head
from convert.parity.page_measures import accuracies, classes, confidence, confusions, gate_lines, signal_bars
from convert.parity.result import Judged, ParityResult
from edge_runtime.facesets import FaceSet
from edge_runtime.files import write_whole
from edge_runtime.pages import Html, page, section, tag

__all__ = ["PAGE", "parity_page", "write_page"]

PAGE = "parity.html"


def write_page(
    folder: Path, result: ParityResult, faces: FaceSet, reference: Answers, candidates: Sequence[Answers]
) -> Path:
    """Writes the page into a report's folder.

    Args:
        folder: that is there.
        result: of the run.
        faces: that were answered, in the order of the answers.
        reference, candidates: the answers that the result was measured on; the candidates in the result's order.

    Raises:
        ParityError: faces or answers that are not the result's.
        OutputError: the page cannot be written.
    """
    _check(result, faces, reference, candidates)
    path = folder / PAGE
    write_whole(path, parity_page(result, faces, reference, candidates).encode())
    return path


def parity_page(result: ParityResult, faces: FaceSet, reference: Answers, candidates: Sequence[Answers]) -> Html:
    """The whole page."""
    shown = max(FEWEST, MOST // len(result.candidates))
    parts = [*causes(result), accuracies(result)]
    for judged, answers in zip(result.candidates, candidates, strict=True):
        parts += _candidate(result, judged, faces, reference, answers, shown)
    parts.append(made_by(result))
    return page(f"Parity: {result.outcome.value}", head(result), *parts)


def _candidate(
    result: ParityResult, judged: Judged, faces: FaceSet, reference: Answers, answers: Answers, shown: int
) -> list[Html]:
    """All sections of one candidate; with several, each group of them stands under its name."""
    names = result.data.label_names
    counted = faces.labels >= 0
    signals = next((each for each in result.signals if each.candidate == judged.name), None)
    parts = [
        gate_lines(judged.verdict, result.gate.name),
        classes(judged),
        confusions(judged, names),
        confidence(judged, reference.probabilities[counted], answers.probabilities[counted]),
    ]
    if signals is not None:
        parts.append(signal_bars(signals))
    parts += [flipped_faces(judged, faces, names, shown), candidate_cost(judged)]
    if len(result.candidates) == 1:
        return parts
    return [section(judged.name, tag("p", f"What follows is about {judged.name}.")), *parts]


def _check(result: ParityResult, faces: FaceSet, reference: Answers, candidates: Sequence[Answers]) -> None:
    names = [judged.name for judged in result.candidates]
    if [each.name for each in candidates] != names or reference.name != result.reference.name:
        found = ", ".join(each.name for each in (reference, *candidates))
        raise ParityError(f"answers of {found}", f"{', '.join([result.reference.name, *names])}", "give the result's")
    if any(not np.array_equal(each.rows, faces.rows) for each in (reference, *candidates)):
        raise ParityError(
            f"{len(faces)} faces, others than those that were answered",
            f"the {len(reference)} faces of the answers, in their order",
            "give the faces of the same run",
        )
