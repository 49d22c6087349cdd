"""Packed weights as a Keras net again: it answers as the one that was converted, and also while it learns."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from convert.blocks import in_blocks
from convert.calibration import choose_calibration
from convert.recipe import read_recipe
from convert.tflite import convert_model
from edge_runtime.bundle import read_bundle
from edge_runtime.labels import FER2013
from tests.train.nets import SMALL, answers, net, pixels, stirred
from train.errors import ModelError
from train.models import build_logits, with_softmax
from train.packed_weights import PackedWeights, read_packed_weights
from train.smoke import made_up_faces
from train.unfold import unfold


@pytest.fixture(scope="module")
def packed():
    """`packed("vgg")`: the small net of that architecture, stirred and converted once, and its weights."""
    made = {}

    def convert(name: str):
        if name not in made:
            made[name] = read_packed_weights(convert_model(with_softmax(net(name)), "float32", None))
        return made[name]

    return convert


@pytest.mark.parametrize(
    ("name", "operators"),
    [("mini_xception", 23), ("simple_cnn", 6), ("vgg", 9)],
)
def test_the_net_that_comes_back_answers_as_the_one_that_was_converted(name, operators, packed):
    back = build_logits(name, SMALL[name], 7, 64, 1)
    images = pixels(64, count=16)
    assert unfold(back, packed(name), [images[:8], images[8:]]) == operators
    wanted = answers(net(name), images)
    np.testing.assert_allclose(answers(back, images), wanted, rtol=0, atol=2e-5 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("kind", "name", "within"),
    [("float16", "vgg", 2e-3), ("mixed", "simple_cnn", 0.03)],
)
def test_stored_numbers_become_what_they_stand_for(kind, name, within):
    recipe, calibration = kind, None
    if kind == "mixed":
        recipe = replace(read_recipe("mixed"), keep_layers=("logits",))
        faces = made_up_faces(FER2013, 64, a_class=16).split("Training")
        calibration = choose_calibration(faces, "made up", 64, 1, count=64)
    content = convert_model(with_softmax(net(name)), recipe, calibration)
    back = build_logits(name, SMALL[name], 7, 64, 1)
    images = pixels(64, count=8)
    unfold(back, read_packed_weights(content), [images])
    wanted = answers(net(name), images)
    np.testing.assert_allclose(answers(back, images), wanted, rtol=0, atol=within * np.abs(wanted).max())


def test_a_convolution_over_blocks_of_pixels_comes_back_as_over_single_ones():
    content = read_bundle("fer2013").model
    plain, blocks = read_packed_weights(content), read_packed_weights(in_blocks(content))
    assert blocks[0].kernel.shape == (3, 3, 8, 8 * 32)
    back = [part.of_single_pixels(wanted.kernel.shape, 1) for part, wanted in zip(blocks, plain, strict=True)]
    for part, wanted in zip(back, plain, strict=True):
        np.testing.assert_array_equal(part.kernel, wanted.kernel)
        np.testing.assert_array_equal(part.bias, wanted.bias)
    assert blocks[0].of_single_pixels((5, 5, 1, 32), 1) is blocks[0]  # of another net
    assert blocks[0].of_single_pixels((3, 3, 1, 32), 2) is blocks[0]


def test_a_batch_normalized_by_its_own_statistics_is_answered_the_same(packed):
    back = build_logits("vgg", SMALL["vgg"] | {"dropout": 0.0}, 7, 64, 1)
    images = pixels(64, count=64)
    unfold(back, packed("vgg"), [images])
    before = answers(back, images)
    learning = np.asarray(back(images, training=True))
    np.testing.assert_allclose(learning, before, rtol=0, atol=1e-3 * np.abs(before).max())


def test_kernels_before_a_normalization_get_the_length_of_those_that_training_begins_with(packed):
    back = build_logits("mobilenet_v2", SMALL["mobilenet_v2"], 7, 64, 1)

    def lengths():
        kernels = [layer.kernel.numpy() for layer in back.layers if isinstance(layer, keras.layers.Conv2D)]
        kernels += [
            layer.kernel.numpy()[..., 0] for layer in back.layers if isinstance(layer, keras.layers.DepthwiseConv2D)
        ]
        return np.array([np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0).mean() for kernel in kernels])

    begun = lengths()
    assert begun.max() > 3 * begun.min()
    unfold(back, packed("mobilenet_v2"), [pixels(64, count=8)])
    np.testing.assert_allclose(lengths(), begun, rtol=1e-4)


def test_batches_of_unlike_sizes_count_by_their_faces(packed):
    images, few = pixels(64, count=30), np.full((2, 64, 64, 1), 255, np.float32)
    shares = []  # of the deviation, which do not depend on a kernel's length
    for batches in ([images, few], [np.concatenate([images, few])]):
        back = build_logits("vgg", SMALL["vgg"], 7, 64, 1)
        unfold(back, packed("vgg"), batches)
        norm = back.get_layer("block1_0_norm")
        shares.append(norm.moving_mean.numpy() / np.sqrt(norm.moving_variance.numpy()))
    np.testing.assert_allclose(shares[0], shares[1], rtol=1e-3, atol=1e-4)


def test_branches_scaled_sums_layers_used_twice_and_a_scaling_of_three_equal_colours_come_back():
    # Its branches run in another order than Keras', and its normalization has no gamma.
    options = SMALL["inception_resnet_v2"] | {"attention": "cbam", "padding": "valid"}
    source = stirred(build_logits("inception_resnet_v2", options, 7, 96, 1))
    back = build_logits("inception_resnet_v2", options, 7, 96, 1)
    images = pixels(96, count=4)
    unfold(back, read_packed_weights(convert_model(with_softmax(source), "float32", None)), [images])
    wanted = answers(source, images)
    np.testing.assert_allclose(answers(back, images), wanted, rtol=0, atol=2e-5 * np.abs(wanted).max())


def test_weights_of_another_net_are_refused(packed):
    deeper = build_logits("vgg", SMALL["vgg"] | {"filters": [8, 8, 8, 8, 8]}, 7, 64, 1)
    with pytest.raises(ModelError, match="the weights of 9 convolutions and dense layers; expected 11 in 'vgg'"):
        unfold(deeper, packed("vgg"), [pixels(64)])
    wider = build_logits("vgg", SMALL["vgg"] | {"filters": [8, 8, 8, 12]}, 7, 64, 1)
    with pytest.raises(ModelError, match=r"weights \(3, 3, 8, 8\) for the layer 'block3_0'; expected \(3, 3, 8, 12\)"):
        unfold(wider, packed("vgg"), [pixels(64)])


def test_without_faces_there_are_no_statistics(packed):
    with pytest.raises(ModelError, match="no training faces"):
        unfold(build_logits("vgg", SMALL["vgg"], 7, 64, 1), packed("vgg"), [])


def test_a_bias_without_a_place_is_refused():
    inputs = keras.Input((8, 8, 1))
    bare = keras.Model(inputs, keras.layers.Conv2D(2, 3, use_bias=False, name="bare")(inputs))
    one = PackedWeights(np.ones((3, 3, 1, 2), np.float32), np.ones(2, np.float32))
    with pytest.raises(ModelError, match="weights with a bias for the layer 'bare'"):
        unfold(bare, [one], [])


def test_a_file_that_is_no_model_is_refused():
    with pytest.raises(ModelError, match=r"a model that cannot be read.*expected a \.tflite file"):
        read_packed_weights(b"TFL3")
