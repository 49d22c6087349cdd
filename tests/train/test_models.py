"""Architectures: what each takes, gives, refuses, and how it is saved."""

import importlib

import keras
import numpy as np
import pytest

from edge_runtime.labels import label_set
from tests.train.nets import SMALL, answers, net, pixels
from train.errors import RecipeError
from train.models import ARCHITECTURES, build_logits, with_softmax
from train.recipe import list_recipes, read_recipe
from train.training_copy import training_copy

POOLED = [name for name in ARCHITECTURES if name != "simple_cnn"]


def test_every_architecture_is_tried_here():
    assert set(SMALL) == set(ARCHITECTURES)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_pixels_become_finite_logits_through_a_last_layer_of_that_name(name, channels):
    model = net(name, channels)
    assert model.input_shape == (None, 64, 64, channels)
    assert model.input.name == "pixels"
    logits = answers(model, pixels(64, channels))
    assert logits.shape == (2, 7)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert (np.abs(logits[0] - logits[1]) > 0).any()
    assert isinstance(model.layers[-1], keras.layers.Dense)
    assert model.layers[-1].name == "logits"
    assert "Rescaling" in [type(layer).__name__ for layer in model.layers[:3]]


@pytest.mark.parametrize("recipe", list_recipes())
def test_every_recipe_fits_its_architecture_at_every_size_it_uses(recipe):
    recipe = read_recipe(recipe)
    table = recipe.model
    module = importlib.import_module(ARCHITECTURES[table.architecture])
    module.Options(**{key: tuple(v) if isinstance(v, list) else v for key, v in table.options.items()})
    strides = ("stem", "strides", "padding", "head", "attention", "convolutions")  # what a size depends on
    kept = {key: value for key, value in table.options.items() if key.startswith(strides)}
    if table.options.get("dense"):
        kept["dense"] = [8]
    shrunken = {
        **{key: value for key, value in SMALL[table.architecture].items() if not key.startswith(strides)},
        **kept,
    }
    classes, whole = len(label_set(recipe.label_set)), table.net_size
    sizes = {stage.size or whole for stage in recipe.schedule.stages}
    fixed = build_logits(table.architecture, shrunken, classes, whole, table.channels)
    assert fixed.output_shape == (None, classes)
    model = fixed if sizes == {whole} else build_logits(table.architecture, shrunken, classes, None, table.channels)
    for size in sizes:
        assert np.isfinite(answers(model, pixels(size, table.channels, 1))).all()
    for stage in recipe.schedule.stages:
        assert not stage.frozen_to or fixed.get_layer(stage.frozen_to)


@pytest.mark.parametrize("name", POOLED)
def test_a_pooled_net_reads_any_size_and_answers_as_the_net_of_that_size(name):
    open_size, fixed = build_logits(name, SMALL[name], 7, None, 1), net(name)
    open_size.set_weights(fixed.get_weights())
    np.testing.assert_allclose(answers(open_size, pixels(64)), answers(fixed, pixels(64)), rtol=1e-5, atol=1e-5)
    assert np.isfinite(answers(open_size, pixels(96))).all()


@pytest.mark.parametrize(
    ("name", "attention"),
    [(name, "") for name in ARCHITECTURES] + [("inception_resnet_v2", "cbam"), ("resnet50", "se")],
)
def test_a_saved_net_loads_without_our_code_and_answers_the_same(tmp_path, name, attention):
    model = with_softmax(net(name, attention=attention))
    model.save(tmp_path / "model.keras")
    keras.utils.get_custom_objects().clear()
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert {type(layer).__module__.partition(".")[0] for layer in loaded.layers} == {"keras"}
    np.testing.assert_array_equal(answers(loaded, pixels(64)), answers(model, pixels(64)))


@pytest.mark.parametrize(
    ("name", "attention"),
    [("inception_resnet_v2", "cbam"), ("mini_xception", ""), ("mobilenet_v2_keras", ""), ("resnet50", "se")],
)
def test_the_fast_copy_for_training_answers_the_same_and_gathers_statistics(name, attention):
    model = net(name, attention=attention)
    fast = training_copy(model)
    wanted = answers(model, pixels(64))
    np.testing.assert_allclose(answers(fast, pixels(64)), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    fast(pixels(64), training=True)
    moved = [np.abs(a - b).max() for a, b in zip(fast.get_weights(), model.get_weights(), strict=True)]
    averages = [weight.name.startswith("moving") for weight in fast.weights]
    assert [change > 0 for change in moved] == averages


@pytest.mark.parametrize(
    ("name", "options", "classes", "size", "published", "tolerance"),
    [
        ("mobilenet_v2_keras", {}, 1000, 96, 3.4e6, 0.05),  # Sandler et al. 2018, table 4
        ("mobilenet_v2", {}, 1000, 48, 3.4e6, 0.05),
        ("resnet50", {}, 1000, 64, 25_636_712, 0.0),  # keras.applications; "25.5 M" in later tables
        (
            "mini_xception",
            {},
            7,
            48,
            58_423 - (9 * 128 * 7 + 7) + (128 * 7 + 7),
            0.0,
        ),  # the authors' code, less its end
    ],
)
def test_a_net_has_as_many_weights_as_its_paper_says(name, options, classes, size, published, tolerance):
    assert build_logits(name, options, classes, size, 1).count_params() == pytest.approx(published, rel=tolerance)


def test_a_quarter_of_inception_resnet_has_a_sixteenth_of_its_weights_a_block():
    counts = [
        build_logits(
            "inception_resnet_v2", {**SMALL["inception_resnet_v2"], "width": width, "blocks": [1, 1, 1]}, 7, 48, 1
        ).count_params()
        for width in (1.0, 0.25)
    ]
    assert 13 < counts[0] / counts[1] < 17


@pytest.mark.parametrize(
    ("name", "options", "side"),
    [
        ("inception_resnet_v2", {"stem_stride": 1, "padding": "same"}, 3),
        ("inception_resnet_v2", {"stem_stride": 1, "stem_pools": [2, 1], "padding": "valid"}, 3),
        ("inception_resnet_v2", {"padding": "same"}, 2),
        ("resnet50", {}, 2),
        ("resnet50", {"stem_pool": 1}, 3),
        ("resnet50", {"stem_stride": 1, "stem_pool": 1}, 6),
    ],
)
def test_the_strides_of_the_stem_say_how_much_of_a_48_px_face_is_left(name, options, side):
    small = {key: value for key, value in SMALL[name].items() if key in ("width", "blocks")}
    assert build_logits(name, {**small, **options}, 7, 48, 1).get_layer("pool").input.shape[1:3] == (side, side)


def test_a_bottleneck_begins_as_its_shortcut_alone():
    model = build_logits("resnet50", SMALL["resnet50"], 7, 64, 1)
    stage = keras.Model(model.input, [model.get_layer(f"conv2_block1_{part}").output for part in ("0_bn", "out")])
    shortcut, whole = (np.asarray(each) for each in stage(pixels(64)))
    assert shortcut.max() > 0
    np.testing.assert_array_equal(whole, np.maximum(shortcut, 0))


@pytest.mark.parametrize(
    ("name", "options", "size", "reason"),
    [
        ("inception_resnet_v2", {}, 48, "at 48 px: its strides leave nothing"),
        ("inception_resnet_v2", {}, 74, "at 74 px: its strides leave nothing"),
        ("resnet50", {}, 31, "a total stride of 32 px leaves nothing"),
        ("resnet50", {"dense": [8]}, None, "its dense head needs one fixed size"),
        ("mobilenet_v2_keras", {}, 48, "a multiple of 32 px"),
        ("mini_xception", {}, 19, "4 halvings need 20 px"),
    ],
)
def test_a_size_that_a_net_cannot_take_is_refused_with_the_reason(name, options, size, reason):
    with pytest.raises(RecipeError, match=reason):
        build_logits(name, options, 7, size, 1)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("inception_resnet_v2", {"width": 0.05}, "width 0.05 instead of 0.1 to 2"),
        ("inception_resnet_v2", {"blocks": [1, 1]}, r"blocks \[1, 1\] instead of three"),
        ("inception_resnet_v2", {"blocks": [1, 0, 1]}, r"blocks \[1, 0, 1\] instead of three"),
        ("inception_resnet_v2", {"stem_pools": [2]}, r"stem_pools \[2\] instead of"),
        ("inception_resnet_v2", {"stem_stride": 3}, "stem_stride 3"),
        ("inception_resnet_v2", {"padding": "full"}, "padding 'full', but only valid and same"),
        ("inception_resnet_v2", {"attention": "sam"}, "attention 'sam', but only none, cbam, se"),
        ("inception_resnet_v2", {"dropout": 1.0}, "dropout 1.0, a share"),
        ("resnet50", {"stem_pool": 0}, "stem_pool 0, each 1 or 2"),
        ("resnet50", {"blocks": [3, 4, 6]}, "instead of four"),
        ("resnet50", {"dense": [0]}, r"dense \[0\]"),
        ("resnet50", {"attention": "CBAM"}, "attention 'CBAM'"),
        ("resnet50", {"dropout": -0.1}, "dropout -0.1"),
        ("mini_xception", {"modules": []}, r"modules \[\]"),
        ("mini_xception", {"stem": [8, 0]}, r"stem \[8, 0\]"),
        ("mini_xception", {"dropout": 1.5}, "dropout 1.5"),
        ("mobilenet_v2_keras", {"width": 0.6}, "width 0.6, but only 0.35, 0.5"),
        ("mobilenet_v2_keras", {"dropout": 1.0}, "dropout 1.0"),
    ],
)
def test_options_out_of_range_are_refused(name, options, reason):
    with pytest.raises(RecipeError, match=reason):
        build_logits(name, options, 7, 64, 1)
