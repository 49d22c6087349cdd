"""Models that several tests look at, converted once a run."""

from types import SimpleNamespace

import pytest

from convert.calibration import choose_calibration
from convert.cli import main
from convert.quiet import quiet_tensorflow
from convert.tflite import convert_model
from edge_runtime.framesets import write_frame_set
from tests.convert.detector_made import bright_detector, bright_frames
from tests.convert.made import made_up_faces, tiny_model, write_fer2013


@pytest.fixture(scope="session")
def keras_model():
    return tiny_model()


@pytest.fixture(scope="session")
def calibration():
    return choose_calibration(made_up_faces(), "made up", 48, 1, count=64)


@pytest.fixture(scope="session")
def int8(keras_model, calibration):
    return convert_model(keras_model, "int8", calibration)


@pytest.fixture(scope="session")
def float32(keras_model):
    return convert_model(keras_model, "float32", None)


@pytest.fixture(scope="session")
def made(keras_model, tmp_path_factory):
    """Files of one whole conversion: `model` (.keras), `data` (fer2013.csv), `int8` and `float32` with their cards."""
    folder = tmp_path_factory.mktemp("made")
    files = SimpleNamespace(
        model=folder / "model.keras",
        data=folder / "fer2013.csv",
        int8=folder / "tiny_int8.tflite",
        float32=folder / "tiny_float32.tflite",
    )
    with quiet_tensorflow():
        keras_model.save(files.model)
    write_fer2013(files.data, made_up_faces())
    int8 = ["--kind", "int8", "--calibration", files.data, "--count", 64, "--out", files.int8]
    float32 = ["--kind", "float32", "--out", files.float32]
    for options in (int8, float32):
        assert main(["tflite", str(files.model), *map(str, options)]) == 0
    return files


@pytest.fixture(scope="session")
def detector(tmp_path_factory):
    """The same for a face detector: `keras`, `model`, `calibration` and `frames` (.npz), `int8` and `float32`."""
    folder = tmp_path_factory.mktemp("detector")
    files = SimpleNamespace(
        keras=bright_detector(),
        model=folder / "model.keras",
        calibration=folder / "calibration.npz",
        frames=folder / "frames.npz",
        int8=folder / "int8.tflite",
        float32=folder / "float32.tflite",
    )
    with quiet_tensorflow():
        files.keras.save(files.model)
    write_frame_set(bright_frames(40, "training", seed=2), files.calibration)
    write_frame_set(bright_frames(), files.frames)
    int8 = ["--kind", "int8", "--calibration", files.calibration, "--count", 40, "--out", files.int8]
    for options in (int8, ["--kind", "float32", "--out", files.float32]):
        assert main(["tflite", str(files.model), *map(str, options)]) == 0
    return files
