"""Two disjoint sets of calibration faces must give models of one opinion."""

import numpy as np
import pytest

import convert.stability
from convert.calibration import choose_calibration
from convert.card import read_card
from convert.cli import main
from convert.errors import CalibrationError, StabilityError
from convert.recipe import read_recipe
from convert.stability import measure_stability
from convert.tflite import convert_model
from tests.convert.made import made_up_faces, tiny_model, write_fer2013

FACES = made_up_faces(a_class=20)
COUNT = 35


@pytest.fixture(scope="module")
def calibration():
    return choose_calibration(FACES, "made up", 48, 1, count=COUNT)


@pytest.fixture(scope="module")
def content(keras_model, calibration):
    return convert_model(keras_model, "int8", calibration)


def test_second_set_is_disjoint_and_asked_faces_are_in_neither(keras_model, calibration, content, monkeypatch):
    asked, chosen = [], []

    def answers(model, pixels, where):
        asked.append(pixels)
        return np.eye(7, dtype=np.float32)[np.arange(len(pixels)) % 7]

    def conversion(model, recipe, second, where):
        chosen.append(second)
        return content

    monkeypatch.setattr(convert.stability, "tflite_answers", answers)
    monkeypatch.setattr(convert.stability, "convert_model", conversion)
    stability = measure_stability(keras_model, read_recipe("int8"), FACES, calibration, content)
    (second,) = chosen
    assert not set(second.rows) & set(calibration.rows)
    assert len(second) == len(calibration) == COUNT
    assert (stability.agreement, stability.faces, stability.sha256) == (1.0, len(FACES) - 2 * COUNT, second.sha256)
    used = np.isin(FACES.rows, [*second.rows, *calibration.rows])
    assert np.array_equal(asked[0], FACES.pixels[~used][..., None])
    assert np.array_equal(asked[0], asked[1])


def test_model_that_its_calibration_does_not_decide_is_stable(keras_model, calibration):
    """With activations of 16 bits; in int8, 35 faces do decide what this untrained net says, and that is told."""
    recipe = read_recipe("int16x8")
    content = convert_model(keras_model, recipe, calibration)
    assert measure_stability(keras_model, recipe, FACES, calibration, content).agreement >= 0.97


def test_model_of_another_opinion_is_refused(keras_model, calibration):
    other = convert_model(tiny_model(seed=5), "int8", calibration)
    with pytest.raises(StabilityError, match=r"agree on \d+\.\d% of 70 training faces; expected at least 97%"):
        measure_stability(keras_model, read_recipe("int8"), FACES, calibration, other)


def test_too_few_faces_for_two_sets_are_refused(keras_model, calibration, content):
    few = FACES.where(np.arange(len(FACES)) < 100)
    with pytest.raises(CalibrationError, match=r"faces beside the 35 that calibrate; expected 85"):
        measure_stability(keras_model, read_recipe("int8"), few, calibration, content)


def test_command_tells_stability_keeps_it_and_fails_with_code_one(made, tmp_path, capsys, monkeypatch):
    data = write_fer2013(tmp_path / "fer2013.csv", FACES)
    out = tmp_path / "m.tflite"
    command = [
        "tflite",
        made.model,
        "--kind",
        "int16x8",
        "--calibration",
        data,
        "--count",
        COUNT,
        "--stability",
        "--out",
        out,
    ]
    assert main([*map(str, command)]) == 0
    assert "of 70 faces" in capsys.readouterr().out
    card = read_card(out, out.read_bytes())
    assert card.stability["faces"] == 70
    out.unlink()
    monkeypatch.setattr(convert.stability, "LEAST_AGREEMENT", 1.01)
    assert main([*map(str, command)]) == 1
    assert "two disjoint sets of 35" in capsys.readouterr().err
    assert not out.exists()
    float32 = ["tflite", made.model, "--kind", "float32", "--stability", "--out", out]
    assert main([*map(str, float32)]) == 2
    assert "--stability for float32" in capsys.readouterr().err
