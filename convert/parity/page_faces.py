"""The flipped faces of a parity page: those that the candidate names otherwise, the surest first."""

from __future__ import annotations

from collections.abc import Sequence

from convert.parity.flips import Flip
from convert.parity.result import Judged
from edge_runtime.facesets import FaceSet
from edge_runtime.pages import Html, counted, gallery_item, section, swatch, tag

__all__ = ["FEWEST", "MOST", "flipped_faces"]

MOST, FEWEST = 24, 2
"""Pictures on a page, shared by its candidates, and the least that each has: a colour picture takes up to 17 KB."""

_TITLES = {
    "lost": "Lost: only the reference was right",
    "won": "Won: only the candidate is right",
    "other": "Neither was right",
}


def flipped_faces(judged: Judged, faces: FaceSet, names: Sequence[str], shown: int) -> Html:
    """Up to `shown` pictures: each direction has its share, what one leaves the others take."""
    flips = judged.comparison.flips
    if not flips:
        return section("Flipped faces", tag("p", f"{judged.name} names every face as the reference does."))
    groups = {direction: [flip for flip in flips if flip.direction == direction] for direction in _TITLES}
    pieces = []
    for direction, count in _shares({name: len(group) for name, group in groups.items()}, shown).items():
        if count:
            group = groups[direction]
            of = f" ({counted(count)} of {counted(len(group))})" if count < len(group) else f" ({counted(count)})"
            items = [_item(flip, faces, names) for flip in group[:count]]
            pieces.append(tag("div", tag("h3", _TITLES[direction] + of), tag("ul", *items, class_="gallery")))
    note = (
        "Faces whose answer changed, those first whose new answer is surest. Labels are not always the better answer."
    )
    return section("Flipped faces", *pieces, note=note)


def _shares(there: dict[str, int], shown: int) -> dict[str, int]:
    """How many of each direction are shown: half for the lost ones, a quarter for each other, then what is left over."""
    given = {name: min(count, shown // (2 if name == "lost" else 4)) for name, count in there.items()}
    for name, count in there.items():
        given[name] += min(count - given[name], shown - sum(given.values()))
    return given


def _item(flip: Flip, faces: FaceSet, names: Sequence[str]) -> Html:
    label, was, now = names[flip.label], names[flip.reference], names[flip.candidate]
    before, after = f"{100 * flip.reference_confidence:.0f} %", f"{100 * flip.candidate_confidence:.0f} %"
    alt = f"A face labelled {label}: the reference answers {was}, {before} sure; the candidate {now}, {after} sure"
    words = (
        tag("b", swatch(now), f"{now} {after}"),
        tag("span", f"was {was} {before}"),
        tag("br"),
        tag("span", f"labelled {label}, row {flip.row}"),
    )
    return gallery_item(faces.pixels[flip.index], alt, *words)
