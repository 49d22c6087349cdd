"""The section of a student's page that says who taught it, and how."""

from __future__ import annotations

from edge_runtime.pages import Html, counted, facts, section, tag, wide
from train.shown_run import ShownRun

__all__ = ["teachers"]


def teachers(run: ShownRun) -> list[Html]:
    """One section, or none for a run that no teacher had a part in planning."""
    if "distillation" not in run.card:
        return []
    card = run.card["distillation"]
    if not card["teachers"]:
        words = "None: a baseline, which learnt the labels alone on the views that a taught student sees."
        return [section("Teachers", tag("p", words))]
    rows = [
        tag(
            "tr",
            tag("th", each["name"], scope="row"),
            tag("td", each["recipe"]),
            tag("td", f"{100 * each['accuracy']:.1f} % of {each['choose_split']}", class_="number"),
            tag("td", tag("code", each["sha256"][:12])),
        )
        for each in card["teachers"]
    ]
    head = [
        tag("th", "Run", scope="col"),
        tag("th", "Recipe", scope="col"),
        tag("th", "Accuracy", tag("small", "by its own card"), scope="col", class_="number"),
        tag("th", "Model", tag("small", "SHA-256"), scope="col"),
    ]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))
    features = card["features"]
    compared = "none" if features is None else f"{features['student_layer']} like {features['teacher_layer']}"
    views = f"{card['cached_views']} a face, answered once" if card["views"] == "cached" else "new ones each epoch"
    known = facts(
        ("Share of the loss", f"{card['teacher_share']:g}"),
        ("Temperature", f"{card['temperature']:g}"),
        ("Views", views),
        ("Features", compared),
        ("Faces without labels", counted(card["unlabelled"])),
    )
    note = "Whose answers it learnt, beside the labels: the mean of their probabilities."
    return [section("Teachers", wide(table, "The teachers"), known, note=note)]
