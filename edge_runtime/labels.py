"""The label sets of the field, their orders, and the maps between them.

Orders differ between data sets and are part of a model: index 0 is "angry" in FER2013 and "neutral" in FER+.
Sources: FER2013 (Goodfellow et al. 2013, the challenge's csv), FER+ (Barsoum et al. 2016, `fer2013new.csv`),
AffectNet (Mollahosseini et al. 2017, its annotation codes; seven classes are those without contempt), RAF-DB (Li et al.
2017, codes 1 to 7 of its label file), CK+ (Lucey et al. 2010, codes 0 to 7 of its emotion files; seven classes are those
without neutral). Data sets that name their classes and do not number them (KDEF, JAFFE, SFEW) have `BASIC7`, in the
order of the alphabet.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import LabelError

__all__ = [
    "AFFECTNET7",
    "AFFECTNET8",
    "BASIC7",
    "CKPLUS7",
    "CKPLUS8",
    "FER2013",
    "FERPLUS",
    "FERPLUS_VOTES",
    "LABEL_SETS",
    "RAFDB",
    "LabelSet",
    "canonical",
    "label_set",
]


@dataclass(frozen=True)
class LabelSet:
    """An ordered set of expression names; the position of a name is its class index."""

    name: str
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names) or not self.names:
            raise LabelError(
                f"label set {self.name!r} with names {list(self.names)}",
                "distinct names, at least one",
                "rename the repeated ones",
            )

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The class index of `name`. Raises LabelError, listing the names, for one that is not in the set."""
        if name not in self.names:
            raise LabelError(
                f"label {name!r}", f"one of {', '.join(self.names)}", f"use a label of the set {self.name!r}"
            )
        return self.names.index(name)

    def indices_in(self, other: LabelSet) -> tuple[int, ...]:
        """For each of this set's classes, its index in `other`, or -1 where `other` has no such expression."""
        there = {canonical(name): index for index, name in enumerate(other.names)}
        return tuple(there.get(canonical(name), -1) for name in self.names)


FER2013 = LabelSet("fer2013", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
FERPLUS = LabelSet("ferplus", ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"))
AFFECTNET8 = LabelSet("affectnet8", ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"))
AFFECTNET7 = LabelSet("affectnet7", AFFECTNET8.names[:7])
RAFDB = LabelSet("rafdb", ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"))
CKPLUS8 = LabelSet("ckplus8", ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"))
CKPLUS7 = LabelSet("ckplus7", CKPLUS8.names[1:])
BASIC7 = LabelSet("basic7", ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"))

FERPLUS_VOTES = (*FERPLUS.names, "unknown", "NF")
"""The ten vote columns of `fer2013new.csv`; NF is "not a face"."""

LABEL_SETS = {
    labels.name: labels for labels in (FER2013, FERPLUS, AFFECTNET8, AFFECTNET7, RAFDB, CKPLUS8, CKPLUS7, BASIC7)
}

_SYNONYMS = {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "fearful": "fear",
    "afraid": "fear",
    "disgusted": "disgust",
}


def canonical(name: str) -> str:
    """One spelling an expression: "happiness" and "Happy" are both "happy"."""
    lower = name.strip().lower()
    return _SYNONYMS.get(lower, lower)


def label_set(name: str) -> LabelSet:
    """The label set called `name`. Raises LabelError, listing the known ones."""
    if name not in LABEL_SETS:
        raise LabelError(f"label set {name!r}", f"one of {', '.join(LABEL_SETS)}", "use one of those names")
    return LABEL_SETS[name]
