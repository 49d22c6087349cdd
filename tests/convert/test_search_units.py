"""Which operators of a net are kept in float32 together, told from the names of their tensors alone."""

from convert.graph import Graph, Node, Tensor
from convert.quantizer import kept_tensors
from convert.search.units import find_units


def net(*operators):
    """A chain of operators, (kind, name of the tensor that it gives); convolutions have 1 × 1 kernels of 4 × 4 weights."""
    tensors = [Tensor("pixels", (1, 8, 8, 4), (1, 8, 8, 4), "uint8", 0.0, 0)]
    nodes = []
    for kind, name in operators:
        inputs = [len(tensors) - 1 if not nodes else nodes[-1].outputs[0]]
        if kind in ("CONV_2D", "FULLY_CONNECTED"):
            tensors.append(Tensor(f"kernel of {name}", (4, 1, 1, 4), (4, 1, 1, 4), "float32", 0.0, 0, constant=True))
            inputs.append(len(tensors) - 1)
        tensors.append(Tensor(name, (1, 8, 8, 4), (1, 8, 8, 4), "float32", 0.0, 0))
        nodes.append(Node(kind, tuple(inputs), (len(tensors) - 1,)))
    return Graph(1, {kind: 1 for kind, _ in operators}, tensors[0], tensors[-1], tuple(tensors), tuple(nodes))


def units_of(graph, known, leaves=None, untouched=()):
    quantized = {tensor.name for tensor in graph.tensors} - set(untouched)
    return find_units(graph, quantized, known, leaves or known)


def test_folded_layers_are_one_unit_with_the_name_that_people_know_it_by():
    graph = net(("CONV_2D", "m_1/block1_relu_1/Relu;m_1/block1_norm_1/add;m_1/block1_1/conv"), ("ADD", "m_1/add_1/add"))
    found = units_of(graph, {"block1", "block1_norm", "block1_relu", "add"})
    assert [unit.name for unit in found.units] == ["block1", "add"]
    assert found.units[0].layers == ("block1",)
    assert found.units[0].macs == 16 * 64 == found.macs
    assert (found.units[0].weighted, found.units[1].weighted) == (True, False)


def test_two_operators_of_one_layer_are_one_unit():
    graph = net(("MUL", "m_1/scale_1/mul"), ("ADD", "m_1/scale_1/add"), ("CONV_2D", "m_1/stem_1/conv"))
    found = units_of(graph, {"scale", "stem"})
    assert [unit.tensors for unit in found.units] == [("m_1/scale_1/mul", "m_1/scale_1/add"), ("m_1/stem_1/conv",)]


def test_layers_of_equal_names_in_two_nested_models_are_one_unit_and_the_nested_model_is_none():
    graph = net(
        ("CONV_2D", "m_1/left_1/conv_1/c"), ("CONV_2D", "m_1/right_1/conv_1/c"), ("CONV_2D", "m_1/left_1/x_1/c")
    )
    known = {"left", "right", "conv", "x"}
    found = units_of(graph, known, leaves={"conv", "x"})
    assert [unit.name for unit in found.units] == ["conv", "x"]
    assert len(found.units[0].tensors) == 2


def test_an_operator_that_only_moves_values_goes_with_the_unit_before_it():
    graph = net(("CONV_2D", "m_1/stem_1/conv"), ("MAX_POOL_2D", "m_1/pool_1/max"), ("MEAN", "m_1/mean_1/mean"))
    found = units_of(graph, {"stem", "pool", "mean"})
    assert [unit.layers for unit in found.units] == [("stem", "pool"), ("mean",)]


def test_operators_that_are_float_in_any_case_are_in_no_unit_and_those_with_weights_always_are():
    graph = net(("CAST", "m_1/cast_1/Cast"), ("CONV_2D", "m_1/stem_1/conv"))
    found = units_of(graph, {"cast", "stem"}, untouched={"m_1/cast_1/Cast", "m_1/stem_1/conv"})
    assert [unit.name for unit in found.units] == ["stem"]


def test_an_operator_without_a_layers_name_is_kept_by_its_kind_where_that_keeps_no_other():
    graph = net(("ADD", "m_1/add_1/add"), ("CONV_2D", "m_1/stem_1/conv"), ("ADD", "odd"), ("SOFTMAX", "Call_1:0"))
    found = units_of(graph, {"add", "stem"})
    assert [unit.name for unit in found.units] == ["add", "stem", "SOFTMAX"]
    assert (found.units[2].layers, found.units[2].operators) == ((), ("SOFTMAX",))
    assert found.unnamed == ("odd",)


def test_a_recipe_that_names_a_units_layers_keeps_exactly_that_unit():
    graph = net(
        ("CONV_2D", "m_1/a_relu_1/Relu;m_1/a_1/conv"),
        ("MAX_POOL_2D", "m_1/a_pool_1/max"),
        ("CONV_2D", "m_1/ab_1/conv"),
        ("ADD", "m_1/add_1/add"),
    )
    known = {"a", "a_relu", "a_pool", "ab", "add"}
    for unit in units_of(graph, known).units:
        assert kept_tensors(graph, unit.layers, unit.operators, known, "made") == unit.tensors
