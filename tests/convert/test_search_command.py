"""`python -m convert search`: the layer that int8 ruins is found, and the recipe gives the very model that was judged."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from convert.card import card_path, read_card
from convert.cli import main
from convert.graph import read_graph
from convert.parity.gate import KEYS
from convert.quiet import quiet_tensorflow
from convert.recipe import read_recipe
from convert.search.forms import FormSide
from convert.trial import keras_answers
from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013
from tests.convert.made import made_up_faces, made_up_pixels, tiny_model, write_fer2013

JUDGED = 140
FILES = ["model.tflite", "model.tflite.json", "recipe.toml", "search.json"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def write_gate(path, **thresholds):
    values = {**dict.fromkeys(KEYS, "off"), "class_least_faces": 1, "small_classes": "leave out", **thresholds}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


def ruin(model):
    """A weight far above all others, for a channel that is never alive: int8 has no steps left for the others, float32 has."""
    before, dense = model.get_layer(index=-4), model.get_layer(index=-2)
    kernel, bias = before.get_weights()
    bias[0] = -1e3
    before.set_weights([kernel, bias])
    kernel, bias = dense.get_weights()
    kernel[0] = 60 * np.abs(kernel).max()
    dense.set_weights([kernel, bias])


def both_splits(model):
    """Training faces, and others that are labelled as the model itself answers."""
    pixels = made_up_pixels(JUDGED, seed=21)
    training = made_up_faces()
    labels = keras_answers(model, pixels).argmax(axis=1).astype(np.int16)
    return FaceSet(
        np.concatenate([training.pixels, pixels[..., 0]]),
        np.concatenate([training.labels, labels]),
        np.concatenate([training.splits, np.full(JUDGED, "PublicTest")]),
        np.arange(len(training) + JUDGED),
        FER2013,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    model = tiny_model()
    found = SimpleNamespace(
        folder=folder,
        sound=folder / "sound.keras",
        ruined=folder / "ruined.keras",
        data=folder / "fer2013.csv",
        gate=write_gate(folder / "mine.toml", agreement=0.9),
        dense=model.layers[-2].name,
    )
    with quiet_tensorflow():
        model.save(found.sound)
        ruin(model)
        model.save(found.ruined)
    write_fer2013(found.data, both_splits(model))
    return found


def asked(files, model, out, *options, gate=None, split="PublicTest", data=None):
    return [
        *("search", model, "--calibration", files.data, "--count", 64, "--sample", 32),
        *("--data", data or files.data, "--split", split, "--label-set", "fer2013"),
        *("--gate", gate or files.gate, "--out", out, *options),
    ]


@pytest.fixture(scope="module")
def ruined(files):
    """One whole search on the ruined model."""
    out = files.folder / "ruined"
    assert run(*asked(files, files.ruined, out)) == 0
    return SimpleNamespace(out=out, table=json.loads((out / "search.json").read_text()))


def test_the_layer_that_int8_ruins_is_kept_and_no_other(files, ruined):
    units = ruined.table["sensitivity"]["units"]
    assert max(units, key=lambda each: each["divergence"])["name"] == files.dense
    trials = ruined.table["trials"]
    assert trials[0]["kept"] == []
    assert trials[0]["outcome"] == "failed"
    found = trials[ruined.table["found"]]
    assert found["kept"] == [files.dense]
    assert found["outcome"] == ruined.table["outcome"] == "passed"
    assert found["verdict"]["lines"][2]["measured"] >= 0.9 > trials[0]["verdict"]["lines"][2]["measured"]
    assert found["size_bytes"] < ruined.table["float32"]["size_bytes"]
    assert 0 < found["float_macs"] < 0.1, "the dense layer is a small part of the net"


def test_the_recipe_gives_the_very_bytes_that_were_judged(files, ruined, tmp_path):
    recipe = read_recipe(str(ruined.out / "recipe.toml"))
    assert (recipe.kind, recipe.keep_layers, recipe.count, recipe.seed) == ("mixed", (files.dense,), 64, 1)
    again = tmp_path / "again.tflite"
    command = ["tflite", files.ruined, "--recipe", ruined.out / "recipe.toml", "--calibration", files.data]
    assert run(*command, "--out", again) == 0
    content = again.read_bytes()
    assert content == (ruined.out / "model.tflite").read_bytes()
    assert card_path(again).read_bytes() == card_path(ruined.out / "model.tflite").read_bytes()
    card = read_card(again, content)
    assert card.sha256 == ruined.table["trials"][ruined.table["found"]]["sha256"]
    assert list(card.kept) == [name for name in card.kept if files.dense in name]


def test_the_result_names_model_data_gate_and_calibration_by_their_hashes(ruined):
    table = ruined.table
    hashes = [
        table["model"]["sha256"],
        table["data"]["sha256"],
        table["gate"]["sha256"],
        table["calibration"]["sha256"],
    ]
    assert {len(each) for each in hashes} == {64}
    assert (table["data"]["faces"], table["sensitivity"]["faces"]) == (JUDGED, 32)
    assert all(each["latency_ratio"] is None for each in table["trials"]), "a gate that does not, has not"
    assert {"tensorflow", "ai-edge-quantizer", "ai-edge-litert", "machine"} <= set(table["environment"])


def test_int8_that_passes_at_once_needs_no_float_and_is_an_int8_recipe(files, tmp_path, capsys):
    out = tmp_path / "sound"
    gate = write_gate(tmp_path / "timed.toml", agreement=0.9, latency_ratio=1000.0)
    assert run(*asked(files, files.sound, out, "--latency-runs", 5, gate=gate)) == 0
    assert "nothing needs float32: int8 throughout passes" in capsys.readouterr().out
    assert read_recipe(str(out / "recipe.toml")).kind == "int8"
    assert read_graph((out / "model.tflite").read_bytes(), "it").output.dtype == "uint8"
    table = json.loads((out / "search.json").read_text())
    assert table["sensitivity"]["units"] == []
    assert table["trials"][table["found"]]["kind"] == "int8"
    assert all(each["latency_ratio"] > 0 for each in table["trials"]), "a gate that judges latency has it measured"


def test_a_search_in_vain_exits_1_and_says_what_float32_reaches(files, tmp_path, capsys):
    out = tmp_path / "vain"
    gate = write_gate(tmp_path / "small.toml", agreement=0.9, size_bytes=10)
    assert run(*asked(files, files.ruined, out, gate=gate)) == 1
    said = capsys.readouterr().out
    assert f"nothing passes; with {files.dense} in float32: size_bytes" in said
    assert "all in float32: 100.00 % accuracy" in said
    assert [path.name for path in out.iterdir()] == ["search.json"]


@pytest.fixture
def refused(capsys, tmp_path):
    def check(*arguments):
        assert run(*arguments) == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith("convert: ")
        assert output.err.count("\n") == 1
        assert not (tmp_path / "out").exists()
        return output.err

    return check


def test_a_line_that_no_form_could_be_judged_by_ends_the_search_at_its_start(files, tmp_path, refused, monkeypatch):
    monkeypatch.setattr("convert.search.strategy.make_forms", None)
    gate = write_gate(tmp_path / "strict.toml", agreement=0.999)
    said = refused(*asked(files, files.sound, tmp_path / "out", gate=gate))
    assert "140 faces are too few; it takes about 1,000" in said


def test_judged_faces_among_those_that_calibrate_are_refused(files, tmp_path, refused):
    out = tmp_path / "out"
    assert "training faces set the ranges" in refused(*asked(files, files.sound, out, split="Training"))
    assert "training faces set the ranges" in refused(*asked(files, files.sound, out, split="all"))
    other = write_fer2013(tmp_path / "other.csv", made_up_faces(split="PublicTest"))
    assert "calibration faces are evaluation faces" in refused(*asked(files, files.sound, out, data=other))


def test_wrong_use_is_one_line_and_leaves_no_file(files, tmp_path, refused):
    out, mine = tmp_path / "out", tmp_path / "mine.toml"
    mine.write_text(files.gate.read_text() + "agrement = 0.9\n")
    assert "did you mean 'agreement'" in refused(*asked(files, files.sound, out, gate=mine))
    empty = tmp_path / "empty.csv"
    empty.write_text("emotion,pixels,Usage\n")
    assert "empty.csv" in refused(*asked(files, files.sound, out, data=empty))
    assert "a model that Keras saved" in refused(*asked(files, tmp_path / "none.keras", out))
    tflite = shutil.copy(files.data, tmp_path / "model.tflite")
    assert "Keras cannot load it" in refused(*asked(files, tflite, out))
    assert "--sample 1;" in refused(*asked(files, files.sound, out, "--sample", 1))
    timed = write_gate(tmp_path / "timed.toml", latency_ratio=2.0)
    assert "--latency-runs 0 with a gate" in refused(*asked(files, files.sound, out, "--latency-runs", 0, gate=timed))


def test_a_search_that_was_broken_off_goes_on_where_it_was(files, ruined, tmp_path, monkeypatch, capsys):
    asked_again, whole = [], FormSide.probabilities

    def probabilities(side, pixels, advance):
        asked_again.append(side.about.name)
        return whole(side, pixels, advance)

    def interrupted(name, count):
        if name == "1 kept":
            raise KeyboardInterrupt
        return lambda _: None

    command = asked(files, files.ruined, tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("convert.commands.search._progress", interrupted)
        assert run(*command) == 130
    assert capsys.readouterr().err.endswith("convert: interrupted\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["answers"]
    monkeypatch.setattr(FormSide, "probabilities", probabilities)
    assert run(*command) == 0
    assert asked_again == ["1 kept"], "all else was answered before"
    assert json.loads((tmp_path / "out" / "search.json").read_text()) == ruined.table
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_a_folder_with_files_in_it_is_not_written_into(files, ruined, capsys):
    before = {path: path.read_bytes() for path in ruined.out.iterdir()}
    assert run(*asked(files, files.sound, ruined.out)) == 2
    assert "a folder that is empty or not there yet" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in ruined.out.iterdir()} == before
