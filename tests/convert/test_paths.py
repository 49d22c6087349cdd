"""Data that is not there is said before a model is read, which imports Keras and takes seconds."""

from tests.support import said_without_keras


def test_data_that_is_not_there_is_said_before_a_model_is_read(tmp_path):
    model = tmp_path / "model.keras"
    model.touch()
    judged = ["--split", "PublicTest", "--gate", "default"]
    out = str(tmp_path / "out.tflite")
    parity = ["parity", "--reference", str(model), "--candidate", "fer2013", "--data", "nope.csv", *judged]
    search = ["search", str(model), "--calibration", "nope.csv", "--data", str(tmp_path), *judged]
    commands = [
        ["tflite", str(model), "--kind", "int8", "--calibration", "nope.csv", "--out", out],
        [*parity, "--report", str(tmp_path / "report")],
        [*search, "--out", str(tmp_path / "searched")],
    ]
    for code, message in said_without_keras("convert.cli", commands):
        assert code == 2
        assert "nope.csv: No such file or directory; expected a set of faces" in message
