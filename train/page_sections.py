"""The sections of a run's page, one for each thing that one may ask about a run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edge_runtime.pages import (
    Html,
    Line,
    Mark,
    bar,
    counted,
    css_colour,
    diagonal_chart,
    facts,
    gallery_item,
    line_chart,
    matrix,
    page,
    section,
    swatch,
    tag,
    wide,
)
from edge_runtime.reliability import Reliability
from train.page_head import head
from train.page_teachers import teachers
from train.shown_run import ShownRun
from train.terminal import duration

__all__ = ["run_page"]


def run_page(run: ShownRun, shown: int) -> Html:
    """The whole page; `shown`: how many mistakes and how many right answers as pictures, 0 for none."""
    name = str(run.card["recipe"]["name"])
    parts = [_classes(run), _confusion(run)]
    if run.card["result"]["epochs"]:  # of an unpacked bundle there are none
        parts.append(_learning(run))
    if run.reliability is not None:
        parts.append(_confidence(run.reliability))
    if shown:
        parts.append(_faces(run, shown))
    parts += [*teachers(run), _recipe(run), _data(run), _made_by(run)]
    return page(f"{name} on {run.split}", head(run), *parts)


def _classes(run: ShownRun) -> Html:
    report, rows = run.scores.report(), []
    for name in run.scores.label_set.names:
        each, colour = report[name], css_colour(name)
        rows.append(
            tag(
                "tr",
                tag("th", swatch(name), name, scope="row"),
                tag("td", bar(each["recall"], colour)),
                tag("td", bar(each["precision"])),
                tag("td", f"{each['f1-score']:.3f}", class_="number"),
                tag("td", counted(int(each["support"])), class_="number"),
            )
        )
    head = tag(
        "tr",
        tag("th", "Expression", scope="col"),
        tag("th", "Recall, %", tag("small", "of its faces, found"), scope="col"),
        tag("th", "Precision, %", tag("small", "of its answers, right"), scope="col"),
        tag("th", "F1", scope="col", class_="number"),
        tag("th", "Faces", scope="col", class_="number"),
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return section("Expressions", wide(table, "Scores of each expression"), note="How well each one is recognised.")


def _confusion(run: ShownRun) -> Html:
    table = matrix(run.scores.label_set.names, run.scores.confusion().tolist())
    note = "Per cent of each label’s faces. Rest the pointer on a cell for the count."
    return section("Confusion", table, *_commonest(run), note=note)


def _commonest(run: ShownRun) -> list[Html]:
    """The three most frequent mistakes in words."""
    names, wrong = run.scores.label_set.names, run.scores.confusion()
    totals = wrong.sum(axis=1)
    np.fill_diagonal(wrong, 0)
    order = [divmod(int(flat), len(names)) for flat in np.argsort(-wrong, axis=None, kind="stable")[:3]]
    words = [
        f"{names[label]} for {names[answer]} ({counted(int(wrong[label, answer]))} of {counted(int(totals[label]))})"
        for label, answer in order
        if wrong[label, answer]
    ]
    return [tag("p", f"Most often it takes {', '.join(words)}.", class_="note")] if words else []


def _learning(run: ShownRun) -> Html:
    history = run.history
    chosen = [row for row in history if row.get("whole", 1)]
    best = run.card["result"]["best_epoch"]
    ring = next((at for at, row in enumerate(history) if row["epoch"] == best), None)
    split = run.card["data"]["choose_split"]
    marks = [
        Mark(after["epoch"] - 0.5, f"{after['size']:g} px")
        for before, after in pairwise(history)
        if before["size"] != after["size"]
    ]
    accuracy = [
        Line("training, augmented", tuple((row["epoch"], 100 * row["accuracy"]) for row in history)),
        Line(split, tuple((row["epoch"], 100 * row["chosen_accuracy"]) for row in history), ring),
    ]
    loss = [Line("training loss", tuple((row["epoch"], row["loss"]) for row in history))]
    charts = [
        line_chart("Accuracy, %", accuracy, "epoch", marks),
        line_chart("Loss", loss, "epoch", marks, decimals=4),
    ]
    note = f"The ring is epoch {best}, whose weights were kept: the best on {split}."
    if marks:
        note += f" Dotted: the faces change size, from {history[0]['size']:g} px on."
    if run.card["result"].get("rounded_accuracy") is not None:
        note += f" All of it was learnt, and judged on {split}, with int8’s rounding."
    if len(chosen) < len(history):
        note += " Only epochs at the model’s whole view could be kept."
    return section("Learning", tag("div", *charts, class_="charts"), note=note)


def _confidence(reliability: Reliability) -> Html:
    bins = [(each.confidence, each.accuracy, each.faces) for each in reliability.bins]
    chart = diagonal_chart("Right, % of the faces", bins, "sure, %")
    known = facts(
        ("Expected calibration error", f"{100 * reliability.expected_error:.2f} %"),
        ("over bins of equal mass", f"{100 * reliability.equal_mass_error:.2f} %"),
        ("Largest gap", f"{100 * reliability.largest_error:.1f} %"),
        ("Negative log likelihood", f"{reliability.negative_log_likelihood:.4f}"),
        ("Brier score", f"{reliability.brier:.4f}"),
    )
    note = "When it is 80 % sure, is it right 80 % of the time? On the dotted line it is; below it, it is too sure."
    return section("Confidence", tag("div", chart, known, class_="charts"), note=note)


def _faces(run: ShownRun, shown: int) -> Html:
    sure, right = run.probabilities.max(axis=1), run.scores.answers == run.scores.labels
    order = np.argsort(-sure, kind="stable")
    wrong = [int(at) for at in order[~right[order]][:shown]]
    hits = np.flatnonzero(right)
    seed = int(hashlib.sha256(str(run.card["recipe"]["sha256"]).encode()).hexdigest()[:8], 16)
    drawn = sorted(np.random.default_rng(seed).choice(hits, min(shown, len(hits)), replace=False).tolist())
    pieces: list[Html] = []
    if wrong:
        pieces.append(tag("div", tag("h3", "Mistakes it was surest of"), _gallery(run, wrong)))
    if drawn:
        pieces.append(tag("div", tag("h3", "Right answers, drawn at random"), _gallery(run, drawn)))
    note = "Under each face the answer with its probability; for mistakes also the label, which is not always the better one."
    return section("Faces", *pieces, note=note)


def _gallery(run: ShownRun, indices: Sequence[int]) -> Html:
    names, items = run.scores.label_set.names, []
    for at in indices:
        label, answer = names[run.scores.labels[at]], names[run.scores.answers[at]]
        sure = f"{100 * float(run.probabilities[at].max()):.0f} %"
        alt = f"A face labelled {label}, answered {answer}, {sure} sure"
        words = [tag("b", swatch(answer), answer), tag("span", f"{sure} sure")]
        if label != answer:
            words += [tag("br"), tag("span", f"labelled {label}")]
        items.append(gallery_item(run.faces.pixels[at], alt, *words))
    return tag("ul", *items, class_="gallery")


def _recipe(run: ShownRun) -> Html:
    words = [(name.capitalize(), str(run.recipe[name])) for name in ("keeps", "changes") if name in run.recipe]
    model = run.card["model"]
    net = f"{model['architecture']}, {model['size']} × {model['size']} px {'grey' if model['channels'] == 1 else 'colour'}"
    known = facts(
        *words,
        ("Network", net),
        ("Parameters", counted(run.card["result"]["parameters"])),
        ("Arithmetic", str(model["precision"])),
        ("Labels", model["label_set"]),
    )
    text = [tag("pre", run.recipe_text.strip())] if run.recipe_text else []
    return section("Recipe", known, *text, note="What was asked for, word for word.")


def _data(run: ShownRun) -> Html:
    data, names = run.card["data"], run.scores.label_set.names
    columns = [(data["train_split"], data["training"]), (data["choose_split"], data["choosing"])]
    if not run.chosen_on_it:
        counts = run.scores.confusion().sum(axis=1).tolist()
        columns.append((run.split, dict(zip(names, counts, strict=True))))
    rows = [
        tag(
            "tr",
            tag("th", swatch(name), name, scope="row"),
            *[tag("td", counted(int(counts.get(name, 0))), class_="number") for _, counts in columns],
        )
        for name in names
    ]
    sums = [tag("td", counted(sum(counts.values())), class_="number") for _, counts in columns]
    rows.append(tag("tr", tag("th", "all", scope="row"), *sums))
    head = [
        tag("th", "Faces", scope="col"),
        *[tag("th", str(name), scope="col", class_="number") for name, _ in columns],
    ]
    repeated = "not compared" if run.repeated is None else f"{counted(run.repeated)} pixel for pixel"
    known = facts(
        ("Left out", f"{counted(data['left_out'])} rows or files that could not be read"),
        (f"{run.split} faces in {data['train_split']}", repeated),
        (f"SHA-256 of {data['train_split']}", tag("code", data["sha256"])),
        (f"SHA-256 of {data['choose_split']}", tag("code", data["choosing_sha256"])),
    )
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
    unpacked = run.card.get("unpacked")
    note = "What it learnt from and was chosen on."
    if unpacked is not None:
        note = f"What it was unpacked with: statistics and figures. The bundle {unpacked['name']} says what it learnt from."
    return section("Data", wide(table, "Faces of each expression"), known, note=note)


def _time_or_bundle(run: ShownRun) -> list[tuple[str, str | Html]]:
    unpacked = run.card.get("unpacked")
    if unpacked is None:
        return [("Time", duration(run.card["result"]["wall_s"]))]
    return [("Bundle", unpacked["name"]), ("Bundle’s SHA-256", tag("code", unpacked["sha256"]))]


def _made_by(run: ShownRun) -> Html:
    code, versions, hardware = (run.card[key] for key in ("code", "versions", "hardware"))
    commit = tag("code", code["commit"]) if code["commit"] else "unknown"
    changed = {True: "with changes that are in no commit", False: "without changes", None: "unknown"}[code["dirty"]]
    gpus = ", ".join(map(str, hardware["gpus"])) or "none"
    known = facts(
        ("Commit", commit),
        ("Checkout", changed),
        ("fer-edge", versions["fer_edge"]),
        ("Keras", f"{versions['keras']} on {versions['backend']}"),
        ("Python, NumPy", f"{versions['python']}, {versions['numpy']}"),
        ("Processor", f"{hardware['processor']}, {hardware['cores']} cores"),
        ("GPU", gpus),
        *_time_or_bundle(run),
        ("Recipe’s SHA-256", tag("code", run.card["recipe"]["sha256"])),
        ("Seed", str(run.card["recipe"]["seed"])),
    )
    return section("Made by", known, note="Enough to do it again.")
