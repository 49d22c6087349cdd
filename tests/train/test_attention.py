"""Attention, and pixels as ImageNet's nets take them: their papers' formulas, and whether they convert."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.train.nets import SMALL, answers, net, pixels, stirred
from train.models import build_logits
from train.models.applications import imagenet_pixels
from train.models.attention import ATTENTIONS, attend


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


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
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
