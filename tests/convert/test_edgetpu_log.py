"""The Edge TPU compiler's own words, of versions 2 to 16, as others have published them."""

import pytest

from convert.edgetpu import parse_log
from convert.errors import EdgeTpuError

# Version 16 on standard output: github.com/Fgeeha/Empirical-Study-of-Label-Space, mobilenetv1_compile.txt.
V16 = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 542 ms.

Input model: mobilenetv1.tflite
Input size: 3.36MiB
Number of Edge TPU subgraphs: 1
Total number of operations: 29
Operation log: mobilenetv1_edgetpu.log

Operator                       Count      Status

DEPTHWISE_CONV_2D              13         Mapped to Edge TPU
FULLY_CONNECTED                1          Mapped to Edge TPU
CONV_2D                        14         Mapped to Edge TPU
MEAN                           1          Mapped to Edge TPU
Compilation child process completed within timeout period.
Compilation succeeded!
"""

# Version 15, in its log: github.com/system-software-lab/nrf20, convert/quantize/README.md.
V15 = """Edge TPU Compiler version 15.0.340273435
Input: mnist4.tflite
Output: mnist4_edgetpu.tflite

Operator                       Count      Status

RESHAPE                        1          Mapped to Edge TPU
QUANTIZE                       1          Operation is otherwise supported, but not mapped due to some unspecified limitation
DEQUANTIZE                     1          Operation is working on an unsupported data type
"""

# Version 14.1, in its log: rajansaini691/retinanet-model-tflite, tiny_yolo_edgetpu.log.
V14 = """Edge TPU Compiler version 14.1.317412892
Input: tiny_yolo.tflite
Output: tiny_yolo_edgetpu.tflite

Operator                       Count      Status

CONCATENATION                  1          More than one subgraph is not supported
MAX_POOL_2D                    6          Mapped to Edge TPU
RESIZE_NEAREST_NEIGHBOR        1          Operation version not supported
CONV_2D                        11         Mapped to Edge TPU
CONV_2D                        2          More than one subgraph is not supported
"""

# Version 2, in its log: google-coral/edgetpu, issue 13.
V2 = """Edge TPU Compiler version 2.0.267685300
Input: /mnt/localtmp/model.tflite
Output: /mnt/localtmp/model_edgetpu.tflite

Operator                       Count      Status

SOFTMAX                        1          Mapped to Edge TPU
FULLY_CONNECTED                1          Mapped to Edge TPU
"""

# Versions that refuse: google-coral/edgetpu issues 168, 631, 512 and 172.
NOT_QUANTIZED = """Edge TPU Compiler version 14.1.317412892
Invalid model: my_mnist_quant.tflite
Model not quantized
"""
UNKNOWN_VERSION = """Edge TPU Compiler version 16.0.384591198
ERROR: Didn't find op for builtin opcode 'CONV_2D' version '6'. An older version of this builtin might be supported.

ERROR: Registration failed.

Invalid model: model.tflite
Model could not be parsed
"""
TOO_LARGE = """Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.
ERROR: Restored original execution plan after delegate application failure.
Compilation failed: Compilation failed due to large activation tensors in model.
Compilation child process completed within timeout period.
Compilation failed!
"""
CRASHED = """Edge TPU Compiler version 14.1.317412892
Internal compiler error. Aborting!
"""


@pytest.mark.parametrize(
    ("text", "version", "rows", "whole"),
    [
        (
            V16,
            "16.0.384591198",
            [("DEPTHWISE_CONV_2D", 13), ("FULLY_CONNECTED", 1), ("CONV_2D", 14), ("MEAN", 1)],
            True,
        ),
        (V15, "15.0.340273435", [("RESHAPE", 1), ("QUANTIZE", 1), ("DEQUANTIZE", 1)], False),
        (
            V14,
            "14.1.317412892",
            [("CONCATENATION", 1), ("MAX_POOL_2D", 6), ("RESIZE_NEAREST_NEIGHBOR", 1), ("CONV_2D", 11), ("CONV_2D", 2)],
            False,
        ),
        (V2, "2.0.267685300", [("SOFTMAX", 1), ("FULLY_CONNECTED", 1)], True),
    ],
    ids=["16", "15", "14.1", "2.0"],
)
def test_tables_of_each_version_are_read(text, version, rows, whole):
    log = parse_log(text, "log")
    assert (log.version, log.refused, log.whole) == (version, "", whole)
    assert [(row.operator, row.count) for row in log.rows] == rows


def test_status_is_kept_word_for_word():
    assert [row.status for row in parse_log(V15, "log").rows] == [
        "Mapped to Edge TPU",
        "Operation is otherwise supported, but not mapped due to some unspecified limitation",
        "Operation is working on an unsupported data type",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NOT_QUANTIZED, "Model not quantized"),
        (UNKNOWN_VERSION, "Didn't find op for builtin opcode 'CONV_2D' version '6'"),
        (TOO_LARGE, "large activation tensors"),
        (CRASHED, "Internal compiler error"),
    ],
)
def test_refusals_are_told_by_their_reason(text, said):
    log = parse_log(text, "log")
    assert said in log.refused
    assert not log.whole


@pytest.mark.parametrize("text", ["", "hello\n", "Edge TPU Compiler version 17.0\nAll is well\n", V16[50:]])
def test_output_without_table_or_refusal_is_no_success(text):
    with pytest.raises(EdgeTpuError, match="no table of operators"):
        parse_log(text, "log")
