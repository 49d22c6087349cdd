"""A result as JUnit XML, which CI systems show: a suite a candidate, a test case a line of the gate."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convert.parity.refused import Refused
from convert.parity.result import Judged, ParityResult
from convert.parity.verdict import Line, Outcome

__all__ = ["Suite", "suites_to_junit", "to_junit"]

_CHILDREN = {Outcome.FAILED: "failure", Outcome.NOT_JUDGED: "error", Outcome.OFF: "skipped"}
"""What could not be judged is an error there, so that no CI system takes it for a pass."""


@dataclass(frozen=True)
class Suite:
    """A candidate: its name, the lines of its verdict, and what it was judged on as names and values."""

    name: str
    lines: Sequence[Line]
    facts: Mapping[str, str]


def to_junit(result: ParityResult) -> bytes:
    """The file `junit.xml`: UTF-8, one `testsuite` a candidate. The text of a failed line is its whole sentence."""
    return suites_to_junit([_of(judged, result) for judged in result.candidates], result.refused)


def suites_to_junit(suites: Sequence[Suite], refused: Sequence[Refused]) -> bytes:
    """The same of any candidates, and of those that could not be compared."""
    root = ET.Element("testsuites", name="parity")
    counted = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for each in suites:
        suite, counts = _suite(each)
        root.append(suite)
        counted = {key: counted[key] + counts[key] for key in counted}
    for one in refused:
        root.append(_refused_suite(one))
        counted = {**counted, "tests": counted["tests"] + 1, "errors": counted["errors"] + 1}
    root.attrib.update({key: str(count) for key, count in counted.items()})
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _of(judged: Judged, result: ParityResult) -> Suite:
    facts = {
        "reference": result.reference.name,
        "reference sha256": result.reference.facts.sha256,
        "candidate sha256": judged.comparison.candidate.facts.sha256,
        "data": f"{result.data.source} {result.data.split}",
        "data sha256": result.data.sha256,
        "faces": str(result.faces),
        "gate": result.gate.name,
        "gate sha256": result.gate.sha256,
    }
    return Suite(judged.name, judged.verdict.lines, facts)


def _suite(suite: Suite) -> tuple[ET.Element, dict[str, int]]:
    outcomes = [line.outcome for line in suite.lines]
    counts = {
        "tests": len(suite.lines),
        "failures": outcomes.count(Outcome.FAILED),
        "errors": outcomes.count(Outcome.NOT_JUDGED),
        "skipped": outcomes.count(Outcome.OFF),
    }
    element = ET.Element("testsuite", {"name": suite.name, **{key: str(count) for key, count in counts.items()}})
    properties = ET.SubElement(element, "properties")
    for name, value in suite.facts.items():
        ET.SubElement(properties, "property", name=name, value=value)
    for line in suite.lines:
        element.append(_case(suite.name, line))
    return element, counts


def _refused_suite(refused: Refused) -> ET.Element:
    suite = ET.Element("testsuite", name=refused.name, tests="1", failures="0", errors="1", skipped="0")
    case = ET.SubElement(suite, "testcase", classname=f"parity.{refused.name}", name="comparison")
    ET.SubElement(case, "error", message=refused.reason, type=Outcome.NOT_JUDGED.value).text = refused.reason
    return suite


def _case(candidate: str, line: Line) -> ET.Element:
    case = ET.Element("testcase", classname=f"parity.{candidate}", name=line.key)
    if line.outcome in _CHILDREN:
        child = ET.SubElement(case, _CHILDREN[line.outcome], message=line.text)
        if line.outcome is not Outcome.OFF:
            child.set("type", line.outcome.value)
            child.text = line.text
    else:
        ET.SubElement(case, "system-out").text = line.text
    return case
