"""Convolutions over blocks of pixels: the same integers as over single ones."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from convert.blocks import in_blocks
from convert.calibration import choose_calibration
from convert.flatbuffer import rewritten
from convert.graph import read_operators
from convert.quiet import quiet_tensorflow
from convert.tflite import convert_model
from edge_runtime.bundle import read_bundle
from edge_runtime.detectors.detector_bundle import read_detector_bundle
from edge_runtime.detectors.tflite import SHIPPED_DETECTOR
from tests.convert.made import made_up_faces
from tests.support import TINY_COLOUR

KERNELS = {"XNNPACK": OpResolverType.AUTO, "the reference": OpResolverType.BUILTIN_REF}


def net(kernel: int, stride: int, padding: str = "same", size: int = 48):
    with quiet_tensorflow():
        import keras
        from keras import layers

        keras.utils.set_random_seed(3)
        inputs = keras.Input((size, size, 1))
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = layers.Conv2D(6, kernel, stride, padding, activation="relu", bias_initializer="normal")(x)
        x = layers.Conv2D(7, 3, 2, "same", activation="relu")(x)
        return keras.Model(inputs, layers.Dense(7, activation="softmax", name="logits")(layers.Flatten()(x)))


def int8(model) -> bytes:
    size = model.input_shape[1]
    faces = made_up_faces()
    return convert_model(model, "int8", choose_calibration(faces, "made up", size, 1, count=40))


def answers(content: bytes, pictures: np.ndarray, kernels: OpResolverType) -> np.ndarray:
    model = Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    model.allocate_tensors()
    given = []
    for picture in pictures:
        model.set_tensor(model.get_input_details()[0]["index"], picture[None])
        model.invoke()
        given.append(model.get_tensor(model.get_output_details()[0]["index"]))
    return np.concatenate(given)


def filters(content: bytes) -> tuple[int, ...]:
    graph = read_operators(content, "it")
    first = next(node for node in graph.nodes if node.operator == "CONV_2D")
    return tuple(graph.tensors[first.inputs[1]].shape)


def with_one_scale(model) -> None:
    """As files of before 2019 have it: one for all outputs of a convolution."""
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None and np.size(tensor.quantization.scale) == 6:
            tensor.quantization.scale, tensor.quantization.zeroPoint = (
                tensor.quantization.scale[:1],
                np.zeros(1, np.int64),
            )


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    ("kernel", "stride", "written"),
    [(3, 2, (24, 3, 2, 8)), (3, 1, (48, 3, 3, 8)), (5, 4, (12, 5, 2, 8)), (4, 2, (24, 4, 3, 8))],
)
def test_a_convolution_over_blocks_gives_the_same_integers(kernel, stride, written, kernels):
    content = int8(net(kernel, stride))
    blocks = in_blocks(content)
    assert filters(blocks) == written
    pictures = np.random.default_rng(1).integers(0, 256, (40, 48, 48, 1), np.uint8)
    before, after = (answers(each, pictures, KERNELS[kernels]) for each in (content, blocks))
    assert len(np.unique(before, axis=0)) > 10
    np.testing.assert_array_equal(before, after)


def test_other_convolutions_stay_as_they_are(float32):
    colour = read_bundle(TINY_COLOUR).model
    cropped = int8(net(3, 2, padding="valid"))
    broken = int8(net(3, 2, size=44))
    thirds = int8(net(3, 3))
    at_once = rewritten(int8(net(3, 2)), with_one_scale)
    for content in (float32, colour, cropped, broken, thirds, at_once):
        assert in_blocks(content) is content


def test_the_shipped_detector_is_packed_so_and_says_it():
    bundle = read_detector_bundle(SHIPPED_DETECTOR)
    assert bundle.manifest["conversion"]["convolutions_in_blocks_of"] == 8
    for content in (bundle.model, bundle.half.model):
        assert filters(content) == (64, 3, 2, 8)
        assert in_blocks(content) is content
