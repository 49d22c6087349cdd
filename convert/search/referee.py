"""Who judges each form of a model: the whole gate, on all faces of one split, against the float32 form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from convert.errors import ConvertError
from convert.parity.answers import Answers
from convert.parity.contest import Progress
from convert.parity.errors import ParityError, SideError
from convert.parity.gate import Gate
from convert.parity.latency import machine_name, measure_latencies
from convert.parity.measures import compare
from convert.parity.task import Task
from convert.parity.verdict import Outcome, judge
from convert.search.answered import Answered
from convert.search.attempt import Attempt
from convert.search.forms import FormSide
from convert.tflite import Conversion
from edge_runtime.errors import FerEdgeError

__all__ = ["Referee"]

_REFERENCE = "float32"


class Referee:
    """Judges forms of one model.

    Args:
        task: the faces.
        gate: that judges.
        float32: the form that all others are held against.
        illumination: that the model was trained with.
        threads: while the faces are answered.
        latency_runs: of either side, in turns, where the gate judges latency; they are not measured where it does not.
        answered: asks the forms.
        progress: told what is answered.

    Raises:
        SideError: a model of another number of classes than there are labels.
        AnswersError: a float32 form that answers with no probabilities.
    """

    def __init__(
        self,
        task: Task,
        gate: Gate,
        float32: bytes,
        illumination: str,
        threads: int,
        latency_runs: int,
        answered: Answered,
        progress: Progress,
    ) -> None:
        self._task, self._gate, self._progress = task, gate, progress
        self._answered = answered
        self._illumination, self._threads = illumination, threads
        self._runs = latency_runs if gate.latency_ratio is not None else 0
        self._side = FormSide(_REFERENCE, float32, "float32", illumination, threads)
        about = self._side.about
        if about.classes != len(task.labels):
            raise SideError(
                f"a model of {about.classes} classes",
                f"{len(task.labels)}: {', '.join(task.labels.names)}",
                "name the label set that the model was trained with",
            )
        self._pixels = task.pixels(about.input)
        self._reference = self._answers(self._side)

    def all_float(self) -> Attempt:
        """The float32 form against itself: what keeping everything reaches, and whether the gate can judge anything here.

        Raises:
            ParityError: a line that these faces are too few for, whatever a form answers.
        """
        facts = self._reference.facts
        if self._runs:
            facts = replace(facts, latency_ms=1.0, environment={**facts.environment, "machine": machine_name()})
        reference = replace(self._reference, facts=facts)
        comparison = compare(reference, reference, self._task.faces.labels, self._task.labels.names)
        verdict = judge(self._gate, comparison)
        for line in verdict.lines:
            if line.outcome is Outcome.NOT_JUDGED:
                raise ParityError(
                    f"{self._task.facts.source}, {self._task.facts.split}: even for the float32 model itself, {line.text}",
                    "faces enough for every line of the gate",
                    f'judge on a larger split, or say {line.key} = "off" in a gate of your own',
                )
        return Attempt((), "float32", facts.size_bytes, facts.sha256, 1.0, comparison, verdict)

    def judge(self, kept: Sequence[str], kind: str, float_macs: float, make: Callable[[], Conversion]) -> Attempt:
        """Makes a form and judges it; one that cannot be made, run or compared has failed, and says why.

        Args:
            kept: names of the units in float32.
            kind, float_macs: see `Attempt`.
            make: the form.
        """
        size_bytes = sha256 = None
        try:
            content = make().content
            side = FormSide(_name(kept), content, kind, self._illumination, self._threads)
            size_bytes, sha256 = side.about.facts.size_bytes, side.about.facts.sha256
            answers, reference = self._answers(side), self._reference
        except (ConvertError, FerEdgeError) as error:
            return Attempt(tuple(kept), kind, size_bytes, sha256, float_macs, None, None, str(error))
        if self._runs:
            face = self._pixels[:1]
            taken = measure_latencies([self._side, side], [face, face], self._runs)
            reference, answers = (
                replace(
                    each,
                    facts=replace(
                        each.facts,
                        latency_ms=milliseconds,
                        environment={**each.facts.environment, "machine": machine_name()},
                    ),
                )
                for each, milliseconds in zip((reference, answers), taken, strict=True)
            )
        comparison = compare(reference, answers, self._task.faces.labels, self._task.labels.names)
        verdict = judge(self._gate, comparison)
        return Attempt(tuple(kept), kind, size_bytes, sha256, float_macs, comparison, verdict)

    def _answers(self, side: FormSide) -> Answers:
        rows = self._task.faces.rows
        advance = self._progress(side.about.name, len(rows))
        probabilities = self._answered.ask(side, self._pixels, advance)
        return Answers(side.about.name, "tflite", probabilities, rows, side.about.facts)


def _name(kept: Sequence[str]) -> str:
    return f"{len(kept)} kept" if kept else "nothing kept"
