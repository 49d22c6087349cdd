"""Training provenance: taken from the run card of the very model that was converted, and fit to travel."""

import dataclasses
import hashlib
import json

import pytest

from convert.errors import ProvenanceError
from convert.training import _KEPT, CARD, CARD_VERSION, illumination_beside, training_table
from edge_runtime.labels import FER2013, FERPLUS

MODEL = b"the Keras model"
SHA256 = hashlib.sha256(MODEL).hexdigest()


def card(**changes):
    whole = {part: {key: f"{part} {key}" for key in keys} for part, keys in _KEPT.items()}
    whole["model"]["labels"] = list(FER2013.names)
    whole["hardware"] = {"processor": "a computer"}
    return {"format": CARD_VERSION, **whole, **changes}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "model.keras").write_bytes(MODEL)
    (tmp_path / CARD).write_text(json.dumps(card()))
    return tmp_path


def refusal(run, labels=FER2013, sha256=SHA256):
    with pytest.raises(ProvenanceError) as caught:
        training_table(run, labels, sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_recipe_data_seed_and_accuracy_are_kept(run):
    table = training_table(run, FER2013, SHA256)
    assert table["recipe"] == {"name": "recipe name", "sha256": "recipe sha256", "seed": "recipe seed"}
    assert table["data"]["sha256"] == "data sha256"
    assert table["result"]["accuracy"] == "result accuracy"
    assert "hardware" not in table
    assert "labels" not in table["model"]


def taught(**changes):
    wise = {"name": "wise", "recipe": "vgg", "sha256": "f" * 64, "accuracy": 0.7, "choose_split": "PublicTest"}
    how = {"teacher_share": 0.7, "temperature": 3.0, "views": "live", "cached_views": None, "unlabelled": 0}
    return {**how, "teachers": [{**wise, **changes}]}


def test_who_taught_a_student_is_kept(run):
    (run / CARD).write_text(json.dumps(card(distillation=taught())))
    table = training_table(run, FER2013, SHA256)["distillation"]
    assert (table["temperature"], table["teachers"][0]["recipe"]) == (3.0, "vgg")
    (run / CARD).write_text(json.dumps(card()))
    assert "distillation" not in training_table(run, FER2013, SHA256)


def test_teachers_that_are_incomplete_or_have_paths_are_refused(run):
    incomplete = taught()
    del incomplete["teachers"][0]["sha256"]
    (run / CARD).write_text(json.dumps(card(distillation=incomplete)))
    assert "distillation without 'sha256'" in refusal(run)
    (run / CARD).write_text(json.dumps(card(distillation=taught(name="/home/me/wise"))))
    assert "facts that can travel" in refusal(run)


def test_run_of_another_model_is_refused(run):
    assert "that of the Keras model which was converted" in refusal(run, sha256="0" * 64)
    (run / "model.keras").unlink()
    assert "model.keras: No such file" in refusal(run)


def test_run_of_another_label_set_is_refused(run):
    assert "neutral, happiness" in refusal(run, FERPLUS)


@pytest.mark.parametrize("part", _KEPT)
def test_card_without_a_fact_is_refused_by_its_name(run, part):
    whole = card()
    key = _KEPT[part][0]
    del whole[part][key]
    (run / CARD).write_text(json.dumps(whole))
    assert f"no {part}.{key}" in refusal(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 99}'])
def test_file_that_is_no_run_card_is_refused(run, content):
    (run / CARD).write_text(content)
    assert CARD in refusal(run)


def test_folder_without_a_card_is_refused(tmp_path):
    assert "run.json: No such file" in refusal(tmp_path)


@pytest.mark.parametrize("path", ["/home/me/data", "C:\\data"])
def test_absolute_path_is_refused(run, path):
    (run / CARD).write_text(json.dumps(card(code={"commit": path, "dirty": False})))
    assert path[:3] in refusal(run)


def with_illumination(run, name):
    whole = card()
    whole["model"]["illumination"] = name
    (run / CARD).write_text(json.dumps(whole))


def test_illumination_of_the_run_is_kept_and_none_is_not_written(run):
    assert "illumination" not in training_table(run, FER2013, SHA256)["model"]
    with_illumination(run, "none")
    assert "illumination" not in training_table(run, FER2013, SHA256)["model"]
    with_illumination(run, "dct")
    assert training_table(run, FER2013, SHA256, "dct")["model"]["illumination"] == "dct"


@pytest.mark.parametrize(
    ("trained", "converted"), [("dct", "none"), ("none", "dct"), (None, "dct"), ("dct", "clahe")], ids=str
)
def test_run_of_another_illumination_than_the_conversion_is_refused(run, trained, converted):
    if trained is not None:
        with_illumination(run, trained)
    with pytest.raises(ProvenanceError, match=f"'{trained or 'none'}'.*expected '{converted}'.*convert it again"):
        training_table(run, FER2013, SHA256, converted)


def test_illumination_is_found_beside_the_model_of_a_run(run, tmp_path):
    assert illumination_beside(run / "model.keras") == "none"
    with_illumination(run, "clahe")
    assert illumination_beside(run / "model.keras") == "clahe"
    assert illumination_beside(run / "another.keras") is None
    with_illumination(run, "clahee")
    with pytest.raises(ProvenanceError, match=r"run\.json: illumination 'clahee'.*did you mean 'clahe'"):
        illumination_beside(run / "model.keras")
    (run / CARD).write_text("{")
    with pytest.raises(ProvenanceError, match=r"run\.json"):
        illumination_beside(run / "model.keras")
    (run / CARD).unlink()
    assert illumination_beside(run / "model.keras") is None


CALIBRATION = {
    "temperature": 1.3,
    "split": "PublicTest",
    "faces": 3589,
    "data_sha256": "d",
    "model_sha256": SHA256,
    "before": {"expected_calibration_error": 0.09},
    "after": {"expected_calibration_error": 0.02},
}


def test_temperature_of_the_run_is_kept_and_none_is_not_written(run):
    assert "calibration" not in training_table(run, FER2013, SHA256)
    (run / CARD).write_text(json.dumps(card(calibration=CALIBRATION)))
    kept = training_table(run, FER2013, SHA256)["calibration"]
    assert kept == {key: value for key, value in CALIBRATION.items() if key != "model_sha256"}


def test_temperature_of_another_model_is_refused(run):
    (run / CARD).write_text(json.dumps(card(calibration={**CALIBRATION, "model_sha256": "0" * 64})))
    assert "a calibration of another model" in refusal(run)


def test_training_writes_each_fact_that_is_kept():
    """The two sides meet through a file; here their words are held together."""
    run_card = pytest.importorskip("train.run_card")
    written = {
        "data": run_card.DataFacts,
        "result": run_card.ResultFacts,
        "code": run_card.Code,
        "versions": run_card.Versions,
    }
    for part, facts in written.items():
        assert set(_KEPT[part]) <= {field.name for field in dataclasses.fields(facts)}
    assert (CARD, CARD_VERSION) == (run_card.CARD, run_card.CARD_VERSION)
    assert {field.name for field in dataclasses.fields(run_card.RunCard)} >= set(_KEPT)
