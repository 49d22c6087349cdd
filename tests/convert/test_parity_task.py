"""What all sides are asked: the same faces, and labels in one order."""

import numpy as np
import pytest

from convert.parity.errors import ParityError, SideError
from convert.parity.task import Data, make_task, order_in, shared_labels
from edge_runtime.bundle import InputFacts
from edge_runtime.errors import FaceSetError
from edge_runtime.facesets import write_prepared
from edge_runtime.labels import AFFECTNET8, BASIC7, FER2013, FERPLUS
from tests.convert.made import made_up_faces

NAMES = FER2013.names
READS = InputFacts(48, 1)


def test_labels_in_another_order_are_brought_to_one_by_name():
    assert order_in(FER2013, "x", BASIC7.names).tolist() == [BASIC7.index(name) for name in NAMES]
    assert order_in(FER2013, "x", ("Anger", *NAMES[1:])).tolist() == list(range(7))
    for other in (FERPLUS.names, ("contempt", *NAMES[1:])):
        with pytest.raises(SideError, match=f"{len(other)} labels, {other[0]}"):
            order_in(FER2013, "x", other)


def test_order_of_the_labels_is_the_first_sides_that_names_them():
    assert shared_labels([("a", BASIC7.names), ("b", NAMES)], None) == BASIC7
    assert shared_labels([], FER2013) == FER2013
    assert shared_labels([("a", BASIC7.names)], FER2013) == BASIC7
    with pytest.raises(ParityError, match="no side names its labels"):
        shared_labels([], None)
    with pytest.raises(ParityError, match="--label-set ferplus for a"):
        shared_labels([("a", NAMES)], FERPLUS)


def test_faces_with_other_labels_need_a_map_to_be_asked_for(tmp_path):
    data = tmp_path / "faces.npz"
    write_prepared(made_up_faces(labels=AFFECTNET8), data)
    with pytest.raises(ParityError, match="ask for the map with --label-set"):
        make_task(Data(data, "Training"), FER2013, READS, None)
    task = make_task(Data(data, "Training"), FER2013, READS, FER2013)
    assert int((task.faces.labels < 0).sum()) == 12
    assert task.facts.label_names == NAMES
    with pytest.raises(FaceSetError, match="Validation"):
        make_task(Data(data, "Validation"), FER2013, READS, FER2013)


def test_every_side_reads_the_faces_through_the_deployed_preprocessing(made):
    task = make_task(Data(made.data, "all"), FER2013, READS, None)
    faces = made_up_faces()
    assert np.array_equal(task.pixels(READS)[..., 0], faces.pixels)
    assert task.pixels(InputFacts(40, 3, "clahe"), [0, 5]).shape == (2, 40, 40, 3)
    assert task.facts.split == "all"
