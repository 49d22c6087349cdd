"""Convolutions by matrix products: the same answers and gradients as Keras' layer, and none of the kernels that are slow or crash."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.nets import net
from train.gemm import GemmConv2D
from train.quantization import fake_quantized
from train.training_copy import training_copy

GRADIENTS = {"Conv2DBackpropFilter", "Conv2DBackpropInput"}
EVERY = {"Conv2D"} | GRADIENTS


def both(side, kernel, strides, padding, precision, **more):
    """Keras' layer and ours with the same weights, and pictures (4, side, side + 1, 12)."""
    keras.utils.set_random_seed(3)
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    plain = keras.layers.Conv2D(24, kernel, strides, padding, dtype=policy, bias_initializer="normal", **more)
    pictures = np.random.default_rng(3).normal(size=(4, side, side + 1, 12)).astype(np.float32)
    plain(pictures)
    ours = GemmConv2D.from_config(plain.get_config())
    ours(pictures)
    ours.set_weights(plain.get_weights())
    return plain, ours, pictures


def answer_and_gradients(layer, pictures):
    """The answer, and the gradients of a sum with different shares by pictures, kernel and bias; the graph that gives them."""

    @tf.function
    def step(seen):
        with tf.GradientTape() as tape:
            tape.watch(seen)
            answer = tf.cast(layer(seen), "float32")
            shares = tf.reshape(tf.sin(tf.range(tf.size(answer), dtype="float32")), tf.shape(answer))
            loss = tf.reduce_sum(answer * shares)
        weights = [weight.value for weight in layer.trainable_variables]
        return [answer, *tape.gradient(loss, [seen, *weights])]

    graph = step.get_concrete_function(tf.TensorSpec(pictures.shape)).graph
    return [np.asarray(tf.cast(value, "float32")) for value in step(tf.constant(pictures))], graph


def kinds(graph):
    return {op.type for op in graph.get_operations()}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("side", "kernel", "strides", "padding"),
    [
        (8, 1, 1, "same"),
        (9, 1, 2, "same"),
        (7, 1, (2, 3), "valid"),
        (2, 3, 1, "same"),
        (3, 3, 1, "same"),
        (3, (1, 7), 1, "same"),
        (2, 5, 1, "same"),
        (7, (7, 1), 1, "same"),
        (6, 3, 1, "same"),
        (6, 3, 1, "valid"),
        (6, 3, 2, "same"),
        (3, (2, 4), 1, "same"),
        (9, 3, 1, "same"),
    ],
)
def test_the_answer_and_the_gradients_are_those_of_keras_layer(side, kernel, strides, padding, precision):
    plain, ours, pictures = both(side, kernel, strides, padding, precision)
    (wanted, _), (given, _) = answer_and_gradients(plain, pictures), answer_and_gradients(ours, pictures)
    assert [value.shape for value in given] == [value.shape for value in wanted]
    for one, other in zip(given, wanted, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(
            one, other, rtol=0, atol=(1e-2 if precision == "bfloat16" else 1e-5) * np.abs(other).max()
        )


@pytest.mark.parametrize("more", [{"groups": 2}, {"dilation_rate": 2}])
def test_a_convolution_in_groups_or_with_gaps_stays_keras_own(more):
    plain, ours, pictures = both(3, 3, 1, "same", "bfloat16", **more)
    np.testing.assert_array_equal(np.asarray(ours(pictures)), np.asarray(plain(pictures)))


@pytest.mark.parametrize(
    ("side", "kernel", "precision", "left"),
    [
        (8, 1, "float32", set()),
        (20, 1, "bfloat16", set()),
        (3, 3, "bfloat16", set()),
        (7, 3, "bfloat16", {"Conv2D", "Conv2DBackpropInput"}),
        (8, 3, "bfloat16", EVERY),  # 8 x 9 pixels
        (3, 3, "float32", EVERY),
    ],
)
def test_products_take_the_place_of_convolutions_where_they_are_faster(side, kernel, precision, left):
    _, ours, pictures = both(side, kernel, 1, "same", precision)
    assert kinds(answer_and_gradients(ours, pictures)[1]) & EVERY == left


@pytest.mark.parametrize("learning", [training_copy, fake_quantized])
def test_no_kernel_of_one_pixel_is_left_as_tensorflow_s_gradient_of_one_with_strides_may_crash(learning):
    model = learning(net("mini_xception"))
    pointwise = [layer for layer in model.layers if isinstance(layer, GemmConv2D) and layer.kernel_size == (1, 1)]
    assert (2, 2) in {layer.strides for layer in pointwise}
    _, graph = answer_and_gradients(model, np.zeros((4, 64, 64, 1), np.float32))
    strides = {tuple(op.get_attr("strides")) for op in graph.get_operations() if op.type in GRADIENTS}
    assert strides == {(1, 1, 1, 1)}
