import sys
import types

import numpy as np
import pytest

from edge_runtime.bundle import read_bundle
from edge_runtime.errors import InterpreterError
from edge_runtime.interpreter import CANDIDATES, Implementation, Model, find_implementation
from tests.support import TINY_COLOUR, TINY_GREY


def stand_in(monkeypatch, *present):
    """Makes only these of the candidate modules importable, each with an interpreter of its own."""
    for module_name, _ in CANDIDATES:
        parts = module_name.split(".")
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            module = types.ModuleType(name)
            module.__path__ = []
            module.Interpreter = type("Interpreter", (), {"of": module_name})
            monkeypatch.setitem(sys.modules, name, module if module_name in present else None)


@pytest.mark.parametrize("first", range(3))
def test_litert_goes_before_tflite_runtime_before_tensorflow(monkeypatch, first):
    modules = [module for module, _ in CANDIDATES]
    stand_in(monkeypatch, *modules[first:])
    found = find_implementation()
    assert found.package == CANDIDATES[first][1]
    assert found.factory.of == modules[first]


def test_without_any_interpreter_each_reason_and_the_mend_are_named(monkeypatch):
    stand_in(monkeypatch)
    with pytest.raises(InterpreterError) as caught:
        find_implementation()
    for _, package in CANDIDATES:
        assert package in str(caught.value)
    assert "pip install ai-edge-litert" in str(caught.value)


def test_the_interpreter_in_use_is_known_by_package_and_version():
    implementation = Model(read_bundle(TINY_GREY).model).implementation
    assert implementation.package == "ai-edge-litert"
    assert implementation.version[0].isdigit()


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_thread_counts_out_of_range_are_refused(threads):
    with pytest.raises(InterpreterError, match="1 to 64"):
        Model(read_bundle(TINY_GREY).model, threads)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\0" * 4096])
def test_bytes_that_are_no_model_are_refused_in_one_line(content, capfd):
    with pytest.raises(InterpreterError, match="refuses it") as caught:
        Model(content, name="thing")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_model_is_loaded_without_a_word_on_the_terminal(capfd):
    Model(read_bundle(TINY_GREY).model)
    assert capfd.readouterr() == ("", "")


def test_one_interpreter_is_kept_for_life():
    made = []

    def factory(**options):
        made.append(options)
        return find_implementation().factory(**options)

    model = Model(read_bundle(TINY_GREY).model, implementation=Implementation("fake", "1", factory))
    for _ in range(5):
        model.run(np.zeros(model.input.shape, np.uint8))
    assert len(made) == 1


def test_outputs_are_dequantized_by_their_scale_and_zero_point():
    model = Model(read_bundle(TINY_GREY).model)
    stored = np.array([[0, 128, 255]], np.uint8)
    scale, zero = model.output.quantization.scale, model.output.quantization.zero_point
    assert model.dequantized(stored) == pytest.approx((stored.astype(float) - zero) * scale)
    assert model.dequantized(stored).dtype == np.float32


def test_an_answer_stays_as_it_was_when_the_next_one_is_computed():
    model = Model(read_bundle(TINY_GREY).model)
    random = np.random.default_rng(1)
    first = model.run(random.integers(0, 256, model.input.shape, dtype=np.uint8))
    before = first.copy()
    model.run(random.integers(0, 256, model.input.shape, dtype=np.uint8))
    assert np.array_equal(first, before)


@pytest.mark.parametrize("bundle", ["fer2013", TINY_GREY, TINY_COLOUR])
def test_faces_in_one_batch_are_answered_as_each_alone_to_the_last_bit(bundle):
    loaded = read_bundle(bundle)
    model = Model(loaded.model)
    crops = np.random.default_rng(1).integers(0, 256, (19, *model.input.shape[1:]), np.uint8)
    alone = np.concatenate([model.run(crop[None]) for crop in crops])
    for count in (2, 19, 1, 5):
        assert np.array_equal(model.run(crops[:count]), alone[:count])
    assert model.batches is True


def test_a_model_that_mixes_its_rows_or_refuses_several_is_run_row_by_row():
    """An interpreter whose answers for several rows differ by one from those of single rows, and one that fails."""

    def flawed(fails):
        class Flawed(find_implementation().factory):
            def resize_tensor_input(self, index, shape):
                self.rows = shape[0]
                if fails and self.rows > 1:
                    raise RuntimeError("cannot be resized")
                super().resize_tensor_input(index, shape)

            def get_tensor(self, index):
                found = super().get_tensor(index)
                return found + 1 if self.rows > 1 else found

            rows = 1

        return Implementation("flawed", "1", Flawed)

    content = read_bundle(TINY_GREY).model
    plain = Model(content)
    crops = np.random.default_rng(1).integers(0, 256, (4, *plain.input.shape[1:]), np.uint8)
    alone = np.concatenate([plain.run(crop[None]) for crop in crops])
    for fails in (False, True):
        model = Model(content, implementation=flawed(fails))
        assert np.array_equal(model.run(crops), alone)
        assert model.batches is False
        assert np.array_equal(model.run(crops[:1]), alone[:1])
