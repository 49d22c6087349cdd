"""Folds: disjoint, covering, and with groups kept whole."""

import numpy as np
import pytest

from train.errors import DataError
from train.protocols import PROTOCOLS, make_folds

RANDOM = np.random.default_rng(7)
LABELS = np.repeat(np.arange(4), [200, 100, 60, 40]).astype(np.int16)[RANDOM.permutation(400)]
GROUPS = np.array([f"S{number:03d}" for number in RANDOM.integers(0, 23, 400)])


def folds(protocol, count=5, seed=1, labels=LABELS, groups=GROUPS):
    return make_folds(protocol, labels, groups, count, seed)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_folds_are_disjoint_and_cover_every_face(protocol):
    made = folds(protocol)
    assert sorted(np.concatenate([fold.held_out for fold in made])) == list(range(400))
    for fold in made:
        everything = np.concatenate([fold.training, fold.choosing, fold.held_out])
        assert sorted(everything) == list(range(400))
        assert min(len(fold.training), len(fold.choosing), len(fold.held_out)) > 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_seed_makes_the_same_folds(protocol):
    for first, second in zip(folds(protocol), folds(protocol), strict=True):
        assert np.array_equal(first.training, second.training)
        assert np.array_equal(first.choosing, second.choosing)
        assert np.array_equal(first.held_out, second.held_out)


@pytest.mark.parametrize("protocol", ["k-fold", "subject-disjoint"])
def test_another_seed_makes_other_folds(protocol):
    pairs = zip(folds(protocol), folds(protocol, seed=2), strict=True)
    assert any(not np.array_equal(first.held_out, second.held_out) for first, second in pairs)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("protocol", ["subject-disjoint", "leave-one-group-out"])
def test_a_group_is_never_divided(protocol, seed):
    for fold in folds(protocol, seed=seed):
        parts = [set(GROUPS[rows]) for rows in (fold.training, fold.choosing, fold.held_out)]
        assert not parts[0] & parts[1]
        assert not parts[0] & parts[2]
        assert not parts[1] & parts[2]
        assert fold.groups == tuple(sorted(parts[2]))


def test_leave_one_group_out_has_one_fold_a_group():
    made = folds("leave-one-group-out")
    assert [fold.groups for fold in made] == [(name,) for name in sorted(set(GROUPS))]


def test_k_folds_have_each_class_in_its_share_and_so_has_what_the_epoch_is_chosen_on():
    shares = np.bincount(LABELS) / 400
    for fold in folds("k-fold"):
        assert len(fold.held_out) == 80
        assert np.bincount(LABELS[fold.held_out]) / 80 == pytest.approx(shares, abs=0.01)
        assert len(fold.choosing) == 32
        assert np.bincount(LABELS[fold.choosing]) / 32 == pytest.approx(shares, abs=0.01)


def test_subject_disjoint_folds_are_about_as_large_as_each_other():
    for fold in folds("subject-disjoint"):
        assert 55 <= len(fold.held_out) <= 105
        assert 0.05 <= len(fold.choosing) / (400 - len(fold.held_out)) <= 0.16


def test_a_class_that_one_group_alone_shows_is_not_set_aside():
    labels, groups = np.zeros(60, np.int16), np.repeat([f"S{number}" for number in range(6)], 10)
    labels[groups == "S4"] = 1
    for fold in folds("leave-one-group-out", labels=labels, groups=groups):
        if "S4" not in fold.groups:
            assert 1 in labels[fold.training]


def test_data_without_groups_has_no_grouped_protocol_and_it_is_said_which_there_is():
    for protocol in ("subject-disjoint", "leave-one-group-out"):
        with pytest.raises(DataError, match=r"faces without groups; .*take --protocol k-fold"):
            folds(protocol, groups=None)
    assert len(folds("k-fold", groups=None)) == 5


@pytest.mark.parametrize(
    ("protocol", "count", "groups", "message"),
    [
        ("none", 5, GROUPS, "one of k-fold, subject-disjoint, leave-one-group-out"),
        ("k-fold", 1, GROUPS, "1 folds of 400 faces"),
        ("k-fold", 41, GROUPS, "41 folds of 400 faces, 40 of the rarest class"),
        ("subject-disjoint", 24, GROUPS, "23 groups for subject-disjoint; expected at least 24"),
        ("subject-disjoint", 1, GROUPS, "1 folds; expected at least 2"),
        ("leave-one-group-out", 5, np.repeat(["a", "b"], 200), "2 groups for leave-one-group-out; expected at least 3"),
    ],
)
def test_what_cannot_be_divided_is_refused(protocol, count, groups, message):
    with pytest.raises(DataError, match=message):
        folds(protocol, count, groups=groups)


def test_classes_rarer_than_the_folds_are_many_are_divided_by_groups_without_a_warning():
    labels = np.arange(30, dtype=np.int16) % 10
    groups = np.array([f"S{number}" for number in range(30)])
    made = folds("subject-disjoint", 6, labels=labels, groups=groups)
    assert [len(fold.held_out) for fold in made] == [5] * 6
