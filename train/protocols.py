"""Protocols: how labelled faces are divided into folds, each held out once while a model is fitted to the others.

k-fold               faces at random, every class spread evenly over the folds
subject-disjoint     groups (people) stay whole: nobody is in two folds; sizes and classes as even as that allows
leave-one-group-out  one fold a group

Within a fold, the best epoch must not be chosen on the faces that are held out. So a tenth of the other faces, by class or
in whole groups, is set aside to choose on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.errors import DataError

__all__ = ["CHOOSING_SHARE", "PROTOCOLS", "Fold", "make_folds"]

PROTOCOLS = ("k-fold", "subject-disjoint", "leave-one-group-out")
CHOOSING_SHARE = 0.1

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """One fold as indices of faces, ascending: to fit, to choose the best epoch on, and held out to judge by.

    `groups` are those held out, in order; empty where the protocol does not go by groups.
    """

    training: Indices
    choosing: Indices
    held_out: Indices
    groups: tuple[str, ...] = ()


def make_folds(
    protocol: str, labels: NDArray[np.int16], groups: NDArray[np.str_] | None, count: int = 5, seed: int = 1
) -> list[Fold]:
    """Divides faces with these labels (N,) and groups (N,); the same arguments give the same folds.

    Args:
        protocol: one of `PROTOCOLS`.
        labels: class indices, none of them -1.
        groups: the person, or other unit that must not be divided, of each face; None where the data names none.
        count: how many folds; leave-one-group-out has as many as there are groups.
        seed: of the division and of the faces to choose on.

    Raises:
        DataError: an unknown protocol, a grouped one without groups, or too few faces or groups for so many folds.
    """
    if protocol not in PROTOCOLS:
        raise DataError(f"protocol {protocol!r}", f"one of {', '.join(PROTOCOLS)}", "correct --protocol")
    if protocol == "k-fold":
        parts, names = _stratified(labels, count, seed), None
    else:
        names = _checked(groups, protocol)
        known = sorted({str(name) for name in names})
        if protocol == "leave-one-group-out":
            _enough_groups(len(known), 3, protocol)
            parts = [np.flatnonzero(names == name) for name in known]
        else:
            _enough_groups(len(known), max(3, count), protocol)
            parts = _grouped(labels, names, count, seed)
    return [_fold(part, labels, names, [seed, index]) for index, part in enumerate(parts)]


def _stratified(labels: NDArray[np.int16], count: int, seed: int) -> list[Indices]:
    from sklearn.model_selection import StratifiedKFold

    least = int(np.bincount(labels)[np.unique(labels)].min()) if len(labels) else 0
    if not 2 <= count <= least:
        raise DataError(
            f"{count} folds of {len(labels)} faces, {least} of the rarest class",
            "at least 2 folds, and a face of each class for each",
            "name fewer folds, or take more faces",
        )
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [held_out for _, held_out in splitter.split(labels, labels)]


def _grouped(labels: NDArray[np.int16], names: NDArray[np.str_], count: int, seed: int) -> list[Indices]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    if count < 2:
        raise DataError(f"{count} folds", "at least 2", "correct --folds")
    parts: list[Indices] = []
    # It balances classes and refuses where every class is rarer than the folds are many; sizes can still be balanced then.
    if np.bincount(labels).max() >= count:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a class rarer than the folds are many: `crossvalidate` looks at that itself
            splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
            parts = [held_out for _, held_out in splitter.split(labels, labels, names)]
    if not parts or min(map(len, parts)) == 0:
        parts = [held_out for _, held_out in GroupKFold(count).split(labels, labels, names)]
    return parts


def _checked(groups: NDArray[np.str_] | None, protocol: str) -> NDArray[np.str_]:
    if groups is None:
        raise DataError(
            f"protocol {protocol!r} for faces without groups",
            "data that says which person each face shows",
            "take --protocol k-fold, or data whose reader names its subjects",
        )
    return groups


def _enough_groups(there: int, least: int, protocol: str) -> None:
    if there < least:
        raise DataError(
            f"{there} groups for {protocol}",
            f"at least {least}: to hold out, to choose the best epoch on, and to fit",
            "name fewer --folds, or take --protocol k-fold",
        )


def _fold(held_out: Indices, labels: NDArray[np.int16], names: NDArray[np.str_] | None, seed: list[int]) -> Fold:
    rest = np.setdiff1d(np.arange(len(labels)), held_out)
    random = np.random.default_rng(seed)
    if names is None:
        chosen = _some_of_each_class(labels[rest], random)
        out: tuple[str, ...] = ()
    else:
        chosen = _whole_groups(labels[rest], names[rest], random)
        out = tuple(sorted({str(name) for name in names[held_out]}))
    return Fold(rest[~chosen], rest[chosen], np.sort(held_out), out)


def _some_of_each_class(labels: NDArray[np.int16], random: np.random.Generator) -> NDArray[np.bool_]:
    """A tenth of each class, at least one face of each class that has two."""
    chosen = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        there = np.flatnonzero(labels == label)
        take = max(1, round(CHOOSING_SHARE * len(there))) if len(there) > 1 else 0
        chosen[random.permutation(there)[:take]] = True
    return chosen


def _whole_groups(labels: NDArray[np.int16], names: NDArray[np.str_], random: np.random.Generator) -> NDArray[np.bool_]:
    """Whole groups, about a tenth of the faces, that leave faces of each class to fit."""
    wanted = CHOOSING_SHARE * len(labels)
    shuffled = random.permutation(sorted({str(name) for name in names}))
    sizes = {str(name): int((names == name).sum()) for name in shuffled}
    # Groups larger than a tenth come last, the smallest of them first.
    order = sorted(map(str, shuffled), key=lambda name: max(sizes[name], wanted))
    classes = np.unique(labels)
    chosen = np.zeros(len(labels), np.bool_)
    for name in order:
        more = chosen | (names == name)
        fits = not chosen.any() or more.sum() <= 1.5 * wanted
        if fits and np.array_equal(np.unique(labels[~more]), classes):
            chosen = more
        if chosen.sum() >= wanted:
            break
    if not chosen.any():
        raise DataError(
            "groups of which none can be set aside to choose the best epoch on",
            "classes that stand in two groups at least besides those held out",
            "name more --folds, or take --protocol k-fold",
        )
    return chosen
