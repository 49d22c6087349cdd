"""What training starts from. Nothing here looks at the network: the applications' ImageNet weights are made up."""

import json
import shutil

import keras
import numpy as np
import pytest

from edge_runtime.labels import FER2013
from train.errors import ModelError, RecipeError
from train.models import build_logits, with_softmax
from train.models.applications import APPLICATIONS
from train.run_card import CARD, CARD_VERSION
from train.weights import carry_weights

TINY = {"filters": [4, 6, 4, 4], "dense": 8}


def made_up(constructor: str, made: list):
    """The application's constructor, with made-up values for its ImageNet weights; each net is noted in `made`."""
    real = getattr(keras.applications, constructor)

    def construct(weights=None, **more):
        # The larger nets are built once and given twice: the second time with "ImageNet's" weights.
        model = made[-1][1] if made else real(weights=None, **more)
        made.append((weights, model, more))
        if weights == "imagenet":
            random = np.random.default_rng(5)
            for variable in model.weights:
                if variable.name != "kernel":
                    variable.assign(np.abs(variable.numpy() + random.normal(0, 0.05, variable.shape)))
        return model

    return construct


@pytest.fixture
def imagenet(monkeypatch):
    """`imagenet("resnet50")`: its application gives made-up weights. Returns what was constructed."""

    def patch(architecture: str) -> list:
        made: list = []
        constructor = APPLICATIONS[architecture].constructor
        monkeypatch.setattr(keras.applications, constructor, made_up(constructor, made))
        return made

    return patch


@pytest.mark.parametrize(
    ("architecture", "preprocess", "parameters"),
    [
        ("inception_resnet_v2", keras.applications.inception_resnet_v2.preprocess_input, 54_336_736),
        ("mobilenet_v2_keras", keras.applications.mobilenet_v2.preprocess_input, 2_257_984),
        ("resnet50", keras.applications.resnet50.preprocess_input, 23_587_712),
    ],
)
def test_with_imagenet_s_weights_a_net_gives_its_application_s_features(architecture, preprocess, parameters, imagenet):
    model = build_logits(architecture, {}, 7, 96, 3)
    made = imagenet(architecture)
    line = carry_weights(model, architecture, "imagenet")
    assert [weights for weights, *_ in made] == [None, "imagenet"]
    source = made[-1][1]
    assert source.count_params() == parameters
    count = len(source.weights)
    assert line.startswith(f"{count} of {count + 2} weight arrays carried over from {architecture[:8]}")
    blue_green_red = np.random.default_rng(1).integers(0, 256, (1, 96, 96, 3)).astype(np.float32)
    features = keras.Model(model.input, model.get_layer("pool").input)(blue_green_red, training=False)
    # Keras' applications take red, green, blue, and prepare them.
    theirs = source(preprocess(blue_green_red[..., ::-1].copy()), training=False)
    scale = float(np.abs(theirs).max())
    assert scale > 0.01
    np.testing.assert_allclose(np.asarray(features), np.asarray(theirs), rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize(
    ("width", "size", "file"),
    [
        (1.0, 96, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"),
        (0.35, 64, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"),
        (0.5, None, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_224_no_top.h5"),
        (1.3, 128, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.3_128_no_top.h5"),
    ],
)
def test_mobilenet_takes_the_file_of_its_width_and_nearest_size(width, size, file, imagenet):
    model = build_logits("mobilenet_v2_keras", {"width": width}, 7, size, 1)
    made = imagenet("mobilenet_v2_keras")
    assert carry_weights(model, "mobilenet_v2_keras", "imagenet").endswith(file)
    assert made[-1][2]["alpha"] == pytest.approx(width, abs=1e-12)
    assert made[-1][2]["alpha"] in (0.35, 0.5, 1.0, 1.3)  # Keras compares exactly


def test_without_a_connection_the_file_and_its_place_are_named(monkeypatch):
    def offline(fname, origin, **_):
        raise Exception(f"URL fetch failure on {origin}: None -- [Errno -3] Temporary failure in name resolution")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", offline)
    model = build_logits("resnet50", {}, 7, 64, 1)
    with pytest.raises(ModelError) as caught:
        carry_weights(model, "resnet50", "imagenet")
    file = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert "Temporary failure in name resolution" in caught.value.received
    assert file in caught.value.expected
    assert f"put it at ~/.keras/models/{file}" in caught.value.mend
    assert "--weights none" in caught.value.mend


def test_the_named_files_are_those_that_keras_asks_for(monkeypatch):
    asked = []

    def ask(fname, *_, **__):
        asked.append(fname)
        raise OSError("offline")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", ask)
    model = build_logits("mobilenet_v2_keras", {"width": 0.35}, 7, 96, 1)
    with pytest.raises(ModelError) as caught:
        carry_weights(model, "mobilenet_v2_keras", "imagenet")
    assert len(asked) == 1
    assert f"~/.keras/models/{asked[0]}" in caught.value.mend


def test_an_architecture_without_imagenet_s_weights_is_answered_with_those_that_have():
    model = build_logits("simple_cnn", TINY, 7, 48, 1)
    with pytest.raises(RecipeError, match="inception_resnet_v2, mobilenet_v2_keras, resnet50"):
        carry_weights(model, "simple_cnn", "imagenet")


def test_imagenet_s_weights_for_a_narrower_net_are_refused_before_any_download(imagenet):
    made = imagenet("resnet50")
    model = build_logits("resnet50", {"blocks": [1, 1, 1, 1]}, 7, 48, 1)
    with pytest.raises(RecipeError, match="width or blocks"):
        carry_weights(model, "resnet50", "imagenet")
    assert [weights for weights, *_ in made] == [None]


def test_none_carries_nothing():
    model = build_logits("simple_cnn", TINY, 7, 48, 1)
    before = model.get_weights()
    assert carry_weights(model, "simple_cnn", "none") == ""
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.fixture
def run_folder(tmp_path):
    """A run folder with a trained model of seven classes."""
    (tmp_path / "run").mkdir()
    with_softmax(build_logits("simple_cnn", TINY, 7, 48, 1)).save(tmp_path / "run" / "model.keras")
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["", "model.keras"])
def test_a_run_is_carried_over_whole_whatever_keras_called_its_layers(run_folder, name):
    model = build_logits("simple_cnn", TINY, 7, 48, 1)
    line = carry_weights(model, "simple_cnn", str(run_folder / name))
    assert line == f"12 of 12 weight arrays carried over from {run_folder / 'model.keras'}"
    saved = keras.models.load_model(run_folder / "model.keras").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(saved, model.get_weights(), strict=True))


def test_logits_of_other_classes_keep_their_own_beginning(run_folder):
    model = build_logits("simple_cnn", TINY, 8, 48, 1)
    before = model.get_layer("logits").get_weights()
    line = carry_weights(model, "simple_cnn", str(run_folder))
    assert line.startswith("10 of 12 weight arrays carried over from ")
    assert line.endswith(": all but the logits, which start anew: that model answers other labels")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_layer("logits").get_weights(), strict=True))


def test_logits_of_the_same_labels_in_another_order_are_not_carried(run_folder):
    card = {
        "format": CARD_VERSION,
        **{key: {} for key in ("recipe", "result", "code", "versions", "hardware")},
        "model": {"label_set": "other", "labels": list(reversed(FER2013.names))},
        "data": {"sha256": "", "train_split": "Training"},
    }
    (run_folder / CARD).write_text(json.dumps(card))
    model = build_logits("simple_cnn", TINY, 7, 48, 1)
    line = carry_weights(model, "simple_cnn", str(run_folder), FER2013.names)
    assert line.startswith("10 of 12 weight arrays")
    assert line.endswith("that model answers other labels (neutral, surprise, sad, happy, fear, disgust, angry)")
    assert carry_weights(model, "simple_cnn", str(run_folder), FER2013.names[::-1]).startswith("12 of 12")


def test_of_a_net_that_differs_the_layers_of_the_same_name_and_shape_are_carried(tmp_path):
    options = {"filters": [4, 6, 8], "head": "pool", "convolutions": 1}
    with_softmax(build_logits("vgg", options, 7, 48, 1)).save(tmp_path / "model.keras")
    model = build_logits("vgg", {**options, "filters": [4, 6, 8, 10]}, 7, 48, 1)
    assert carry_weights(model, "vgg", str(tmp_path)).startswith("15 of 22 weight arrays")
    saved = keras.models.load_model(tmp_path / "model.keras")
    for name in ("block0_0", "block1_0_norm", "block2_0"):
        for a, b in zip(saved.get_layer(name).get_weights(), model.get_layer(name).get_weights(), strict=True):
            assert np.array_equal(a, b)


def test_a_model_of_which_nothing_fits_is_refused(run_folder):
    model = build_logits("vgg", {"filters": [3, 5], "head": "pool", "convolutions": 1}, 5, 48, 1)
    with pytest.raises(ModelError, match=r"none of its 12 weight arrays fits 'vgg'.*name a run of that architecture"):
        carry_weights(model, "vgg", str(run_folder))


def test_a_missing_and_a_damaged_model_are_answered(run_folder, tmp_path):
    model = build_logits("simple_cnn", TINY, 7, 48, 1)
    with pytest.raises(ModelError, match="imagnet, which does not exist; expected none, imagenet"):
        carry_weights(model, "simple_cnn", "imagnet")
    shutil.copy(run_folder / "model.keras", tmp_path / "half.keras")
    data = (tmp_path / "half.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"expected an undamaged \.keras file"):
        carry_weights(model, "simple_cnn", str(tmp_path / "half.keras"))
