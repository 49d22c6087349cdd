"""A model file is read without running it, and each static fact has its guard."""

from dataclasses import replace

import pytest

from convert.check import check_budget, check_graph
from convert.errors import BudgetError, GraphError
from convert.graph import read_graph
from tests.support import TINY_COLOUR, TINY_GREY


@pytest.fixture(scope="module")
def graph():
    return read_graph((TINY_GREY / "model.tflite").read_bytes(), "tiny")


def test_facts_are_read_from_the_file(graph):
    assert graph.size_bytes == (TINY_GREY / "model.tflite").stat().st_size
    assert graph.operators["CONV_2D"] == 3
    assert graph.operators["RESHAPE"] == 2
    assert (graph.input.shape, graph.input.scale, graph.input.zero_point) == ((1, 48, 48, 1), 1.0, 0)
    assert graph.output.scale == 1 / 256


def test_what_an_operator_does_is_read_from_the_file(graph):
    mean = next(node for node in graph.nodes if node.operator == "MEAN")
    dense = [node for node in graph.nodes if node.operator == "CONV_2D"][-1]
    assert graph.tensors[mean.inputs[1]].values == (1, 2)
    assert mean.options["keepDims"] is False
    assert (dense.version, graph.tensors[dense.inputs[1]].scales) == (3, 7)
    assert graph.tensors[dense.inputs[1]].values == ()
    assert graph.tensors[dense.inputs[0]].scales == 1


@pytest.mark.parametrize(("path", "classes"), [(TINY_GREY, 7), (TINY_COLOUR, 8)], ids=["grey", "colour"])
def test_whole_model_passes(path, classes):
    check_graph(read_graph((path / "model.tflite").read_bytes(), "tiny"), "int8", classes, "tiny")


def test_float32_model_passes_as_what_it_is_and_not_as_int8(float32):
    graph = read_graph(float32, "tiny")
    check_graph(graph, "float32", 7, "tiny")
    with pytest.raises(GraphError, match=r"tensor '.+' is float32"):
        check_graph(graph, "int8", 7, "tiny")


def test_int8_model_is_no_float32_model(graph):
    with pytest.raises(GraphError, match="expected float32"):
        check_graph(graph, "float32", 7, "tiny")


def broken(graph, **changes):
    """The graph with its input (or `output_…`) changed, in both places where it stands."""
    found = {}
    for key, value in changes.items():
        end, _, attribute = key.partition("_")
        found[end] = replace(found.get(end, getattr(graph, end)), **{attribute: value})
    tensors = list(graph.tensors)
    for end, tensor in found.items():
        tensors[tensors.index(getattr(graph, end))] = tensor
    return replace(graph, tensors=tuple(tensors), **found)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"input_dtype": "int8"}, "input int8"),
        ({"input_dtype": "float32"}, "input float32"),
        ({"input_shape": (1, 48, 40, 1)}, "input uint8"),
        ({"input_shape": (1, 48, 48, 2)}, "input uint8"),
        ({"input_shape": (2, 48, 48, 1)}, "input uint8"),
        ({"input_shape": (48, 48)}, "input uint8"),
        ({"input_signature": (-1, 48, 48, 1)}, "fixed shapes"),
        ({"input_scale": 0.996}, "scale 0.996"),
        ({"input_zero_point": 1}, "zero point 1"),
        ({"output_dtype": "int8"}, "output int8"),
        ({"output_scale": 0.01}, "scale 0.01"),
        ({"output_shape": (1, 8)}, "one probability for each of 7 labels"),
        ({"output_shape": (7,)}, "one probability for each of 7 labels"),
    ],
)
def test_each_wrong_fact_of_input_and_output_is_refused(graph, changes, named):
    with pytest.raises(GraphError, match=named):
        check_graph(broken(graph, **changes), "int8", 7, "tiny")


def test_float_tensor_inside_is_refused_by_name(graph):
    tensors = list(graph.tensors)
    tensors[3] = replace(tensors[3], name="odd", dtype="float32")
    with pytest.raises(GraphError, match="tensor 'odd' is float32"):
        check_graph(replace(graph, tensors=tuple(tensors)), "int8", 7, "tiny")


def test_custom_operator_is_refused_by_name(graph):
    flex = replace(graph, operators={**graph.operators, "FlexErf (custom)": 1})
    with pytest.raises(GraphError, match="operator FlexErf"):
        check_graph(flex, "int8", 7, "tiny")


def test_budget_is_kept_to_the_byte():
    check_budget(100, 100, "tiny")
    check_budget(100, None, "tiny")
    with pytest.raises(BudgetError, match="101 bytes; expected at most 100"):
        check_budget(101, 100, "tiny")


def test_files_that_are_no_model_are_refused():
    content = (TINY_GREY / "model.tflite").read_bytes()
    for damaged in (b"", b"hello", content[:7], content[:8], content[:100], b"\xff" * 4 + content[4:]):
        with pytest.raises(GraphError, match=r"it: (no TFLite model|damaged)"):
            read_graph(damaged, "it")
    with pytest.raises(GraphError, match="it: no TFLite model"):
        read_graph(content[:4] + b"TFL2" + content[8:], "it")
