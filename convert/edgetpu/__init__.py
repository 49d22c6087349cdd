"""Which operators of a model the Coral Edge TPU runs: predicted from its file, or as the compiler says.

    graph = read_operators(content, "fer.tflite")
    prediction = predict(graph, read_rules())
    prediction.whole                  # True: all on the Edge TPU
    prediction.first                  # else the first operator that stays on the CPU, why, and the mend

The rules are data, `rules.toml`: each names its source. No Edge TPU and no compiler is needed to predict.
"""

from convert.edgetpu.compiler import compile_model, find_compiler
from convert.edgetpu.log import CompilerLog, Row, parse_log
from convert.edgetpu.prediction import Fate, Prediction, predict
from convert.edgetpu.rules import Rules, read_rules

__all__ = [
    "CompilerLog",
    "Fate",
    "Prediction",
    "Row",
    "Rules",
    "compile_model",
    "find_compiler",
    "parse_log",
    "predict",
    "read_rules",
]
