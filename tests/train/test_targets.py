"""What a model is taught."""

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013, FERPLUS_VOTES
from train.errors import DataError
from train.recipe_tables import Targets
from train.targets import make_targets, vote_shares


def faces_with(votes: list[dict[str, int]], labels: list[int]) -> FaceSet:
    rows = np.array([[vote.get(name, 0) for name in FERPLUS_VOTES] for vote in votes], np.uint8)
    count = len(labels)
    pixels = np.zeros((count, 8, 8), np.uint8)
    return FaceSet(pixels, np.array(labels, np.int16), np.full(count, "Training"), np.arange(count), FER2013, rows)


def test_labels_become_one_hot_rows():
    targets = make_targets(faces_with([{}, {}], [0, 6]), Targets())
    assert targets.tolist() == np.eye(7)[[0, 6]].tolist()


def test_smoothing_spreads_its_share_over_all_classes():
    (row,) = make_targets(faces_with([{}], [3]), Targets(label_smoothing=0.07))
    assert row[3] == pytest.approx(0.94)
    assert row[0] == pytest.approx(0.01)
    assert row.sum() == pytest.approx(1)


def test_votes_are_counted_in_the_label_sets_own_order():
    shares = vote_shares(faces_with([{"anger": 6, "neutral": 2}, {"happiness": 10}], [0, 0]))
    assert shares[0, FER2013.index("angry")] == pytest.approx(0.75)
    assert shares[0, FER2013.index("neutral")] == pytest.approx(0.25)
    assert shares[1, FER2013.index("happy")] == 1


def test_votes_for_contempt_unknown_and_no_face_do_not_count():
    shares = vote_shares(faces_with([{"contempt": 4, "sadness": 3, "unknown": 2, "NF": 1}, {"NF": 10}], [4, 4]))
    assert shares[0, FER2013.index("sad")] == 1
    assert shares[1].sum() == 0


def test_a_mixture_holds_both_and_a_face_without_a_usable_vote_keeps_its_label():
    faces = faces_with([{"anger": 5, "sadness": 5}, {"NF": 10}], [0, 3])
    targets = make_targets(faces, Targets("mixed", votes_share=0.4))
    assert targets[0].tolist() == pytest.approx([0.8, 0, 0, 0, 0.2, 0, 0])
    assert targets[1].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert targets.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_a_mixture_without_votes_and_faces_without_labels_are_refused():
    faces = faces_with([{}], [0])
    with pytest.raises(DataError, match=r"--votes fer2013new.csv"):
        make_targets(replace(faces, votes=None), Targets("mixed"))
    with pytest.raises(DataError, match="1 training faces without a label"):
        make_targets(replace(faces, labels=np.array([-1], np.int16)), Targets())
