"""Views of a face: mirror images, and ten crops through a model that was trained on whole faces."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.train.made import SIZE, tiny_faces
from train.cli import main
from train.errors import ModelError
from train.models import build_logits, with_softmax
from train.views import FLIP, SINGLE, Views, at_size, predict, ten_crop

CROP = 20


def pooled() -> keras.Model:
    options = {"filters": [4, 8], "convolutions": 1, "head": "pool"}
    keras.utils.set_random_seed(1)
    return with_softmax(build_logits("vgg", options, 7, SIZE, 1))


def centre_cropped() -> keras.Model:
    """A dense head, whose weights belong to 20 px, behind a crop to them, as recipes with model.crop have."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((SIZE, SIZE, 1))
    x = layers.Rescaling(1 / 255)(layers.CenterCrop(CROP, CROP)(inputs))
    return keras.Model(inputs, layers.Dense(7, activation="softmax")(layers.Flatten()(x)))


@pytest.fixture(scope="module")
def pixels():
    return tiny_faces().pixels[:6]


def test_ten_crops_are_four_corners_and_the_middle_each_with_its_mirror_image():
    face = np.arange(36).reshape(1, 6, 6, 1)
    views = list(ten_crop(4).of(face))
    assert [int(view[0, 0, 0, 0]) for view in views[::2]] == [0, 2, 12, 14, 7]
    assert all(view.shape == (1, 4, 4, 1) for view in views)
    assert len(views) == 10
    for view, mirrored in zip(views[::2], views[1::2], strict=True):
        assert np.array_equal(view[:, :, ::-1], mirrored)


def test_views_say_what_they_are():
    assert [str(views) for views in (SINGLE, FLIP, ten_crop(40))] == ["single", "flip", "ten-crop 40"]
    assert SINGLE.words == ""
    assert "40 px, each with its mirror image" in ten_crop(40).words
    with pytest.raises(ValueError, match="at least one"):
        Views(crop=0)


def test_ten_crops_through_a_model_that_ignores_position_equal_one_view():
    inputs = keras.Input((SIZE, SIZE, 1))
    means = layers.Rescaling(1 / 255)(layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, layers.Dense(7, activation="softmax")(means))
    levels = np.array([10, 100, 250], np.uint8)
    flat = np.tile(levels[:, None, None], (1, SIZE, SIZE))  # each face has one grey level everywhere
    assert predict(model, flat, ten_crop(16)) == pytest.approx(predict(model, flat), abs=1e-6)


def test_ten_crops_are_the_mean_of_the_probabilities_of_each_crop(pixels):
    model = pooled()
    small = at_size(model, CROP)
    views = list(ten_crop(CROP).of(pixels[..., None].astype(np.float32)))
    expected = np.mean([small.predict_on_batch(view) for view in views], axis=0)
    answers = predict(model, pixels, ten_crop(CROP))
    assert answers == pytest.approx(expected, abs=1e-6)
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(answers - predict(model, pixels)).max() > 1e-5


def test_a_model_is_left_as_it_was_and_its_copy_has_the_same_weights():
    model = pooled()
    before = [weight.copy() for weight in model.get_weights()]
    copy = at_size(model, CROP)
    assert copy.input_shape == (None, CROP, CROP, 1)
    assert model.input_shape == (None, SIZE, SIZE, 1)
    for first, second, third in zip(before, model.get_weights(), copy.get_weights(), strict=True):
        assert np.array_equal(first, second)
        assert np.array_equal(first, third)


def test_a_model_that_crops_its_input_reads_the_crops_themselves(pixels):
    model = centre_cropped()
    middle = pixels[:, 2:-2, 2:-2]
    assert predict(at_size(model, CROP), middle) == pytest.approx(predict(model, pixels), abs=1e-6)
    predict(model, pixels, ten_crop(CROP))


def test_a_model_whose_weights_belong_to_one_size_refuses_and_says_what_to_do(tiny_run, pixels, capsys):
    with pytest.raises(ModelError, match=r"cannot read 16 px.*averages its features.*model\.crop"):
        predict(centre_cropped(), pixels, ten_crop(16))
    command = ["evaluate", str(tiny_run.folder), "--data", str(tiny_run.data), "--ten-crop"]
    assert main([*command, "20"]) == 2
    assert "take --flip or --single" in capsys.readouterr().err


def test_crops_as_large_as_the_face_are_refused(pixels):
    with pytest.raises(ModelError, match="crops smaller than the faces"):
        predict(pooled(), pixels, ten_crop(SIZE))


def test_ten_crops_on_the_command_line_are_said_and_noted(tmp_path, capsys):
    import json

    from edge_runtime.facesets import write_prepared

    write_prepared(tiny_faces(), tmp_path / "faces.npz")
    pooled().save(tmp_path / "m.keras")
    command = ["evaluate", str(tmp_path / "m.keras"), "--data", str(tmp_path / "faces.npz"), "--ten-crop", "20"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "averaged over the four corners and the middle of 20 px" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["views"] == "ten-crop 20"
    with pytest.raises(SystemExit):
        main([*command, "--flip"])
