"""Figures of a run as PNG: curves, confusion matrix and reliability. Drawn without pyplot, so nothing global changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.reliability import Reliability
from train.files import whole_path
from train.scores import Scores

__all__ = [
    "BLUE",
    "GREY",
    "MUTED",
    "ORANGE",
    "draw_confusion",
    "draw_curves",
    "draw_reliability",
    "new_figure",
    "plain",
    "save_figure",
]

_INK, MUTED, _RULE = "#1a1a1a", "#6b6b6b", "#d9d9d9"
BLUE, ORANGE, GREY = "#1f5fa8", "#d1661b", "#9a9a9a"
_DPI = 150


def draw_curves(history: Sequence[Mapping[str, float]], choosing: str, path: Path) -> None:
    """Loss, accuracy on both splits, and learning rate over the epochs; the best epoch is marked.

    Args:
        history: rows as `fit` gives them.
        choosing: the name of the split that the best epoch was chosen on.
        path: the PNG to write.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(12, 3.8)
    loss, accuracy, rate = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]
    best = max(history, key=lambda row: row["chosen_accuracy"])
    marker = "o" if len(history) < 30 else None
    line = {"linewidth": 1.8, "marker": marker, "markersize": 3}

    loss.plot(epochs, [row["loss"] for row in history], color=BLUE, **line)
    loss.set_title("Loss (training)")

    fitted = [100 * row["accuracy"] for row in history]
    chosen = [100 * row["chosen_accuracy"] for row in history]
    accuracy.plot(epochs, fitted, color=BLUE, label="training, augmented", **line)
    accuracy.plot(epochs, chosen, color=ORANGE, label=choosing, **line)
    accuracy.plot(
        [best["epoch"]],
        [100 * best["chosen_accuracy"]],
        "o",
        color=ORANGE,
        markersize=8,
        markerfacecolor="white",
        markeredgewidth=1.8,
        label=f"best: {100 * best['chosen_accuracy']:.2f} % in epoch {int(best['epoch'])}",
        zorder=5,
    )
    accuracy.set_title("Accuracy, %")
    accuracy.legend(fontsize=8.5, labelcolor=_INK, loc="best", facecolor="white", edgecolor="none", framealpha=0.9)

    rate.plot(epochs, [row["learning_rate"] for row in history], color=GREY, **line)
    rate.set_title("Learning rate")
    rate.set_ylim(bottom=0)

    for axes in (loss, accuracy, rate):
        plain(axes)
        axes.set_xlabel("epoch", color=MUTED, fontsize=9)
        axes.set_xlim(0.5, max(epochs) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        _mark_stages(axes, history)
    save_figure(figure, path)


def draw_confusion(scores: Scores, title: str, path: Path) -> None:
    """The confusion matrix: shares of each label's faces in colour and per cent, counts below them."""
    counts = scores.confusion()
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = scores.label_set.names
    side = 1.6 + 0.78 * len(names)
    figure = new_figure(side + 0.4, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > 0.55 else _INK
        axes.text(
            column,
            row - 0.08,
            f"{100 * shares[row, column]:.0f} %",
            ha="center",
            va="center",
            color=colour,
            fontsize=10,
        )
        faint = colour if shares[row, column] > 0.3 else MUTED
        axes.text(column, row + 0.26, f"{counts[row, column]}", ha="center", va="center", color=faint, fontsize=7.5)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        range(len(names)), [f"{name}\n{total} faces" for name, total in zip(names, totals[:, 0], strict=True)]
    )
    axes.set_xlabel("the model's answer", color=MUTED)
    axes.set_ylabel("the label", color=MUTED)
    axes.tick_params(length=0, labelcolor=_INK, labelsize=9)
    # White rules between the cells, which also stand where there is no colour.
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color=_RULE, linewidth=0.8)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    interval = f"95 % interval {scores.interval}"
    axes.set_title(
        f"{title}\n{100 * scores.accuracy:.2f} % right, {interval}", color=_INK, fontsize=11, loc="left", pad=10
    )
    save_figure(figure, path)


def draw_reliability(reliability: Reliability, title: str, path: Path) -> None:
    """Accuracy by confidence, with the gap to the diagonal, and below it how many faces each bin has."""
    figure = new_figure(5.4, 6.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    bins = [each for each in reliability.bins if each.faces]
    middles = [50 * (each.low + each.high) for each in bins]
    widths = [96 * (each.high - each.low) for each in bins]
    upper.bar(middles, [100 * each.accuracy for each in bins], widths, color=BLUE, label="accuracy")
    upper.bar(
        middles,
        [100 * each.gap for each in bins],
        widths,
        bottom=[100 * each.accuracy for each in bins],
        color=ORANGE,
        alpha=0.35,
        label="gap to the mean confidence",
    )
    upper.plot([0, 100], [0, 100], color=GREY, linewidth=1.0, linestyle="--", label="as sure as right")
    upper.set_ylim(0, 100)
    upper.set_ylabel("accuracy, %", color=MUTED, fontsize=9)
    upper.legend(fontsize=8.5, labelcolor=_INK, loc="upper left", facecolor="white", edgecolor="none", framealpha=0.9)
    upper.set_title(f"{title}\nexpected calibration error {100 * reliability.expected_error:.2f} %")
    lower.bar(middles, [each.faces for each in bins], widths, color=GREY)
    lower.set_ylabel("faces", color=MUTED, fontsize=9)
    lower.set_xlabel("confidence, %", color=MUTED, fontsize=9)
    lower.set_xlim(0, 100)
    for axes in (upper, lower):
        plain(axes)
    save_figure(figure, path)


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(
        figsize=(width, height), dpi=_DPI, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12), facecolor="white"
    )


def plain(axes: Any) -> None:
    """Axes without a frame, with faint rules."""
    axes.grid(axis="y", color=_RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_RULE)
    axes.tick_params(length=0, labelcolor=MUTED, labelsize=9)
    axes.title.set(color=_INK, fontsize=11, ha="left", position=(0, 1))


def _mark_stages(axes: Any, history: Sequence[Mapping[str, float]]) -> None:
    """A dotted line where the crop's size changes."""
    for before, after in pairwise(history):
        if before["size"] != after["size"]:
            axes.axvline(after["epoch"] - 0.5, color=GREY, linewidth=0.9, linestyle=":")
            axes.annotate(
                f"{int(after['size'])} px faces",
                (after["epoch"] - 0.5, 1),
                (3, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                fontsize=7.5,
                color=MUTED,
            )


def save_figure(figure: Any, path: Path) -> None:
    """Writes a PNG, whole or not at all. Raises OutputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with whole_path(path) as partial:
        figure.savefig(partial, dpi=_DPI, metadata={"Software": None})
