"""Promises of models that an accelerator's library takes."""

import numpy as np
import pytest

from devices.base import Delegate
from edge_runtime.bundle import read_bundle
from edge_runtime.errors import InterpreterError
from edge_runtime.interpreter import Implementation, Model, find_implementation, load_engine
from tests.support import TINY_GREY

MISSING = Delegate("libnothing.so.9", (("device", "usb:0"),), "install it")
THERE = Delegate("libc.so.6", (("device", "usb:0"),), "install it")


def test_a_missing_library_is_named_with_its_mend():
    with pytest.raises(InterpreterError, match=r"libnothing.so.9.*install it"):
        load_engine(read_bundle(TINY_GREY).model, 1, MISSING)


def test_a_library_that_finds_no_device_is_told_apart():
    def load_delegate(library, options):
        raise ValueError("")

    implementation = Implementation("x", "1", find_implementation().factory, load_delegate)
    with pytest.raises(InterpreterError, match="finds no device"):
        Model(read_bundle(TINY_GREY).model, implementation=implementation, delegate=THERE)
    with pytest.raises(InterpreterError, match="loads no delegates"):
        Model(read_bundle(TINY_GREY).model, implementation=Implementation("x", "1", print), delegate=THERE)


def test_library_and_options_reach_the_interpreter():
    made = {}
    real = find_implementation()

    def load_delegate(library, options):
        made["delegate"] = (library, options)
        return "delegate"

    def factory(experimental_delegates, **options):
        made["given"] = experimental_delegates
        return real.factory(**options)

    Model(read_bundle(TINY_GREY).model, implementation=Implementation("x", "1", factory, load_delegate), delegate=THERE)
    assert made == {"delegate": ("libc.so.6", {"device": "usb:0"}), "given": ["delegate"]}


def test_without_a_delegate_a_model_is_loaded_as_before():
    content = read_bundle(TINY_GREY).model
    engine, model = load_engine(content, 1, None), Model(content)
    batch = np.zeros(model.input.shape, model.input.dtype)
    assert (engine.run(batch) == model.run(batch)).all()
