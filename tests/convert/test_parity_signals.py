"""Signal to noise of each tensor of a converted model."""

import numpy as np

from convert.graph import read_graph
from convert.parity.signals import chosen_faces, measure_signals
from convert.tflite import convert_model
from tests.convert.made import bare_graph, made_up_pixels, tiny_model


def run_signals(candidate, against):
    pixels = made_up_pixels(100)[chosen_faces(100)]
    sides = [(name, content, read_graph(content, name)) for name, content in (candidate, against)]
    return measure_signals(*sides, pixels, pixels)


def test_tensors_of_one_file_have_no_noise(float32):
    signals = run_signals(("a", float32), ("b", float32))
    assert {layer.sqnr_db for layer in signals.layers} == {None}
    assert signals.worst() == ()
    assert signals.faces == 16


def test_layer_without_weights_has_the_least_signal_to_noise(float32):
    model = tiny_model()
    kernel = model.get_layer(index=3).kernel
    kernel.assign(np.zeros(kernel.shape))
    broken = convert_model(model, "float32", None)
    signals = run_signals(("broken", broken), ("float32", float32))
    by_operator = [layer for layer in signals.layers if layer.operator == "CONV_2D"]
    assert by_operator[0].sqnr_db is None
    assert by_operator[1].sqnr_db < 3
    assert by_operator[1] == min(by_operator[1:], key=lambda layer: layer.sqnr_db)


def test_int8_tensors_are_compared_as_real_numbers(int8, float32):
    signals = run_signals(("int8", int8), ("float32", float32))
    assert len(signals.layers) >= 6
    rescaled, *rounded = signals.layers
    assert rescaled.operator == "MUL"
    assert rescaled.sqnr_db > 80, "each grey level is one that int8 can hold"
    assert all(15 < layer.sqnr_db < 80 for layer in rounded)
    worst = signals.worst()
    assert [layer.sqnr_db for layer in worst] == sorted(layer.sqnr_db for layer in signals.layers)[:3]
    assert all(layer.representable_low < layer.representable_high for layer in signals.layers)


def test_nets_without_a_tensor_in_common_are_not_compared(float32):
    ours = ("float32", float32, read_graph(float32, "float32"))
    assert measure_signals(ours, ("other", b"", bare_graph()), made_up_pixels(2), made_up_pixels(2)) is None
