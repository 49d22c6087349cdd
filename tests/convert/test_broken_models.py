"""Six broken models: each fails the gate with exit 1, and `explain` names what is wrong with it first."""

import json
from dataclasses import replace

import numpy as np
import pytest

from convert.calibration import choose_calibration
from convert.cli import main
from convert.flatbuffer import to_bytes
from convert.parity.gate import KEYS
from convert.quiet import quiet_tensorflow
from convert.tflite import convert_model
from edge_runtime.facesets import FaceSet, write_prepared
from edge_runtime.labels import FER2013
from tests.convert.made import _decide, made_up_faces, made_up_pixels

FACES = 210
SIZE = 48
GATE = dict.fromkeys(KEYS, "off") | {"class_least_faces": 1, "small_classes": "leave out"}
GATE |= {"agreement": 0.9, "accuracy_drop_points": 5.0}


def residual_model(channels):
    """Three convolutions, one of them beside a shortcut, so that without it the answers still depend on the face."""
    with quiet_tensorflow():
        import keras
        from keras import layers

        keras.utils.clear_session(free_memory=False)
        inputs = keras.Input((SIZE, SIZE, channels), name="pixels")
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        x = layers.Conv2D(12, 5, strides=2, padding="same", activation="relu", name="stem")(x)
        y = layers.Conv2D(12, 3, padding="same", activation="relu", name="branch")(x)
        x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="last")(layers.Add()([x, y]))
        x = layers.Dense(7, name="logits")(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(inputs, layers.Softmax()(x), name="residual")
        random = np.random.default_rng(2)
        for weight in model.weights:
            fan_in = int(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0
            weight.assign(random.normal(0, np.sqrt(2 / fan_in) if fan_in else 0.1, weight.shape))
        if channels == 3:  # the stem sees red against blue: such a net minds which is which
            kernel, bias = model.get_layer("stem").get_weights()
            kernel[:, :, 2] = -kernel[:, :, 0]
            model.get_layer("stem").set_weights([kernel, bias])
        _decide(model, made_up_pixels(256, SIZE, channels, seed=3).astype(np.float32))
    return model


class Bench:
    """A sound net in a folder, the faces that it names rightly, and how a broken copy of it is judged and explained."""

    def __init__(self, folder, channels):
        self.folder, self.channels = folder, channels
        self.model = residual_model(channels)
        faces = made_up_faces(channels=channels)
        self.calibration = choose_calibration(faces, "made up", SIZE, channels, count=64)
        pixels = made_up_pixels(4 * FACES, SIZE, channels, seed=9)
        answers = np.asarray(self.model(pixels.astype(np.float32), training=False))
        second, first = np.sort(answers, axis=1)[:, -2:].T
        decided = np.flatnonzero(first - second > 0.2)[:FACES]
        pixels, labels = pixels[decided], answers[decided].argmax(axis=1).astype(np.int16)
        judged = pixels[..., 0] if channels == 1 else pixels
        self.data = folder / "faces.npz"
        write_prepared(
            FaceSet(judged, labels, np.full(len(labels), "PublicTest"), np.arange(len(labels)), FER2013), self.data
        )
        self.reference, self.gate = folder / "model.keras", folder / "gate.toml"
        self.gate.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in GATE.items()))
        with quiet_tensorflow():
            self.model.save(self.reference)

    def copy(self):
        """The same net, to be broken."""
        with quiet_tensorflow():
            import keras

            return keras.models.load_model(self.reference, compile=False)

    def int8(self, model, calibration=None):
        return convert_model(model, "int8", calibration or self.calibration)

    def judged(self, content, capsys):
        """Exit code of `parity`, and the likely causes that `explain` names."""
        candidate, report = self.folder / "candidate.tflite", self.folder / "report"
        candidate.write_bytes(content)
        command = ["parity", "--reference", self.reference, "--candidate", candidate, "--data", self.data]
        command += ["--split", "PublicTest", "--label-set", "fer2013", "--gate", self.gate, "--report", report]
        code = main([*map(str, command), "--latency-runs", "0"])
        capsys.readouterr()
        assert main(["explain", str(report), "--json"]) == 0
        (table,) = json.loads(capsys.readouterr().out)["candidates"]
        return code, table["causes"], table["not_gathered"]


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("grey"), 1)


@pytest.fixture(scope="module")
def colour(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("colour"), 3)


def calibrated_on_noise(bench):
    noise = np.random.default_rng(4).integers(0, 256, bench.calibration.pixels.shape, np.uint8)
    noise.reshape(-1)[:2] = 0, 255
    return bench.int8(bench.model, replace(bench.calibration, pixels=noise))


def labels_swapped(bench):
    model = bench.copy()
    order = [3, 1, 2, 0, 6, 5, 4]
    dense = model.get_layer("logits")
    kernel, bias = dense.get_weights()
    dense.set_weights([kernel[:, order], bias[order]])
    return bench.int8(model)


def red_for_blue(bench):
    model = bench.copy()
    first = next(layer for layer in model.layers if layer.weights)
    first.set_weights([first.get_weights()[0][:, :, ::-1], *first.get_weights()[1:]])
    return bench.int8(model)


def scaled_twice(bench):
    import keras

    with quiet_tensorflow():
        inputs = keras.Input((SIZE, SIZE, bench.channels))
        model = keras.Model(inputs, bench.model(keras.layers.Rescaling(1 / 255)(inputs)))
    return convert_model(model, "float32", None)


def weights_zeroed(bench):
    model = bench.copy()
    layer = model.get_layer("branch")
    layer.set_weights([0 * weight for weight in layer.get_weights()])
    return bench.int8(model)


def range_clipped(bench, factor=6):
    """One activation's scale made smaller; the biases that were counted in its steps are counted anew."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(bench.int8(bench.model), 0)
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    convolution = schema.BuiltinOperator.CONV_2D
    place = next(
        operator.outputs[0]
        for operator in graph.operators
        if codes[operator.opcodeIndex] == convolution and b"/stem" in graph.tensors[operator.outputs[0]].name
    )
    graph.tensors[place].quantization.scale = [graph.tensors[place].quantization.scale[0] / factor]
    for operator in graph.operators:
        if place in operator.inputs and codes[operator.opcodeIndex] == convolution:
            bias = graph.tensors[operator.inputs[2]]
            counts = np.frombuffer(np.asarray(model.buffers[bias.buffer].data, np.uint8).tobytes(), "<i4")
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer((counts * factor).astype("<i4").tobytes(), np.uint8)
            bias.buffer = len(model.buffers) - 1
            bias.quantization.scale = [scale / factor for scale in bias.quantization.scale]
    return to_bytes(model)


@pytest.mark.parametrize(
    ("broken", "bench", "cause"),
    [
        (calibrated_on_noise, "grey", "calibration"),
        (labels_swapped, "grey", "label order"),
        (red_for_blue, "colour", "colour order"),
        (scaled_twice, "grey", "input scale"),
        (weights_zeroed, "grey", "zero weights"),
        (range_clipped, "grey", "clipped range"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_broken_model_fails_and_its_cause_is_named_first(broken, bench, cause, request, capsys):
    bench = request.getfixturevalue(bench)
    code, causes, not_gathered = bench.judged(broken(bench), capsys)
    assert code == 1
    assert not_gathered == []
    assert causes[0]["cause"] == cause, causes


def test_a_sound_model_passes_and_nothing_is_explained(grey, capsys):
    assert grey.judged(grey.int8(grey.model), capsys) == (0, [], [])
