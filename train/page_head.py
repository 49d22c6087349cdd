"""The head of a run's page: how often it is right, on a scale and beside its target, and eight figures more."""

from __future__ import annotations

import re

from edge_runtime.intervals import accuracy_interval
from edge_runtime.pages import Html, counted, tag
from train.finished import images_per_s
from train.shown_run import ShownRun
from train.terminal import duration

__all__ = ["head"]


def head(run: ShownRun) -> Html:
    """Name, accuracy with its interval, and the figures that one asks for first."""
    name = str(run.card["recipe"]["name"])
    result, scores = run.card["result"], run.scores
    pieces = [tag("p", "fer-edge, a training run", class_="eyebrow"), tag("h1", name)]
    if "source" in run.recipe:
        pieces.append(tag("p", f"After {run.recipe['source']}", class_="lead"))
    if result["steps_per_epoch"] is not None:
        pieces.append(
            tag("p", f"A trial of {result['steps_per_epoch']} steps an epoch: no result to go by.", class_="warning")
        )
    figure = tag("p", f"{100 * scores.accuracy:.1f}", tag("small", "%"), class_="figure")
    words = (
        f"of {counted(scores.count)} faces of {run.split} named as their label says; 95 % interval {scores.interval}."
    )
    hero = tag("div", figure, tag("p", words, class_="note"), _scale(run), class_="hero")
    return tag("header", *pieces, hero, _stats(run))


def _scale(run: ShownRun) -> Html:
    """The interval on a scale from 0 to 100 %, beside the target and the share of the most frequent class."""
    scores = run.scores
    counts = scores.confusion().sum(axis=1)
    most, share = scores.label_set.names[int(counts.argmax())], 100 * int(counts.max()) / scores.count
    low, high = 100 * scores.interval.low, 100 * scores.interval.high
    ticks = [_tick(share, f"always “{most}” {share:.1f} %")]
    target = _target(run)
    said = f"Interval {scores.interval}; {share:.1f} % for always answering {most}"
    if target is not None:
        ticks.append(_tick(target, f"target {target:g} %"))
        said += f"; target {target:g} %"
    band = tag("span", class_="band", style=f"--low:{low:.2f};--high:{high:.2f}")
    return tag("div", tag("span", class_="track"), band, *ticks, class_="scale", role="img", aria_label=said)


def _tick(at: float, words: str) -> Html:
    side = "tick left" if at > 60 else "tick"
    return tag("span", tag("span", words), class_=side, style=f"--at:{at:.2f}")


def _target(run: ShownRun) -> float | None:
    """The first percentage in the recipe's words about its target, which are about the choosing split."""
    found = re.search(r"(\d+(?:\.\d+)?) ?%", str(run.recipe.get("target", "")))
    return float(found[1]) if found and run.chosen_on_it and float(found[1]) <= 100 else None


def _stats(run: ShownRun) -> Html:
    result, scores = run.card["result"], run.scores
    stats: list[tuple[str, str, str]] = []
    if "target" in run.recipe:
        found = f"{_target(run):g} %" if _target(run) is not None else "in words"
        stats.append(("Target", found, str(run.recipe["target"])))
    if run.repeated is None:
        stats.append(("Repeated faces", "unknown", "not compared with the training faces"))
    elif run.repeated == 0:
        stats.append(("Repeated faces", "none", "is pixel for pixel among the training faces"))
    elif run.fresh is None:
        stats.append(("Repeated faces", "all", "each is pixel for pixel among the training faces"))
    else:
        left = scores.count - run.repeated
        interval = accuracy_interval(round(run.fresh * left), left)
        words = f"{counted(run.repeated)} are pixel for pixel also in {run.card['data']['train_split']}; {interval}"
        stats.append(("Without repeated faces", f"{100 * run.fresh:.1f} %", words))
    stats.append(("Macro F1", f"{scores.macro_f1:.3f}", "the mean over classes, each counting the same"))
    if run.reliability is not None:
        gap = "the mean gap between how sure it is and how right"
        stats.append(("Calibration error", f"{100 * run.reliability.expected_error:.1f} %", gap))
    rounded = result.get("rounded_accuracy")  # cards of earlier versions have none
    if rounded is not None:
        words = f"of {run.card['data']['choose_split']} in float32 arithmetic with int8’s rounding"
        stats.append(("As int8", f"{100 * rounded:.1f} %", words))
    data, model = run.card["data"], run.card["model"]
    side = f"parameters; reads faces of {model['size']} × {model['size']}\u00a0px"
    stats.append(("Size", f"{result['parameters'] / 1e6:.2f} M", side))
    unpacked = run.card.get("unpacked")
    if unpacked is not None:
        stats.append(("Unpacked from", unpacked["name"], "a bundle; nothing was learnt since"))
    else:
        stats.append(("Learnt from", counted(sum(data["training"].values())), f"faces of {data['train_split']}"))
        best = f"the best of {result['epochs']} epochs is the {_ordinal(result['best_epoch'])}"
        stats.append(("Trained for", duration(result["wall_s"]), best))
    speed = images_per_s(run.card, run.history)
    if speed is not None:
        stats.append(("Speed", f"{counted(round(speed))} /s", "training faces, evaluation included"))
    pairs = [tag("div", tag("dt", name), tag("dd", value, tag("small", note))) for name, value, note in stats]
    return tag("dl", *pairs, class_="stats")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
