"""`python -m train compare`: finished runs side by side, and whether a difference is more than chance.

With `--data` each run's model answers the same faces as the first one's, and only the faces on which the two differ
count: a difference that two separate intervals hide may still be plain (McNemar 1947).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.quiet import quiet_libraries
from edge_runtime.facesets import FaceSet
from edge_runtime.labels import label_set
from edge_runtime.pages import Html, Line, line_chart, page, section, tag
from train.errors import DataError
from train.files import MODEL, write_text
from train.finished import FinishedRun, images_per_s, read_run
from train.paired import Paired, paired
from train.terminal import duration, table

__all__ = ["differences", "run"]

_HEAD = (
    "run",
    "recipe",
    "parameters",
    "epochs",
    "accuracy",
    "95 % interval",
    "macro F1",
    "time",
    "images/s",
    "faces",
)


def differences(first: FinishedRun, other: FinishedRun) -> list[str]:
    """Why the accuracies of two runs are not of the same task, in words; empty where they are."""
    found = []
    (model, data), (others, other_data) = ((run.card["model"], run.card["data"]) for run in (first, other))
    if (model["label_set"], model["labels"]) != (others["label_set"], others["labels"]):
        found.append(f"other labels: {others['label_set']} instead of {model['label_set']}")
    if data["choose_split"] != other_data["choose_split"]:
        found.append(f"another split: {other_data['choose_split']} instead of {data['choose_split']}")
    elif data["choosing_sha256"] != other_data["choosing_sha256"]:
        sides = [(each["size"], each["channels"]) for each in (model, others)]
        if sides[0] == sides[1] or data["choosing"] != other_data["choosing"]:
            found.append(f"other faces: {other_data['choosing_sha256'][:12]} instead of {data['choosing_sha256'][:12]}")
        else:
            found.append("reads faces in another form, so the hashes cannot say whether they are the same; --data does")
    if other.card["result"]["steps_per_epoch"] is not None:
        found.append(f"a trial of {other.card['result']['steps_per_epoch']} steps an epoch")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Prints the runs as a table or JSON and, with --out, writes a page. Returns 0."""
    if arguments.out is not None and arguments.out.suffix != ".html":
        raise DataError(f"--out {arguments.out}", "a name that ends in .html", "name one")
    runs = [read_run(folder) for folder in arguments.runs]
    names = _names(arguments.runs)
    marks = [differences(runs[0], each) for each in runs]
    pairs: list[Paired | str] = []
    if arguments.data is not None:
        pairs = _pairs(runs, names, arguments.data, arguments.votes)
    if arguments.json:
        print(json.dumps(_as_json(runs, names, marks, pairs), indent=2, ensure_ascii=False))
    else:
        print(table([_HEAD, *[_row(*each) for each in zip(runs, names, marks, strict=True)]]))
        for line in [*_notes(names, marks), *_pair_lines(names, pairs)]:
            print(line)
    if arguments.out is not None:
        write_text(arguments.out, _page(runs, names, marks, pairs))
        _say(f"{arguments.out} written")
    return 0


def _row(run: FinishedRun, name: str, marks: Sequence[str]) -> list[str]:
    card, result = run.card, run.card["result"]
    low, high = result["interval"]
    speed = images_per_s(card, run.history)
    return [
        name + (" *" if marks else ""),
        card["recipe"]["name"],
        f"{result['parameters'] / 1e6:.2f} M",
        f"{result['best_epoch']} of {result['epochs']}",
        f"{100 * result['accuracy']:.2f} %",
        f"{100 * low:.1f} to {100 * high:.1f} %",
        "–" if run.macro_f1 is None else f"{run.macro_f1:.3f}",
        duration(result["wall_s"]),
        "–" if speed is None else f"{speed:.0f}",
        f"{card['data']['choose_split']} {card['data']['choosing_sha256'][:8]}",
    ]


def _notes(names: Sequence[str], marks: Sequence[Sequence[str]]) -> list[str]:
    notes = [f"* {name}: {'; '.join(why)}" for name, why in zip(names, marks, strict=True) if why]
    return [*notes, f"Starred runs are not to be compared with {names[0]} by this table."] if notes else []


def _pair_lines(names: Sequence[str], pairs: Sequence[Paired | str]) -> list[str]:
    lines = []
    for name, pair in zip(names[1:], pairs, strict=False):
        what = pair if isinstance(pair, str) else f"{pair.words()}, {pair.faces} faces"
        lines.append(f"{name} against {names[0]}: {what}")
    return lines


def _pairs(runs: Sequence[FinishedRun], names: Sequence[str], data: Path, votes: Path | None) -> list[Paired | str]:
    """Each run after the first one against it on the first one's choosing split; words where that cannot be."""
    if len(runs) < 2:
        raise DataError("--data with one run", "a second run to compare it with", "name another run folder")
    card = runs[0].card
    split = card["data"]["choose_split"]
    first, first_right = _answers(runs[0], data, votes, split)
    done: list[Paired | str] = []
    for name, run in zip(names[1:], runs[1:], strict=True):
        labels = run.card["model"]["label_set"]
        if (labels, run.card["model"]["labels"]) != (card["model"]["label_set"], card["model"]["labels"]):
            done.append(f"not compared: it answers in the labels {labels}, not {card['model']['label_set']}")
            continue
        _say(f"predicting with {name}")
        faces, right = _answers(run, data, votes, split)
        if not (np.array_equal(faces.rows, first.rows) and np.array_equal(faces.labels, first.labels)):
            done.append("not compared: other faces have labels for it")
            continue
        done.append(paired(first_right, right))
    return done


def _answers(run: FinishedRun, data: Path, votes: Path | None, split: str) -> tuple[FaceSet, NDArray[np.bool_]]:
    """The labelled faces of the split as this run's model reads them, and which it names rightly."""
    with quiet_libraries():  # only here: a table needs no Keras
        from train.evaluate import check_classes, load_model
        from train.faces import labelled, open_for_model
        from train.views import predict

    model = load_model(run.folder / MODEL)
    size, channels = model.input_shape[2:]
    labels = label_set(run.card["model"]["label_set"])
    check_classes(model, labels, run.folder / MODEL)
    light = run.card["model"].get("illumination", "none")  # cards from before it was there have none
    faces = open_for_model(data, votes, labels, size, channels, _say, light)
    chosen = labelled(faces.split(split))
    return chosen, predict(model, chosen.pixels).argmax(axis=1) == chosen.labels


def _as_json(
    runs: Sequence[FinishedRun],
    names: Sequence[str],
    marks: Sequence[Sequence[str]],
    pairs: Sequence[Paired | str],
) -> dict[str, Any]:
    rows = []
    for run, name, why in zip(runs, names, marks, strict=True):
        speed = images_per_s(run.card, run.history)
        rows.append(
            {
                "run": name,
                "recipe": run.card["recipe"],
                "label_set": run.card["model"]["label_set"],
                "choose_split": run.card["data"]["choose_split"],
                "choosing_sha256": run.card["data"]["choosing_sha256"],
                "result": run.card["result"],
                "macro_f1": run.macro_f1,
                "images_per_s": speed,
                "differs_from_first": list(why),
            }
        )
    against = [
        {"run": name, "first": names[0], **({"not_compared": pair} if isinstance(pair, str) else asdict(pair))}
        for name, pair in zip(names[1:], pairs, strict=False)
    ]
    return {"runs": rows, "paired": against}


def _page(
    runs: Sequence[FinishedRun],
    names: Sequence[str],
    marks: Sequence[Sequence[str]],
    pairs: Sequence[Paired | str],
) -> Html:
    head = [tag("th", word, scope="col", class_="number" if at > 1 else None) for at, word in enumerate(_HEAD)]
    rows = []
    for each in zip(runs, names, marks, strict=True):
        first, recipe, *others = _row(*each)
        cells = [tag("td", recipe), *[tag("td", word, class_="number") for word in others]]
        rows.append(tag("tr", tag("th", first, scope="row"), *cells))
    sheet = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="compact")
    wide = tag("div", sheet, class_="wide", role="region", aria_label="The runs", tabindex=0)
    notes = [tag("p", line, class_="note") for line in _notes(names, marks)]
    parts = [wide, *notes]
    curves = [
        section(title, line_chart(unit, _lines(runs, names, key, factor), "epoch", size=(780, 400), decimals=decimals))
        for title, unit, key, factor, decimals in (
            ("Accuracy", "On each run’s choosing split, %", "chosen_accuracy", 100, 1),
            ("Loss", "Training loss", "loss", 1, 4),
        )
        if any(run.history for run in runs)
    ]
    tests = [tag("p", line) for line in _pair_lines(names, pairs)]
    if tests:
        note = (
            "The same faces for both. A small p says that chance alone seldom splits the differing faces so unevenly."
        )
        curves.insert(0, section("Face by face", *tests, note=note))
    title = f"{len(runs)} runs" if len(runs) > 1 else "One run"
    top = tag("header", tag("p", "fer-edge, training runs", class_="eyebrow"), tag("h1", title))
    return page(f"Compared: {', '.join(names)}", top, tag("div", *parts, class_="content sheet"), *curves)


def _lines(runs: Sequence[FinishedRun], names: Sequence[str], key: str, factor: int) -> list[Line]:
    return [
        Line(name, tuple((row["epoch"], factor * row[key]) for row in run.history))
        for run, name in zip(runs, names, strict=True)
        if run.history  # an unpacked bundle has none
    ]


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names, with as many of those above them as it takes to tell them apart."""
    paths = [folder.resolve() for folder in folders]
    if len(set(paths)) < len(paths):
        raise DataError("the same run folder twice", "different ones", "name each run once")
    depth = 1
    while len({path.parts[-depth:] for path in paths}) < len(paths):
        depth += 1
    return ["/".join(path.parts[-depth:]) for path in paths]


def _say(line: str) -> None:
    print(line, file=sys.stderr)
