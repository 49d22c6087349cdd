"""What a conversion cost, on which faces, and whether the model may ship.

    import sys

    from convert.parity import Answers, DataFacts, ModelFacts, measure_parity, read_gate, to_markdown
    from edge_runtime.labels import FER2013
    from edge_runtime.preprocess import PREPROCESS_VERSION

    one = Answers("model.keras", "keras", probabilities, rows, ModelFacts(sha256, 9_000_000, "float32", None, 1.9, {}))
    other = Answers("int8.tflite", "tflite", quantized, rows, ModelFacts(other_sha256, 2_600_000, "int8", None, 0.7, {}))
    data = DataFacts("fer2013.csv", "PublicTest", data_sha256, FER2013.names, PREPROCESS_VERSION)
    result = measure_parity(one, [other], labels, data, read_gate("default"), {})
    print(to_markdown(result))
    sys.exit(result.exit_code)  # 0 passed, 1 failed, 2 could not be judged

Only numpy is needed: whoever runs the models hands in their answers.
"""

from convert.parity.answers import Answers, ModelFacts
from convert.parity.errors import AnswersError, GateError, ParityError, SideError
from convert.parity.gate import Gate, list_gates, read_gate
from convert.parity.junit import to_junit
from convert.parity.markdown import to_markdown
from convert.parity.measures import Comparison, Side, compare
from convert.parity.refused import Refused
from convert.parity.result import DataFacts, Judged, ParityResult, measure_parity
from convert.parity.signals import LayerSignal, Signals
from convert.parity.verdict import Line, Outcome, Verdict, judge

__all__ = [
    "Answers",
    "AnswersError",
    "Comparison",
    "DataFacts",
    "Gate",
    "GateError",
    "Judged",
    "LayerSignal",
    "Line",
    "ModelFacts",
    "Outcome",
    "ParityError",
    "ParityResult",
    "Refused",
    "Side",
    "SideError",
    "Signals",
    "Verdict",
    "compare",
    "judge",
    "list_gates",
    "measure_parity",
    "read_gate",
    "to_junit",
    "to_markdown",
]
