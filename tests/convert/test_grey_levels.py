"""Pixels behind an int8 model's own scaling: as many levels as there were before it."""

import warnings

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from convert.calibration import choose_calibration
from convert.flatbuffer import rewritten, to_bytes
from convert.grey_levels import keep_grey_levels
from convert.quiet import quiet_tensorflow
from convert.recipe import Recipe
from convert.tflite import convert_model
from tests.convert.made import made_up_faces

KERNELS = {"XNNPACK": OpResolverType.AUTO, "the reference": OpResolverType.BUILTIN_REF}


def scaling_model(scale: float, offset: float):
    with quiet_tensorflow():
        import keras
        from keras import layers

        keras.utils.set_random_seed(1)
        inputs = keras.Input((48, 48, 1))
        x = layers.Rescaling(scale, offset)(inputs)
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, padding="same", activation="relu", name="first")(x))
        return keras.Model(inputs, layers.Dense(7, activation="softmax", name="logits")(x))


def scaled(content: bytes, kernels: OpResolverType = OpResolverType.AUTO) -> tuple[np.ndarray, np.ndarray]:
    """What the first convolution reads of a picture of all grey levels, in order: real values, and the pixels."""
    picture = np.resize(np.arange(256, dtype=np.uint8), (1, 48, 48, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of memory, which all tensors of a small net do not fill
        model = Interpreter(
            model_content=content, experimental_op_resolver_type=kernels, experimental_preserve_all_tensors=True
        )
    model.allocate_tensors()
    model.set_tensor(model.get_input_details()[0]["index"], picture)
    model.invoke()
    first = next(one for one in model._get_ops_details() if one["op_name"] == "CONV_2D")
    place = int(first["inputs"][0])
    scale, zero_point = next(one["quantization"] for one in model.get_tensor_details() if one["index"] == place)
    return (model.get_tensor(place).ravel()[:256] - float(zero_point)) * scale, picture.ravel()[:256]


def calibration():
    faces = made_up_faces()
    faces.pixels[:, 0, 0], faces.pixels[:, 0, 1] = 0, 255
    return choose_calibration(faces, "made up", 48, 1, count=40)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(("scale", "offset"), [(1 / 127.5, -1.0), (1 / 64.0, -1.7), (1 / 255.0, -0.5)])
def test_every_grey_level_stays_one_of_its_own_within_half_a_level(scale, offset, kernels):
    content = convert_model(scaling_model(scale, offset), "int8", calibration())
    found, pixels = scaled(content, KERNELS[kernels])
    assert len(np.unique(found)) == 256
    assert np.abs(found - (pixels * scale + offset)).max() <= 0.51 * scale


def test_a_mixed_model_keeps_them_too():
    recipe = Recipe("mixed", "mixed", "", keep_layers=("logits",))
    found, pixels = scaled(convert_model(scaling_model(1 / 127.5, -1.0), recipe, calibration()))
    assert len(np.unique(found)) == 256
    assert np.abs(found - (pixels / 127.5 - 1)).max() <= 0.51 / 127.5


def test_without_the_mend_levels_are_lost(monkeypatch):
    """What the mend is for; when this fails, the converter measures the product's range rightly and the mend may go."""
    monkeypatch.setattr("convert.tflite.keep_grey_levels", lambda model: False)
    found, _ = scaled(convert_model(scaling_model(1 / 127.5, -1.0), "int8", calibration()))
    assert len(np.unique(found)) < 200


def test_a_model_that_does_not_scale_its_pixels_so_is_left_as_it_is():
    content = convert_model(scaling_model(1 / 255.0, 0.0), "int8", calibration())
    assert not keep_grey_levels(schema.ModelT.InitFromPackedBuf(content, 0))
    mended = schema.ModelT.InitFromPackedBuf(convert_model(scaling_model(1 / 127.5, -1.0), "int8", calibration()), 0)
    sums = [one for one in mended.subgraphs[0].tensors if one.name.endswith(b"add")]
    sums[0].quantization.scale = sums[0].quantization.scale * 0.9
    content = to_bytes(mended)
    assert rewritten(content, keep_grey_levels) == content
