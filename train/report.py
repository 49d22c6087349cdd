"""The files of a run folder that people read: history, curves, classification report, confusion matrix, reliability."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_runtime.reliability import Reliability
from train.figures import draw_confusion, draw_curves, draw_reliability
from train.files import write_json, write_text
from train.scores import Scores

__all__ = ["write_history", "write_reliability", "write_scores"]


def write_history(history: Sequence[Mapping[str, float]], choosing: str, folder: Path) -> None:
    """`history.csv`, a row an epoch, and `curves.png`. `choosing` names the split that the best epoch was chosen on."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(folder / "history.csv", text.getvalue())
    draw_curves(history, choosing, folder / "curves.png")


def write_scores(scores: Scores, lines: Sequence[str], title: str, folder: Path) -> None:
    """`classification_report.txt` and `.json`, and `confusion.png`.

    Args:
        scores: what to write.
        lines: the figures in words, for the head of the text.
        title: what the scores are of: "PublicTest, 3589 faces".
        folder: where the files go; it must be there.
    """
    head = "\n".join([title, *lines])
    write_text(folder / "classification_report.txt", f"{head}\n\n{scores.tables()}\n")
    write_json(folder / "classification_report.json", scores.as_json())
    draw_confusion(scores, title, folder / "confusion.png")


def write_reliability(reliability: Reliability, title: str, folder: Path) -> None:
    """`reliability.json`, with every bin, and `reliability.png`."""
    write_json(folder / "reliability.json", {"faces": reliability.faces, **reliability.as_json()})
    draw_reliability(reliability, title, folder / "reliability.png")
