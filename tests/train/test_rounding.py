"""The rounding of int8 in a Keras net: the numbers of TFLite, where they stand, and gradients that pass."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers

from train.errors import RecipeError
from train.models import build_logits, with_softmax
from train.quantization import fake_quantized
from train.rounding import RoundedSeparableConv2D, round_activation, round_kernel, round_own_range


def stirred(model: keras.Model) -> keras.Model:
    """The model with every weight off its beginning, as after training."""
    random = np.random.default_rng(2)
    for variable in model.weights:
        value = variable.numpy()
        moved = value + random.normal(0, 0.1 * np.abs(value).mean() + 0.01, value.shape)
        variable.assign(moved if "kernel" in variable.name or "mean" in variable.name else np.abs(moved))
    return model


def pictures(count: int = 16, size: int = 24) -> np.ndarray:
    """Grey patches, the range of each complete: float32 (count, size, size, 1)."""
    coarse = np.random.default_rng(3).integers(0, 256, (count, size // 4, size // 4, 1))
    pixels = coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)
    pixels[:, 0, 0], pixels[:, 0, 1] = 0, 255
    return pixels


# The numbers: https://ai.google.dev/edge/litert/models/quantization_spec


@pytest.mark.parametrize(("shape", "axes"), [((3, 3, 4, 5), (0, 1, 2)), ((3, 3, 4, 2), (0, 1)), ((6, 7), (0,))])
def test_a_kernel_takes_the_values_of_symmetric_int8_with_a_scale_a_channel(shape, axes):
    random = np.random.default_rng(1)
    kernel = (random.normal(size=shape) * 10.0 ** random.integers(-3, 4, shape[-1])).astype(np.float32)
    kernel[..., 0] = 0
    values = int(np.prod([shape[axis] for axis in axes]))
    flat, rounded = kernel.reshape(values, -1), np.asarray(round_kernel(kernel, axes)).reshape(values, -1)
    scales = np.abs(flat).max(axis=0) / 127
    assert (scales == 0).any()
    integers = rounded / np.where(scales == 0, 1, scales)
    np.testing.assert_allclose(integers, np.rint(flat / np.where(scales == 0, 1, scales)), atol=1e-3)
    assert np.abs(integers).max() == pytest.approx(127)


def test_an_activation_takes_the_values_of_asymmetric_int8_with_0_among_them():
    x = np.random.default_rng(4).uniform(-1.3, 4.1, 5000).astype(np.float32)
    x[:3] = -1.3, 4.1, 0
    rounded = np.asarray(round_own_range(x))
    scale = (4.1 + 1.3) / 255
    zero = np.rint(-128 + 1.3 / scale)
    integers = np.clip(np.rint(x / scale) + zero, -128, 127)
    np.testing.assert_allclose(rounded, scale * (integers - zero), atol=1e-5)
    assert len(np.unique(integers)) == 256
    assert rounded[2] == 0
    above = np.asarray(round_own_range(np.abs(x) + 1))  # the range begins at 0 all the same
    assert np.abs(above - np.abs(x) - 1).max() == pytest.approx((4.1 + 1) / 255 / 2, rel=0.02)
    assert np.asarray(round_own_range(np.zeros(4, np.float32))).tolist() == [0, 0, 0, 0]


def test_gradients_pass_as_if_nothing_were_rounded_but_not_beyond_a_range():
    random = np.random.default_rng(5)
    x = tf.Variable(random.normal(size=(4, 3)).astype(np.float32))
    weights = random.normal(size=(4, 3)).astype(np.float32)

    def gradient(function) -> np.ndarray:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(function(x) * weights)
        return tape.gradient(total, x).numpy()

    np.testing.assert_allclose(gradient(round_own_range), weights)
    np.testing.assert_allclose(gradient(lambda kernel: round_kernel(kernel, (0,))), weights)
    inside = (x.numpy() >= -0.5) & (x.numpy() <= 0.5)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_allclose(gradient(lambda x: round_activation(x, -0.5, 0.5)), np.where(inside, weights, 0))


# The net


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("inception_resnet_v2", {"width": 0.25, "blocks": [1, 1, 1], "padding": "same", "attention": "cbam"}),
        ("mini_xception", {}),
        ("mobilenet_v2", {"width": 0.35, "stem_stride": 1}),
        ("simple_cnn", {"filters": [4, 4, 4, 4], "dense": 8}),
    ],
)
def test_the_rounding_net_has_the_same_weights_in_the_same_order_and_answers_nearly_the_same(name, options):
    model = stirred(build_logits(name, options, 7, 48, 1))
    net = fake_quantized(model)
    assert [weight.path.split("/")[-2:] for weight in net.weights] == [
        weight.path.split("/")[-2:] for weight in model.weights
    ]
    for ours, theirs in zip(net.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    logits, rounded = (np.asarray(one(pictures(8, 48))) for one in (model, net))
    assert 0 < np.abs(rounded - logits).mean() < 0.1 * np.abs(logits).mean()


def every_operator() -> keras.Model:
    """A small net in which each rule about folding and ranges has its case."""

    def normal(x, relu=True):
        x = layers.BatchNormalization()(x)
        return layers.ReLU(6.0)(x) if relu else x

    inputs = keras.Input((24, 24, 1), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    x = normal(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="first")(x))
    y = layers.SeparableConv2D(8, 3, padding="same", name="separable")(x)
    y = layers.Rescaling(0.5)(layers.Dropout(0.1)(y))
    x = layers.ReLU()(layers.Add()([x, y]))
    y = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, y])
    branches = [
        normal(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)),
        layers.AveragePooling2D(3, strides=1, padding="same")(x),
        layers.MaxPooling2D(3, strides=1, padding="same")(x),
    ]
    x = layers.Concatenate()(branches)
    x = normal(layers.Conv2D(16, 3, strides=2, name="last")(layers.ZeroPadding2D(1)(x)))
    x = layers.Dense(16, activation="tanh", name="hidden")(layers.Flatten()(x))
    return with_softmax(keras.Model(inputs, layers.Dense(7, name="logits")(x), name="every"))


def magnify_one_channel(named: dict[str, keras.layers.Layer], factor: float = 30.0) -> None:
    """Makes the first of eight channels large, and the kernels that read it small: in int8 the others suffer.

    What rounding costs is then the work of a few scales, which the net and the file must have in common. Without it, it
    is the sum of many small errors, which two computations never share.
    """

    def scale(name: str, weight: int, at: object, by: float) -> None:
        weights = named[name].get_weights()
        weights[weight][at] *= by
        named[name].set_weights(weights)

    scale("separable", 1, (..., 0), factor)
    scale("separable", 2, 0, factor)
    scale("gate", 0, (0, 0, 0), 1 / factor)
    scale("depthwise", 0, (..., 0, 0), 1 / factor)
    scale("last", 0, (..., [8, 16], slice(None)), 1 / factor)  # the branches of the two poolings


@pytest.fixture(scope="module")
def converted() -> tuple[keras.Model, bytes, np.ndarray]:
    """The net, its int8 file by TensorFlow's converter, and the pictures that set the file's ranges."""
    keras.utils.set_random_seed(2)
    model, images = stirred(every_operator()), pictures(64)
    magnify_one_channel({layer.name: layer for layer in model.layers})
    logits = np.asarray(keras.Model(model.input, model.get_layer("logits").output)(images))
    kernel, bias = model.get_layer("logits").get_weights()
    spread = 2 / logits.std(axis=0)
    model.get_layer("logits").set_weights([kernel * spread, (bias - logits.mean(axis=0)) * spread])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model, converter.convert(), images


def test_the_kernels_are_those_of_the_converted_file_but_for_a_factor_a_channel(converted):
    """The factor is what a batch normalization or a multiplication behind the convolution was folded into."""
    model, content, _ = converted
    interpreter = Interpreter(model_content=content)
    found = []
    for detail in interpreter.get_tensor_details():
        scales = detail["quantization_parameters"]["scales"]
        if detail["dtype"] == np.int8 and len(scales) > 1:
            axis = detail["quantization_parameters"]["quantized_dimension"]
            found.append(np.abs(np.moveaxis(interpreter.get_tensor(detail["index"]), axis, -1)))
    named = {layer.name: layer for layer in model.layers}
    wanted = [
        round_kernel(named["first"].kernel, (0, 1, 2)),
        round_kernel(named["separable"].depthwise_kernel, (0, 1)),
        round_kernel(named["separable"].pointwise_kernel, (0, 1, 2)),
        round_kernel(named["gate"].kernel, (0, 1, 2)),
        round_kernel(named["depthwise"].kernel, (0, 1)),
        round_kernel(named["last"].kernel, (0, 1, 2)),
        round_kernel(named["hidden"].kernel, (0,)),
        round_kernel(named["logits"].kernel, (0,)),
    ]
    for kernel in map(np.asarray, wanted):
        # TFLite has a convolution's kernel as (out, H, W, in) and one by depth as (1, H, W, channels).
        outputs = kernel.shape[2] if kernel.ndim == 4 and kernel.shape[3] == 1 else kernel.shape[-1]
        flat = kernel.reshape(-1, outputs)
        integers = np.rint(127 * np.abs(flat) / np.abs(flat).max(axis=0))
        same = [
            (one.reshape(-1, outputs) == integers).mean() > 0.999  # a half may round either way once it was folded
            for one in found
            if (one.size, one.shape[-1]) == (kernel.size, outputs)
        ]
        assert any(same), kernel.shape


def tensors_of(content: bytes, images: np.ndarray) -> list[np.ndarray]:
    """What each operator of a file writes, as real numbers, computed by TFLite's own kernels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that keeping every tensor takes memory
        interpreter = Interpreter(
            model_content=content,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    details = [one for one in interpreter.get_tensor_details() if one["dtype"] == np.int8 and one["quantization"][0]]
    rows: list[list[np.ndarray]] = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        rows.append([])
        for detail in details:
            scale, zero = detail["quantization"]
            rows[-1].append(scale * (interpreter.get_tensor(detail["index"]).astype(np.float32) - zero))
    return [np.concatenate(column) for column in zip(*rows, strict=True) if column[0].shape[:1] == (1,)]


def test_every_tensor_of_the_rounding_net_is_nearer_to_the_files_than_float_is(converted):
    model, content, images = converted
    net, written = fake_quantized(model), tensors_of(content, images)
    names = [layer.name for layer in net.layers if type(layer).__name__.endswith("Rounded")]
    assert (
        len(names) == 12
    )  # as many as the file has operators with a range of their own, behind the two for the pixels
    as_float, as_net = (
        keras.Model(one.input, [one.get_layer(name).output for name in names])(images) for one in (model, net)
    )
    shares = {}
    for name, plain, rounded in zip(names, map(np.asarray, as_float), map(np.asarray, as_net), strict=True):
        of_file = min((one for one in written if one.shape == plain.shape), key=lambda one: np.abs(one - plain).mean())
        shares[name] = np.abs(of_file - rounded).mean() / np.abs(of_file - plain).mean()
    assert max(shares.values()) < 1, shares
    assert np.mean(list(shares.values())) < 0.65, shares


def test_a_separable_convolution_rounds_between_its_two_operators():
    layer = RoundedSeparableConv2D(2, 3, use_bias=False)
    layer.build((None, 24, 24, 2))
    depthwise = np.random.default_rng(7).normal(size=(3, 3, 2, 1)).astype(np.float32)
    layer.set_weights([depthwise, np.eye(2, dtype=np.float32)[None, None]])
    x = np.random.default_rng(8).normal(size=(8, 24, 24, 2)).astype(np.float32)
    assert 200 < len(np.unique(np.asarray(layer(x)).round(4))) <= 256


def test_average_pooling_keeps_the_range_that_it_is_given():
    inputs = keras.Input((12, 12, 1))
    net = fake_quantized(keras.Model(inputs, layers.AveragePooling2D(3, strides=1)(inputs)))
    x = np.random.default_rng(9).uniform(0, 1, (4, 12, 12, 1)).astype(np.float32)
    steps = np.asarray(net(x)) / (x.max() / 255)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_models_inside_of_models_round_too():
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(3, 3, name="inner"), layers.ReLU()], name="body")
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inner(inputs))))
    net = fake_quantized(model)
    body = net.get_layer("body")
    assert [layer.name for layer in body.layers[1:]] == [layer.name for layer in inner.layers]
    x = np.random.default_rng(6).normal(size=(3, 6, 6, 2)).astype(np.float32)
    kernel, bias = inner.get_layer("inner").get_weights()
    inner.get_layer("inner").set_weights([np.asarray(round_kernel(kernel, (0, 1, 2))), bias])
    np.testing.assert_allclose(np.asarray(body(x)), np.asarray(round_own_range(inner(x))), atol=1e-5)
    np.testing.assert_allclose(net.get_weights()[2], model.get_weights()[2])


def test_a_layer_whose_kernel_nobody_rounds_is_refused():
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, layers.Conv2DTranspose(2, 3, name="wider")(inputs))
    with pytest.raises(RecipeError, match=r"layer 'wider', a Conv2DTranspose.*expected kernels in Conv2D, "):
        fake_quantized(model)
