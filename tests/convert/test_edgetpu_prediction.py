"""What the Edge TPU compiler maps is predicted from the file: whole models, the first operator that breaks the chain, and
the mappings that others have published."""

from collections import Counter
from dataclasses import replace

import pytest

from convert.edgetpu import Row, predict, read_rules
from convert.edgetpu.log import MAPPED, STRANDED
from convert.graph import read_operators
from tests.convert.edgetpu_made import Builder, chain, tiny


@pytest.fixture(scope="module")
def rules():
    return read_rules()


def of(content, rules):
    return predict(read_operators(content, "made"), rules)


def test_healthy_int8_model_maps_whole(rules):
    prediction = of(tiny(), rules)
    assert prediction.whole
    assert prediction.first is None
    assert {row.status for row in prediction.rows} == {MAPPED}
    assert sum(row.count for row in prediction.rows) == 8


@pytest.mark.parametrize(
    ("made", "place", "operator", "rule", "mend"),
    [
        ({"real": True, "middle": "RELU"}, 0, "MUL", "data-type", "--kind int8"),
        ({"middle": "LEAKY_RELU"}, 3, "LEAKY_RELU", "not listed", "train with ReLU"),
        ({"middle": "GELU"}, 3, "GELU", "not listed", "train with ReLU"),
        ({"middle": "RFFT2D"}, 3, "RFFT2D", "unknown", "let edgetpu_compiler say"),
        ({"batch": 2}, 0, "QUANTIZE", "rank", "keep the batch at 1"),
        ({"opened": True}, 0, "QUANTIZE", "constant-size", "batch size of 1"),
        ({"version": 6}, 2, "CONV_2D", "known-version", "older TensorFlow"),
        ({"scales": 7}, 5, "FULLY_CONNECTED", "per-tensor-weights", "1 × 1 convolution"),
    ],
    ids=["float", "leaky", "gelu", "unknown", "rank", "open", "version", "per-channel dense"],
)
def test_each_broken_model_sees_its_first_breaker_and_the_mend(rules, made, place, operator, rule, mend):
    prediction = of(tiny(**made), rules)
    first = prediction.first
    assert not prediction.whole
    assert (first.place, first.operator, first.rule) == (place, operator, rule)
    assert mend in first.mend
    assert first.source.url.startswith("https://")


def test_operators_behind_an_unmapped_one_are_stranded_and_those_before_it_are_not(rules):
    prediction = of(tiny("LEAKY_RELU"), rules)
    assert [fate.mapped for fate in prediction.fates] == [True] * 3 + [False] * 5
    assert [fate.status for fate in prediction.fates[4:]] == [STRANDED] * 4
    assert prediction.stranded == 4


def test_operator_of_a_newer_version_makes_the_compiler_refuse_all(rules):
    prediction = of(tiny(version=6), rules)
    assert prediction.refused
    assert not any(fate.mapped for fate in prediction.fates)
    assert not of(tiny(version=5), rules).refused


def test_unmapped_end_strands_nothing_before_it_and_a_float_beginning_nothing_after_it(rules):
    ends = predict(chain(["QUANTIZE", "CONV_2D", "RELU", "DEQUANTIZE"], floats=[0, 4]), rules)
    assert [fate.mapped for fate in ends.fates] == [False, True, True, False]
    assert ends.stranded == 0


def test_branch_that_needs_no_unmapped_operator_still_maps(rules):
    made = Builder()
    pixels = made.tensor((1, 4, 4, 2))
    first = made.add("RELU", [pixels], made.tensor((1, 4, 4, 2)))
    left = made.add("LEAKY_RELU", [first], made.tensor((1, 4, 4, 2)))
    right = made.add("TANH", [pixels], made.tensor((1, 4, 4, 2)))
    both = made.add("ADD", [left, right], made.tensor((1, 4, 4, 2)))
    prediction = of(made.content([pixels], [both]), rules)
    assert [fate.status for fate in prediction.fates] == [MAPPED, "Operation not supported", MAPPED, STRANDED]


def test_model_with_several_inputs_and_outputs_is_read(rules):
    made = Builder()
    one, other = made.tensor((1, 8)), made.tensor((1, 8))
    both = made.add("ADD", [one, other], made.tensor((1, 8)))
    last = made.add("TANH", [both], made.tensor((1, 8)))
    assert of(made.content([one, other], [both, last]), rules).whole


def published(*rows):
    return Counter({(operator, status): count for operator, count, status in rows})


def predicted(graph, rules):
    return Counter({(row.operator, row.status): row.count for row in predict(graph, rules).rows})


def times(**counts):
    return [name for name, count in counts.items() for _ in range(count)]


WHOLE = {
    # Compiler 16, MobileNetV1, Keras; int8 at its ends. github.com/Fgeeha/Empirical-Study-of-Label-Space,
    # export/reexport_20260912/edgetpu/mobilenetv1_compile.txt
    "MobileNetV1": {"CONV_2D": 14, "DEPTHWISE_CONV_2D": 13, "MEAN": 1, "FULLY_CONNECTED": 1},
    # The same, mobilenetv2_compile.txt: Keras' preprocess_input, x / 127.5 - 1, is the MUL and the SUB.
    "MobileNetV2": {
        "MUL": 1,
        "SUB": 1,
        "CONV_2D": 35,
        "DEPTHWISE_CONV_2D": 17,
        "PAD": 4,
        "ADD": 10,
        "MEAN": 1,
        "FULLY_CONNECTED": 1,
    },
    # Compiler 16, YOLOv5n as Keras layers with Resizing(…, "nearest"), three outputs, TensorFlow 2.19: as the face detector
    # of train/models is built.
    "YOLOv5n of Keras layers": {
        "QUANTIZE": 2,
        "CONV_2D": 60,
        "LOGISTIC": 57,
        "MUL": 57,
        "ADD": 7,
        "MAX_POOL_2D": 3,
        "RESIZE_NEAREST_NEIGHBOR": 2,
        "CONCATENATION": 13,
    },
    # Compiler 15, FaceNet, which is Inception-ResNet v1; uint8 at its ends. qiita.com/saliton/items/4e1ce227338e040fa353
    "Inception-ResNet v1": {
        "QUANTIZE": 33,
        "CONV_2D": 132,
        "MAX_POOL_2D": 3,
        "CONCATENATION": 23,
        "ADD": 21,
        "MEAN": 1,
        "FULLY_CONNECTED": 1,
    },
}


@pytest.mark.parametrize("name", WHOLE)
def test_published_whole_mappings_are_predicted(rules, name):
    counts = WHOLE[name]
    expected = published(*((operator, count, MAPPED) for operator, count in counts.items()))
    assert predicted(chain(times(**counts)), rules) == expected


def test_published_mapping_of_a_model_with_float_ends_is_predicted(rules):
    # Compiler 15, mnist4.tflite. github.com/system-software-lab/nrf20, convert/quantize/README.md
    net = [
        "CONV_2D",
        "MAX_POOL_2D",
        "CONV_2D",
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    ends = chain(["QUANTIZE", *net, "DEQUANTIZE"], floats=[0, 10])
    assert predicted(ends, rules) == published(
        ("RESHAPE", 1, MAPPED),
        ("CONV_2D", 2, MAPPED),
        ("SOFTMAX", 1, MAPPED),
        ("QUANTIZE", 1, "Operation is otherwise supported, but not mapped due to some unspecified limitation"),
        ("DEQUANTIZE", 1, "Operation is working on an unsupported data type"),
        ("MAX_POOL_2D", 2, MAPPED),
        ("FULLY_CONNECTED", 2, MAPPED),
    )
    # mnist7.tflite, the same net with uint8 ends, is mapped whole there.
    assert predict(chain(net), rules).whole


def test_deeplab_is_predicted_to_break_at_its_last_upsampling(rules):
    # The order of the operators of deeplabv3_mnv2_pascal_513: github.com/freedomtan/deeplabv3_tflite_for_nnapi_delegate.
    # "This layer can't run on EdgeTPU anyway": the last upsampling, github.com/xadrianzetx/coral-deeplab/pull/7.
    body = times(CONV_2D=20, DEPTHWISE_CONV_2D=17, AVERAGE_POOL_2D=1)
    head = ["CONV_2D", ("RESIZE_BILINEAR", (1, 65, 65, 8)), "CONCATENATION", "CONV_2D"]
    last = ("RESIZE_BILINEAR", (1, 513, 513, 1))
    prediction = predict(chain([*body, *head, last, "ARG_MAX"]), rules)
    assert prediction.first.operator == "RESIZE_BILINEAR"
    assert prediction.first.reason == "resizes to 513 × 513"
    assert prediction.first.place == len(body) + len(head)
    assert all(fate.mapped for fate in prediction.fates[: prediction.first.place])
    assert any("RESIZE_BILINEAR" in note for note in prediction.notes)


def test_rows_count_equal_fates_as_a_log_does(rules):
    prediction = predict(chain(["RELU", "RELU", "LEAKY_RELU", "RELU"]), rules)
    assert prediction.rows == (
        Row("RELU", 2, MAPPED),
        Row("LEAKY_RELU", 1, "Operation not supported"),
        Row("RELU", 1, STRANDED),
    )
    assert replace(prediction.rows[0], count=1).mapped
