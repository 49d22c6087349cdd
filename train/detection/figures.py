"""Figures of a detector's run as PNG: its curves over the epochs, and precision over recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_runtime.framesets.judgement import Judgement
from train.figures import BLUE, GREY, MUTED, ORANGE, new_figure, plain, save_figure

__all__ = ["draw_detector_curves", "draw_precision"]


def draw_detector_curves(history: Sequence[Mapping[str, float]], best_epoch: int, path: Path) -> None:
    """Loss, figures on the held-out scenes, and learning rate over the epochs; the best epoch is marked."""
    figure = new_figure(12, 3.8)
    loss, shares, rate = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    judged = [row for row in history if "average_precision" in row]
    at = [row["epoch"] for row in judged]
    loss.plot(epochs, [row["loss"] for row in history], color=BLUE, linewidth=1.8)
    loss.set_title("Loss (training)")
    shares.plot(
        at, [100 * row["average_precision"] for row in judged], color=BLUE, linewidth=1.8, label="average precision"
    )
    shares.plot(
        at,
        [100 * row["recall_at_one"] for row in judged],
        color=ORANGE,
        linewidth=1.8,
        label="recall, one false a picture",
    )
    shares.axvline(best_epoch, color=GREY, linewidth=0.9, linestyle=":", label=f"best: epoch {best_epoch}")
    shares.set_title("Held-out scenes, %")
    shares.legend(fontsize=8.5, loc="best", facecolor="white", edgecolor="none")
    rate.plot(epochs, [row["learning_rate"] for row in history], color=GREY, linewidth=1.8)
    rate.set_title("Learning rate")
    rate.set_ylim(bottom=0)
    for axes in (loss, shares, rate):
        plain(axes)
        axes.set_xlabel("epoch", color=MUTED, fontsize=9)
    save_figure(figure, path)


def draw_precision(judgement: Judgement, title: str, path: Path) -> None:
    """Precision over recall, and recall over false faces a picture."""
    figure = new_figure(9, 4)
    left, right = figure.subplots(1, 2)
    curve = judgement.curve
    left.plot(100 * curve.recall, 100 * curve.precision, color=BLUE, linewidth=1.8)
    left.set_title(f"{title}\naverage precision {100 * judgement.average_precision:.1f} %")
    left.set_xlabel("recall, %", color=MUTED, fontsize=9)
    left.set_ylabel("precision, %", color=MUTED, fontsize=9)
    left.set_xlim(0, 101)
    left.set_ylim(0, 101)
    right.plot(np.maximum(curve.false_a_picture, 1e-3), 100 * curve.recall, color=ORANGE, linewidth=1.8)
    right.set_xscale("log")
    right.set_ylim(0, 101)
    right.set_title(f"recall {100 * judgement.recall_at_one:.1f} % at one false face a picture")
    right.set_xlabel("false faces a picture", color=MUTED, fontsize=9)
    right.set_ylabel("recall, %", color=MUTED, fontsize=9)
    for axes in (left, right):
        plain(axes)
    save_figure(figure, path)
