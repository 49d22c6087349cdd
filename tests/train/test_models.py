"""Architectures: what each takes, gives, refuses, and how it is saved."""

import functools
import importlib

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from convert.quiet import quiet_tensorflow
from edge_runtime.labels import label_set
from train.errors import RecipeError
from train.fused import with_fused_normalization
from train.models import ARCHITECTURES, build_logits, with_softmax
from train.models.applications import imagenet_pixels
from train.models.attention import ATTENTIONS, attend
from train.recipe import list_recipes, read_recipe

SMALL = {
    "inception_resnet_v2": {"width": 0.25, "blocks": [1, 1, 1], "stem_stride": 1, "padding": "same"},
    "mini_xception": {},
    "mobilenet_v2": {"width": 0.25},
    "mobilenet_v2_keras": {"width": 0.35},
    "resnet50": {"blocks": [1, 1, 1, 1], "stem_pool": 1},
    "simple_cnn": {"filters": [4, 4, 4, 4], "dense": 8},
    "vgg": {"filters": [8, 8, 8, 8], "head": "pool"},
}
"""A few options by which each architecture becomes quick to build; its layers stay."""
POOLED = [name for name in ARCHITECTURES if name != "simple_cnn"]


def pixels(size: int, channels: int = 1, count: int = 2) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (count, size, size, channels)).astype(np.float32)


def answers(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False))


def stirred(model: keras.Model) -> keras.Model:
    """The model with every weight off its beginning, as after training: biases, averages and scales too."""
    random = np.random.default_rng(3)
    for variable in model.weights:
        spread = 0.1 * np.abs(variable.numpy()).mean() + 0.01
        variable.assign(np.abs(variable.numpy() + random.uniform(0, spread, variable.shape)))
        if variable.name == "kernel":
            variable.assign(variable.numpy() * random.choice([-1, 1], variable.shape))
    return model


@functools.cache
def net(name: str, channels: int = 1, attention: str = "") -> keras.Model:
    """The small net for 64 px, stirred. It is built once: read it only."""
    return stirred(
        build_logits(name, {**SMALL[name], **({"attention": attention} if attention else {})}, 7, 64, channels)
    )


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
    fast = with_fused_normalization(model)
    np.testing.assert_allclose(answers(fast, pixels(64)), answers(model, pixels(64)), rtol=1e-5, atol=1e-5)
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


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def attention_net(kind: str) -> keras.Model:
    inputs = keras.Input((5, 6, 32))
    return keras.Model(inputs, attend(inputs, kind))


def test_attention_keeps_the_shape_and_weighs_features_down():
    x = np.random.default_rng(1).uniform(0.1, 1, (2, 5, 6, 32)).astype(np.float32)
    outputs = {kind: answers(attention_net(kind), x) for kind in ATTENTIONS}
    assert np.array_equal(outputs["none"], x)
    for kind in ("cbam", "se"):
        assert outputs[kind].shape == x.shape
        assert (outputs[kind] < x).all()
        assert (outputs[kind] > 0).all()


def test_squeeze_and_excitation_is_its_paper_s_formula():
    model = stirred(attention_net("se"))
    x = np.random.default_rng(2).normal(size=(2, 5, 6, 32)).astype(np.float32)
    w0, b0, w1, b1 = (weight[0, 0] if weight.ndim == 4 else weight for weight in model.get_weights())
    assert w0.shape == (32, 8)
    weights = sigmoid(np.maximum(x.mean(axis=(1, 2)) @ w0 + b0, 0) @ w1 + b1)
    np.testing.assert_allclose(answers(model, x), x * weights[:, None, None], rtol=1e-4, atol=1e-5)


def test_cbam_is_its_paper_s_formula():
    model = stirred(attention_net("cbam"))
    x = np.random.default_rng(2).normal(size=(2, 5, 6, 32)).astype(np.float32)
    w0, w1, kernel = model.get_weights()
    w0, w1 = w0[0, 0], w1[0, 0]
    shared = [np.maximum(pooled @ w0, 0) @ w1 for pooled in (x.mean(axis=(1, 2)), x.max(axis=(1, 2)))]
    x1 = x * sigmoid(sum(shared))[:, None, None]
    pooled = np.pad(np.stack([x1.mean(axis=-1), x1.max(axis=-1)], axis=-1), ((0, 0), (3, 3), (3, 3), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(pooled, (7, 7), axis=(1, 2))
    places = sigmoid(np.einsum("nhwcij,ijco->nhwo", windows, kernel))
    np.testing.assert_allclose(answers(model, x), x1 * places, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["inception_resnet_v2", "resnet50"])
def test_attention_over_the_last_features_changes_the_answer(name):
    plain = net(name)
    attentive = build_logits(name, {**SMALL[name], "attention": "cbam"}, 7, 64, 1)
    for layer in plain.layers:
        if layer.weights:
            attentive.get_layer(layer.name).set_weights(layer.get_weights())
    assert plain.get_layer("pool").input.shape == attentive.get_layer("pool").input.shape
    assert np.abs(answers(plain, pixels(64)) - answers(attentive, pixels(64))).max() > 1e-4


@pytest.mark.parametrize("mode", ["tf", "caffe"])
def test_grey_pixels_are_prepared_as_the_same_pixels_in_three_channels(mode):
    def prepared(channels: int) -> np.ndarray:
        inputs = keras.Input((8, 8, channels))
        model = keras.Model(inputs, imagenet_pixels(inputs, mode))
        return answers(model, np.repeat(pixels(8), channels, axis=3))

    np.testing.assert_allclose(prepared(1), prepared(3), rtol=0, atol=1e-5)


def test_attention_and_imagenet_s_pixels_convert_to_whole_integers():
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    for mode, kind in (("tf", "cbam"), ("caffe", "se")):
        inputs = keras.Input((12, 12, 1), name="pixels")
        x = keras.layers.ZeroPadding2D(1)(imagenet_pixels(inputs, mode))
        x = attend(keras.layers.Conv2D(16, 3, activation="relu")(x), kind)
        model = keras.Model(inputs, keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(x)))
        images = pixels(12, 1, 32)
        images.flat[:2] = 0, 255
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda images=images: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]  # no float operator is let through
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        with quiet_tensorflow():
            data = converter.convert()
        interpreter = Interpreter(model_content=data)
        interpreter.allocate_tensors()
        read, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        assert read["quantization"] == (1.0, 0)  # raw pixels go in as they are
        for image in images[:4]:
            interpreter.set_tensor(read["index"], image[None].astype(np.uint8))
            interpreter.invoke()
            scale, zero = given["quantization"]
            found = scale * (interpreter.get_tensor(given["index"]).astype(np.float32) - zero)
            np.testing.assert_allclose(found, answers(model, image[None]), rtol=0, atol=0.02)
