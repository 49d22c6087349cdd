"""Label sets, their orders and the maps between them."""

import pytest

from edge_runtime.errors import LabelError
from edge_runtime.labels import (
    AFFECTNET7,
    AFFECTNET8,
    BASIC7,
    CKPLUS7,
    CKPLUS8,
    FER2013,
    FERPLUS,
    FERPLUS_VOTES,
    LABEL_SETS,
    RAFDB,
    LabelSet,
    canonical,
    label_set,
)


def test_orders_are_those_of_the_data_sets():
    assert FER2013.names == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert FERPLUS.names == ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    assert AFFECTNET8.names == ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
    assert AFFECTNET7.names == ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")
    assert RAFDB.names == ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
    assert CKPLUS8.names == ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    assert CKPLUS7.names == ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    assert BASIC7.names == ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    assert FERPLUS_VOTES[:8] == FERPLUS.names
    assert FERPLUS_VOTES[8:] == ("unknown", "NF")


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("Anger", "angry"),
        (" HAPPINESS ", "happy"),
        ("sadness", "sad"),
        ("fear", "fear"),
        ("Fearful", "fear"),
        ("afraid", "fear"),
        ("Disgusted", "disgust"),
        ("contempt", "contempt"),
    ],
)
def test_spellings_of_one_expression_are_one(spelling, meant):
    assert canonical(spelling) == meant


def test_maps_go_by_expression_and_not_by_place():
    assert [FER2013.names[index] for index in FERPLUS.indices_in(FER2013)[:-1]] == [
        "neutral",
        "happy",
        "surprise",
        "sad",
        "angry",
        "disgust",
        "fear",
    ]
    assert FERPLUS.indices_in(FER2013)[-1] == -1  # contempt
    assert -1 not in FER2013.indices_in(AFFECTNET8)


@pytest.mark.parametrize("labels", LABEL_SETS.values())
def test_every_set_maps_onto_itself(labels):
    assert labels.indices_in(labels) == tuple(range(len(labels)))
    assert [labels.index(name) for name in labels.names] == list(range(len(labels)))
    assert label_set(labels.name) is labels


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(LabelError, match="angry, disgust, fear, happy, sad, surprise, neutral"):
        FER2013.index("contempt")
    with pytest.raises(LabelError, match="fer2013, ferplus, affectnet8"):
        label_set("fer")


@pytest.mark.parametrize("names", [(), ("happy", "happy")])
def test_a_set_without_names_or_with_one_twice_is_refused(names):
    with pytest.raises(LabelError, match="distinct names"):
        LabelSet("mine", names)
