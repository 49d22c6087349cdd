"""A result is written as JSON that keeps its schema, as JUnit XML and as Markdown."""

import json
import re
import textwrap
import xml.etree.ElementTree as ET

import pytest

import convert.parity
from convert.parity import Outcome, ParityError, measure_parity, read_gate, to_junit, to_markdown
from convert.parity.gate import LINES
from convert.parity.result import SCHEMA
from tests.convert.parity_made import DATA, flipped, gate, labels_of, result_of, side

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
KEYWORDS = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "properties", "required", "additionalProperties"),
    *("items", "minItems", "maxItems", "enum", "const", "anyOf", "minimum", "maximum", "pattern"),
}


def faults(value, schema, root, where="$"):
    """What of `value` breaks `schema`: as much of JSON Schema as the file uses, and any other keyword is refused."""
    assert set(schema) <= KEYWORDS, f"{where}: {set(schema) - KEYWORDS}"
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, where)
    if "anyOf" in schema:
        return [] if any(not faults(value, each, root) for each in schema["anyOf"]) else [where]
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return [where]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or isinstance(value, bool)):
        return [where]
    if (
        not schema.get("minimum", float("-inf"))
        <= (value if kind in ("integer", "number") else 0)
        <= schema.get("maximum", float("inf"))
    ):
        return [where]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [where]
    found = []
    if kind == "object":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        found += [f"{where}.{key} missing" for key in schema.get("required", ()) if key not in value]
        for key, item in value.items():
            inner = properties.get(key, others)
            found += [f"{where}.{key} unknown"] if inner is False else faults(item, inner, root, f"{where}.{key}")
    if kind == "array":
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append(where)
        for at, item in enumerate(value):
            found += faults(item, schema["items"], root, f"{where}[{at}]")
    return found


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text())


@pytest.fixture(scope="module")
def mixed():
    """One candidate with a passed, a failed and an unjudged line, and others off."""
    thresholds = gate(accuracy_drop_points=0.5, agreement=0.9, latency_ratio=1)
    return result_of(thresholds, 700, lost=20, won=3, candidate_changes={"latency_ms": None})


def test_json_keeps_its_schema(schema, mixed):
    for result in (mixed, result_of(read_gate("default"), 3589, 30, 20), result_of(read_gate("default"), 5)):
        table = json.loads(result.to_json())
        assert faults(table, schema, schema) == []
        assert table == result.as_json()


def test_schema_finds_what_is_wrong(schema, mixed):
    for path, value, named in (
        (("candidates", 0, "agreement", "share"), 1.5, "share"),
        (("reference", "model", "sha256"), "x", "sha256"),
        (("gate", "thresholds", "extra"), 1, "extra unknown"),
        (("outcome",), "ok", "outcome"),
        (("candidates",), [], "candidates"),
        (("data", "faces"), True, "faces"),
    ):
        table = json.loads(mixed.to_json())
        inner = table
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        assert any(fault.endswith(named) for fault in faults(table, schema, schema)), path
    table = json.loads(mixed.to_json())
    del table["candidates"][0]["verdict"]
    assert faults(table, schema, schema) == ["$.candidates[0].verdict missing"]


def test_json_says_on_what_it_was_measured(mixed):
    table = mixed.as_json()
    assert table["data"] == {
        "source": "fer2013.csv",
        "split": "PublicTest",
        "sha256": "d" * 64,
        "labels": list(DATA.label_names),
        "preprocess": 1,
        "faces": 700,
        "left_out": 0,
    }
    assert (table["environment"], table["gate"]["sha256"]) == ({"numpy": "2"}, "a" * 64)
    assert table["gate"]["thresholds"]["size_ratio"] == "off"
    assert (table["exit_code"], table["outcome"]) == (1, "failed")
    assert [line["key"] for line in table["candidates"][0]["verdict"]["lines"]] == list(LINES)


def test_result_is_the_same_each_time(mixed):
    thresholds = gate(accuracy_drop_points=0.5, agreement=0.9, latency_ratio=1)
    again = result_of(thresholds, 700, lost=20, won=3, candidate_changes={"latency_ms": None})
    assert again.to_json() == mixed.to_json()


def test_junit_has_a_case_a_line_and_the_failure_in_words(mixed):
    root = ET.fromstring(to_junit(mixed))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("9", "1", "1", "6")
    (suite,) = root.findall("testsuite")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert list(cases) == list(LINES)
    failure = cases["accuracy_drop_points"].find("failure")
    assert "failed, over by" in failure.text
    assert failure.get("message") == failure.text
    assert "could not be judged" in cases["latency_ratio"].find("error").text
    assert "off in the gate" in cases["mean_drift"].find("skipped").get("message")
    assert [child.tag for child in cases["agreement"]] == ["system-out"]
    properties = {each.get("name"): each.get("value") for each in suite.find("properties")}
    assert properties["data sha256"] == "d" * 64


def test_junit_counts_over_all_candidates_and_takes_any_name():
    labels = labels_of(700)
    sides = [side(labels, name) for name in ('a <b> & "c"', "ünï|8")]
    result = measure_parity(side(labels, "one"), sides, labels, DATA, gate(agreement=0.9), {})
    root = ET.fromstring(to_junit(result))
    assert root.get("tests") == "18"
    assert [suite.get("name") for suite in root] == [each.name for each in sides]
    assert "ünï\\|8" in to_markdown(result)


def test_markdown_has_the_lines_the_measures_and_the_classes(mixed):
    text = to_markdown(mixed)
    assert text.startswith("# Parity: failed\n")
    assert "## candidate: failed" in text
    assert "| accuracy_drop_points | 2.43 points | 0.50 points | failed |" in text
    assert "| latency_ratio | not known | 1 | could not be judged |" in text
    assert "| mean_drift |  | off | off |" in text
    assert "(20 lost, 3 won)" in text
    assert "| angry | 100 | " in text
    assert "- accuracy_drop_points: a drop of 2.43 points measured, 0.5 allowed: failed, over by 1.93 points" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in tables} <= {3, 5, 6}


def test_class_without_faces_is_not_known_in_markdown():
    labels = labels_of(600, 6)
    result = measure_parity(side(labels, "a"), [side(labels, "b")], labels, DATA, gate(agreement=0.9), {})
    assert "| neutral | 0 | not known | not known | not known |" in to_markdown(result)


def test_sides_are_named_apart_and_there_is_a_candidate():
    labels = labels_of(70)
    with pytest.raises(ParityError, match="two sides named 'a'"):
        measure_parity(side(labels, "a"), [side(labels, "a")], labels, DATA, gate(agreement=0.9), {})
    with pytest.raises(ParityError, match="no candidate"):
        measure_parity(side(labels, "a"), [], labels, DATA, gate(agreement=0.9), {})


def test_outcomes_have_the_exit_codes_of_the_commands():
    outcomes = (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_JUDGED)
    assert [outcome.exit_code for outcome in outcomes] == [0, 1, 2]


def test_front_page_runs_as_it_is_written(capsys):
    page = convert.parity.__doc__
    code = textwrap.dedent("\n".join(line for line in page.splitlines() if line.startswith("    ") or not line))
    labels, reference, candidate = flipped(3589, lost=10, won=8)
    one, other = side(reference), side(candidate)
    names = {"probabilities": one.probabilities, "quantized": other.probabilities, "rows": one.rows, "labels": labels}
    hashes = dict.fromkeys(("sha256", "other_sha256", "data_sha256"), "a" * 64)
    with pytest.raises(SystemExit) as left:
        exec(code, {**names, **hashes})
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("# Parity: passed\n")
    assert all(hasattr(convert.parity, name) for name in convert.parity.__all__)
