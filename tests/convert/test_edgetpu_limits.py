"""Each limit of the Edge TPU's rules: broken by what it names, kept by its neighbour; and the rules as a file."""

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from convert.edgetpu import read_rules
from convert.edgetpu.limits import BREACHES, Site
from convert.edgetpu.rules import RULES
from convert.errors import EdgeTpuError
from convert.graph import Node, Tensor


@pytest.fixture(scope="module")
def rules():
    return read_rules()


def site(
    operator, *shapes, output=(1, 8), dtype="int8", scales=1, constants=(), values=None, options=None, zeros=False
):
    """An operator on tensors of these shapes; `constants`: places of inputs that are constant; `values`: by place."""
    values = values or {}
    inputs = tuple(
        Tensor("in", shape, shape, dtype, 0.1, 0, place in constants, scales, values.get(place, ()), zeros)
        for place, shape in enumerate(shapes)
    )
    return Site(
        Node(operator, tuple(range(len(shapes))), (len(shapes),), 1, options or {}),
        inputs,
        (Tensor("out", output, output, dtype, 0.1, 0, scales=1),),
    )


BROKEN = [
    ("data-type", site("ADD", (1, 8), dtype="int16"), site("ADD", (1, 8))),
    ("data-type", site("ADD", (1, 8), scales=0), site("ADD", (1, 8))),
    ("rank", site("ADD", (2, 4, 4, 2)), site("ADD", (1, 4, 4, 2))),
    ("constant-parameters", site("CONV_2D", (1, 8), (8, 8)), site("CONV_2D", (1, 8), (8, 8), constants=[1])),
    (
        "constant-parameters",
        site("TRANSPOSE_CONV", (4,), (8, 8), (1, 8), constants=[0]),
        site("TRANSPOSE_CONV", (4,), (8, 8), (1, 8), constants=[0, 1]),
    ),
    (
        "no-fused-activation",
        site("MAX_POOL_2D", (1, 8), options={"fusedActivationFunction": 1}),
        site("MAX_POOL_2D", (1, 8), options={"fusedActivationFunction": 0}),
    ),
    (
        "same-dilation",
        site("CONV_2D", (1, 8), options={"dilationHFactor": 2, "dilationWFactor": 1}),
        site("CONV_2D", (1, 8), options={"dilationHFactor": 2, "dilationWFactor": 2}),
    ),
    (
        "default-weights-format",
        site("FULLY_CONNECTED", (1, 8), options={"weightsFormat": 1}),
        site("FULLY_CONNECTED", (1, 8)),
    ),
    (
        "one-dimensional-output",
        site("FULLY_CONNECTED", (1, 8), output=(3, 8)),
        site("FULLY_CONNECTED", (1, 8), output=(1, 8)),
    ),
    ("per-tensor-weights", site("FULLY_CONNECTED", (1, 8), (8, 8), scales=8), site("FULLY_CONNECTED", (1, 8), (8, 8))),
    (
        "no-batch-axis",
        site("MEAN", (1, 4, 4, 2), (1,), values={1: (0,)}),
        site("MEAN", (1, 4, 4, 2), (2,), values={1: (1, 2)}),
    ),
    (
        "no-batch-axis",
        site("SUM", (1, 4, 4, 2), (1,), values={1: (-4,)}),
        site("SUM", (1, 4, 4, 2), (1,), values={1: (-1,)}),
    ),
    (
        "no-batch-axis",
        site("SPLIT", (), (1, 4, 4, 2), values={0: (0,)}),
        site("SPLIT", (), (1, 4, 4, 2), values={0: (3,)}),
    ),
    (
        "no-batch-axis",
        site("PAD", (1, 4, 4, 2), (4, 2), values={1: (0, 1, 1, 1, 1, 1, 0, 0)}),
        site("PAD", (1, 4, 4, 2), (4, 2), values={1: (0, 0, 1, 1, 1, 1, 0, 0)}),
    ),
    ("no-batch-axis", site("PACK", (8,), options={"axis": 0}), site("PACK", (8,), options={"axis": 1})),
    (
        "depth-multiple-of-4",
        site("MEAN", (1, 4, 4, 6), (1,), values={1: (3,)}),
        site("MEAN", (1, 4, 4, 8), (1,), values={1: (3,)}),
    ),
    (
        "zero-padding-only",
        site("CONCATENATION", (1, 8), (1, 8), constants=[1]),
        site("CONCATENATION", (1, 8), (1, 8), constants=[1], zeros=True),
    ),
    (
        "zero-padding-only",
        site("CONCATENATION", (1, 8), (1, 8), (1, 8), constants=[2], zeros=True),
        site("CONCATENATION", (1, 8), (1, 8), (1, 8)),
    ),
    ("alpha-by-channel", site("PRELU", (1, 4, 4, 2), (4, 4, 2)), site("PRELU", (1, 4, 4, 2), (1, 1, 2))),
    (
        "resized-size",
        site("RESIZE_BILINEAR", (1, 9, 9, 2), output=(1, 256, 200, 2)),
        site("RESIZE_BILINEAR", (1, 9, 9, 2), output=(1, 128, 128, 2)),
    ),
    ("one-dimensional-softmax", site("SOFTMAX", (1, 4, 8)), site("SOFTMAX", (1, 8))),
    ("one-dimensional-softmax", site("SOFTMAX", (1, 16_001)), site("SOFTMAX", (1, 16_000))),
    (
        "unit-strides",
        site("STRIDED_SLICE", (1, 8), (2,), (2,), (2,), values={3: (1, 2)}),
        site("STRIDED_SLICE", (1, 8), (2,), (2,), (2,), values={3: (1, 1)}),
    ),
    (
        "unit-strides",
        site("STRIDED_SLICE", (1, 8), options={"newAxisMask": 1}),
        site("STRIDED_SLICE", (1, 8), options={"ellipsisMask": 0}),
    ),
    ("float-end", site("QUANTIZE", (1, 8), dtype="float32"), site("QUANTIZE", (1, 8), dtype="uint8")),
]


@pytest.mark.parametrize(("limit", "broken", "kept"), BROKEN, ids=[f"{row[0]} {i}" for i, row in enumerate(BROKEN)])
def test_each_limit_is_broken_by_what_it_names_and_kept_by_its_neighbour(limit, broken, kept):
    assert BREACHES[limit](broken)
    assert BREACHES[limit](kept) == ""


def test_every_limit_of_the_rules_has_a_test_in_code_and_here(rules):
    assert rules.limit.keys() == {*BREACHES, "known-version"}
    assert {limit for limit, _, _ in BROKEN} | {"constant-size"} == BREACHES.keys()


def test_every_operator_that_the_rules_name_is_one_of_the_schema(rules):
    named = {*rules.operators, *rules.outside, *rules.most_version}
    assert {name for name in named if "(custom)" not in name} <= set(vars(schema.BuiltinOperator))


def test_rules_without_a_source_or_of_an_unknown_limit_are_refused(tmp_path):
    text = RULES.read_text()
    path = tmp_path / "rules.toml"
    for old, new, said in (
        ('source = "table-2019"', 'source = "table-2018"', "no source 'table-2018'"),
        ("ADD = []", 'ADD = ["colour"]', "'colour'"),
        ('says = "weights in a shuffled format"\n', "", "no limit.default-weights-format.says"),
        ('EXP = { version = 1, source = "exp-2" }\n', "", "source 'exp-2' of no rule"),
        ("CAST = {", "ADD = {", "ADD is both supported and outside"),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        with pytest.raises(EdgeTpuError, match=r"rules\.toml") as refused:
            read_rules(path)
        assert said in str(refused.value)


def test_every_rule_operator_and_source_stands_in_the_documentation(rules):
    page = (Path(__file__).parent.parent.parent / "docs" / "edgetpu.md").read_text()
    for name, limit in rules.limit.items():
        assert f"| {name} | {limit.says.format(found='N')} | " in page
        assert limit.mend in page
    for source in rules.source.values():
        assert source.url.startswith("https://")
        assert source.url in page
        assert source.says in page
    for operator in (*rules.operators, *rules.outside, *rules.most_version):
        assert operator in page
    assert rules.compiler in page
