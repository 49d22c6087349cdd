"""`python -m convert edgetpu`, with and without a compiler."""

import json
import sys

import pytest

from convert.cli import main
from convert.edgetpu import compile_model
from convert.errors import EdgeTpuError
from edge_runtime.members import FACE_DETECTOR, shipped_bundles
from tests.convert.edgetpu_made import tiny
from tests.support import BRIGHT_FLOAT, BRIGHT_INT8, TINY_GREY

NOT_QUANTIZED = """Edge TPU Compiler version 14.1.317412892
Invalid model: my_mnist_quant.tflite
Model not quantized
"""

TABLE = """Edge TPU Compiler version 16.0.384591198

Operator                       Count      Status

QUANTIZE                       2          Mapped to Edge TPU
MUL                            1          Mapped to Edge TPU
CONV_2D                        1          Mapped to Edge TPU
RELU                           1          Mapped to Edge TPU
MEAN                           1          Mapped to Edge TPU
FULLY_CONNECTED                1          Mapped to Edge TPU
SOFTMAX                        1          Mapped to Edge TPU
"""


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Puts a program of the compiler's name on the path, which says `text` and, where asked, writes a model."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(text, writes=True, code=0):
        program = folder / "edgetpu_compiler"
        program.write_text(
            f"#!{sys.executable}\n"
            "import pathlib, sys\n"
            "assert sys.argv[1:3] == ['--show_operations', '--out_dir'], sys.argv\n"
            "out, model = map(pathlib.Path, sys.argv[3:])\n"
            "assert model.read_bytes()[4:8] == b'TFL3'\n"
            f"print({text!r})\n"
            f"if {writes}: (out / f'{{model.stem}}_edgetpu.tflite').write_bytes(b'compiled')\n"
            f"sys.exit({code})\n"
        )
        program.chmod(0o755)
        return str(program)

    return make


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny())
    return path


def run(*arguments):
    return main(["edgetpu", *map(str, arguments)])


def test_check_says_that_all_of_a_healthy_model_maps(model, capsys):
    assert run(model, "--check") == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{model}: 8 of 8 operators on the Edge TPU, predicted for compiler 16.0")
    assert said.err == ""


def test_check_names_the_first_breaker_its_mend_and_its_source(model, capsys):
    model.write_bytes(tiny("LEAKY_RELU"))
    assert run(model, "--check") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "3 of 8 operators" in said
    assert "first on the CPU: operator 3, LEAKY_RELU, not in the list of supported operators; 4 that could" in said
    assert "mend: train with ReLU or PReLU" in said
    assert "source: https://coral.ai" in said


def test_unknown_operator_is_said_to_be_unknown(model, capsys):
    model.write_bytes(tiny("RFFT2D"))
    assert run(model, "--check") == 1
    assert "RFFT2D, unknown to the rules" in capsys.readouterr().out


def test_json_holds_the_prediction_and_the_first_breaker(model, capsys):
    model.write_bytes(tiny(scales=7))
    assert run(model, "--check", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["compiler"] is None
    assert (said["prediction"]["whole"], said["prediction"]["stranded"]) == (False, 2)
    assert said["prediction"]["first"]["rule"] == "per-tensor-weights"
    assert said["prediction"]["first"]["inferred"] is True
    assert said["prediction"]["first"]["source"]["url"].startswith("https://")


def test_prepared_model_maps_whole_and_is_what_the_compiler_gets(model, compiler, capsys, tmp_path):
    model.write_bytes(tiny(scales=7))
    assert run(model, "--check", "--prepare") == 0
    assert "10 of 10 operators" in capsys.readouterr().out
    compiler(TABLE.replace("FULLY_CONNECTED                1 ", "RESHAPE                        2 "))
    assert run(model, "--prepare") == 0
    assert "FULLY_CONNECTED" not in capsys.readouterr().out


@pytest.mark.parametrize("bundle", [TINY_GREY, *shipped_bundles(), *shipped_bundles(FACE_DETECTOR)])
def test_classifiers_are_checked_by_their_folder_or_name_as_files_are(bundle, capsys):
    assert run(bundle, "--check", "--prepare") == 0
    assert f"{bundle}: " in capsys.readouterr().out


def test_face_detectors_are_checked_too_and_a_float_one_breaks_at_its_first_operator(capsys):
    assert run(BRIGHT_INT8, "--check") == 1
    assert "a tensor of open size" in capsys.readouterr().out
    assert run(BRIGHT_FLOAT, "--check") == 1
    assert "first on the CPU: operator 0" in capsys.readouterr().out


def test_files_larger_than_the_chip_s_memory_are_noted(model, capsys):
    model.write_bytes(tiny() + bytes(8_000_000))
    assert run(model, "--check") == 0
    assert "note: 8,0" in capsys.readouterr().out


def test_wrong_inputs_are_one_line_and_no_traceback(model, tmp_path, capsys):
    damaged, other = tmp_path / "damaged.tflite", tmp_path / "other.tflite"
    damaged.write_bytes(tiny()[:200])
    other.write_bytes(b"hello")
    for arguments, said in (
        ((damaged, "--check"), "damaged"),
        ((other, "--check"), "no TFLite model"),
        ((tmp_path / "none.tflite", "--check"), "No such file"),
        ((model, "--check", "--out", "x.tflite"), "--check compiles nothing"),
        ((model, "--out", "x.bin"), "a name that ends in .tflite"),
        ((tmp_path, "--check"), "manifest.json"),
    ):
        assert run(*arguments) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert said in told.err


def test_without_a_compiler_the_prediction_is_printed_and_the_place_to_get_it_named(
    model, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(model) == 2
    said = capsys.readouterr()
    assert "8 of 8 operators" in said.out
    assert "coral-edgetpu-stable" in said.err
    assert "x86-64 Linux only" in said.err
    assert not list(tmp_path.glob("*_edgetpu.tflite"))


def test_compiler_is_called_and_its_table_read(model, compiler, capsys, tmp_path):
    compiler(TABLE)
    assert run(model) == 0
    assert (tmp_path / "tiny_edgetpu.tflite").read_bytes() == b"compiled"
    said = capsys.readouterr().out
    assert "tiny_edgetpu.tflite: compiled by edgetpu_compiler 16.0.384591198" in said
    assert "please report" not in said
    assert run(model, "--json", "--out", tmp_path / "mine.tflite") == 0
    assert json.loads(capsys.readouterr().out)["compiler"]["whole"] is True
    assert (tmp_path / "mine.tflite").exists()


def test_operator_that_the_compiler_leaves_on_the_cpu_fails_and_is_told_beside_the_prediction(model, compiler, capsys):
    compiler(
        TABLE.replace(
            "SOFTMAX                        1          Mapped", "SOFTMAX                        1          Not"
        )
    )
    assert run(model) == 1
    assert "SOFTMAX: 1 predicted to be mapped, 0 were" in capsys.readouterr().out


def test_refused_model_fails_and_leaves_no_file(model, compiler, capsys, tmp_path):
    compiler(NOT_QUANTIZED, writes=False, code=1)
    assert run(model) == 1
    assert "refuses the model: Model not quantized" in capsys.readouterr().out
    assert not (tmp_path / "tiny_edgetpu.tflite").exists()


def test_compiler_that_says_nothing_or_gives_no_model_is_an_error(model, compiler, capsys):
    compiler("hello")
    assert run(model) == 2
    compiler(TABLE, writes=False)
    assert run(model) == 2
    assert "no compiled model" in capsys.readouterr().err


def test_compiler_that_does_not_end_is_given_up(tmp_path):
    program = tmp_path / "hangs"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    program.chmod(0o755)
    with pytest.raises(EdgeTpuError, match=r"no end after 0\.3 s"):
        compile_model(tiny(), tmp_path / "out.tflite", str(program), deadline_s=0.3)
    with pytest.raises(EdgeTpuError, match="No such file"):
        compile_model(tiny(), tmp_path / "out.tflite", str(tmp_path / "none"))
