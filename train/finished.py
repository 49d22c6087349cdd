"""A finished run, read back from its folder: its card, its history, its recipe's words and what its report says."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.errors import DataError
from train.files import CHECKPOINTS, RECIPE
from train.run_card import CARD, read_card

__all__ = ["FinishedRun", "images_per_s", "read_history", "read_run", "recipe_words"]

_HISTORY, _REPORT = "history.csv", "classification_report.json"


@dataclass(frozen=True)
class FinishedRun:
    """What a run folder holds, but its model. `macro_f1` is None where the report is missing."""

    folder: Path
    card: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    macro_f1: float | None


def read_run(folder: Path) -> FinishedRun:
    """Reads a run folder.

    Raises:
        DataError: no folder, no card in it, a run that is not finished, or a damaged file.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}, which is no folder", "a run folder that `python -m train fit` wrote", "check the path"
        )
    card = read_card(folder / CARD)
    if card is None and (folder / CHECKPOINTS).is_dir():
        raise DataError(
            f"{folder}: a run that is not finished, without {CARD}",
            "a finished run",
            "give the command that began it once more: it goes on, and writes the card at its end",
        )
    if card is None:
        raise DataError(f"{folder}: no {CARD}", "a run folder that `python -m train fit` wrote", "check the path")
    for key in ("choosing_sha256", "choose_split", "choosing", "training"):
        if key not in card["data"]:
            raise DataError(f"{folder / CARD}: no data.{key}", "the card that fit wrote", "run the same fit again")
    # A bundle that was unpacked has learnt nothing since, and has no history.
    history = [] if card.get("unpacked") else read_history(folder / _HISTORY)
    return FinishedRun(folder, card, history, _macro_f1(folder / _REPORT))


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of `history.csv`, numbers throughout; True and False become 1 and 0.

    Raises:
        DataError: it is missing, empty, or holds something else.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [{key: _float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        for row in rows:
            row["epoch"], row["loss"], row["accuracy"], row["chosen_accuracy"], row["seconds"], row["size"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(f"{path}: {error!r}", "the history that fit wrote", "run the same fit again") from error
    if not rows:
        raise DataError(f"{path} without epochs", "a row an epoch", "run the same fit again")
    return rows


def recipe_words(folder: Path) -> tuple[str, Mapping[str, Any]]:
    """The text of the folder's `recipe.toml` and its top-level keys; empty both where there is none or it is no TOML."""
    try:
        text = (folder / RECIPE).read_bytes().decode()
        return text, tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return "", {}


def images_per_s(card: Mapping[str, Any], history: Sequence[Mapping[str, float]]) -> float | None:
    """Training faces that went through a second over all epochs, evaluation included; None for trials of a few steps."""
    seconds = sum(row["seconds"] for row in history)
    if card["result"]["steps_per_epoch"] is not None or not seconds > 0:
        return None
    return float(len(history) * sum(card["data"]["training"].values()) / seconds)


def _macro_f1(path: Path) -> float | None:
    try:
        report = json.loads(path.read_bytes())
        # Reports from before it had a key of its own.
        value = float(report["macro_f1"] if "macro_f1" in report else report["report"]["macro avg"]["f1-score"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: {error!r}", "the report that fit wrote", "run the same fit again") from error
    return value if math.isfinite(value) else None


def _float(text: str) -> float:
    return float({"True": "1", "False": "0"}.get(text, text))
