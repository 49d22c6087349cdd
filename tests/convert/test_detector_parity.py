"""What a conversion cost a detector: measures worked out by hand, and each line of a gate seen to fail."""

import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from convert.detector.facts import NetFacts
from convert.detector_parity import Seen, measure_detectors, read_detector_gate
from convert.detector_parity.comparing import compare_detectors, draw_frames, measure_detector
from convert.detector_parity.gate import GATES, KEYS, LINES, parse_detector_gate
from convert.detector_parity.markdown import to_markdown
from convert.detector_parity.verdict import judge_detector
from convert.parity import GateError, Outcome, ParityError, read_gate
from convert.parity.answers import ModelFacts
from edge_runtime.detectors.decode import Found
from edge_runtime.framesets import FrameSet
from tests.convert.detector_made import bright_frames

FRAMES = bright_frames()
NET = NetFacts(160, 128, 1, (8, 16, 32))
OFF = dict.fromkeys(LINES, "off")


def facts(name: str, latency_ms=2.0, size_bytes=1000, machine="here") -> ModelFacts:
    return ModelFacts(f"{len(name):064x}", size_bytes, "int8", None, latency_ms, {"machine": machine})


def seen(name: str, frames: FrameSet = FRAMES, lost=(), moved_px=0.0, false=(), score=0.9, **about) -> Seen:
    """Every face is found, but for those numbered in `lost`; `false`: frames with a surer box where nobody is."""
    found, number = [], 0
    for index, marks in enumerate(frames.marks):
        kept = np.array([number + face not in lost for face in range(len(marks))], bool)
        number += len(marks)
        more = int(index in false)
        boxes = np.concatenate([marks.boxes[kept], np.tile(np.float32([0, 0, 9, 9]), (more, 1))])
        points = np.concatenate([marks.points[kept] + np.float32(moved_px), np.zeros((more, 5, 2), np.float32)])
        scores = np.array([score] * int(kept.sum()) + [0.99] * more, np.float32)
        found.append(Found(boxes, scores, points))
    return Seen(name, "tflite", NET, facts(name, **about), found)


def compared(one: Seen, other: Seen, frames: FrameSet = FRAMES, smallest_px=0.0):
    drawn = draw_frames(len(frames))
    return compare_detectors(*(measure_detector(each, frames, smallest_px, drawn) for each in (one, other)), drawn)


def gate(**lines):
    return parse_detector_gate({**OFF, "smallest_px": 0, **lines}, "own", "0" * 64, "own.toml")


def judged(comparison, **lines):
    verdict = judge_detector(gate(**lines), comparison)
    return {line.key: line for line in verdict.lines if line.outcome is not Outcome.OFF}


def test_faces_that_are_lost_are_points_of_average_precision_and_are_shown_by_frame():
    comparison = compared(seen("one"), seen("other", lost=range(36)))
    assert comparison.faces == 144
    assert comparison.drop.value == pytest.approx(25)
    assert comparison.recall_drop.value == pytest.approx(25)
    assert comparison.drop.low < 25 < comparison.drop.high
    assert (comparison.lost, comparison.won) == (36, 0)
    assert [(change.frame, change.lost) for change in comparison.changes] == [(frame, 3) for frame in range(12)]
    assert comparison.agreement.value == pytest.approx(0.75)
    assert comparison.mean_overlap == pytest.approx(1)


def test_a_candidate_like_its_reference_has_an_interval_as_wide_as_so_few_faces_allow():
    comparison = compared(seen("one"), seen("other"))
    assert comparison.drop.value == 0
    assert comparison.drop.high == pytest.approx(300 / 144)
    assert comparison.changes == ()


def test_sides_are_resampled_together():
    """Both lose the same frames: each average precision is unsure, their difference is not."""
    comparison = compared(seen("one", lost=range(60)), seen("other", lost=range(61)))
    own = comparison.candidate.average_precision
    assert 100 * (own.high - own.low) > 20
    assert comparison.drop.high - comparison.drop.low < 6


def test_landmarks_are_compared_on_the_faces_that_both_find():
    one, other = seen("one", moved_px=1.0), seen("other", moved_px=1.2, lost=range(10))
    found = compared(one, other).landmarks
    assert found.faces == 134
    assert found.reference == pytest.approx(2**0.5 / 8)
    assert found.rise.value == pytest.approx(0.2, abs=1e-4)
    unknown = replace(
        FRAMES, marks=[replace(marks, points=np.full_like(marks.points, np.nan)) for marks in FRAMES.marks]
    )
    assert compared(one, other, unknown).landmarks is None


def test_faces_below_the_smallest_size_do_not_count():
    assert compared(seen("one"), seen("other", lost=range(9)), smallest_px=30).faces == 0
    with pytest.raises(ParityError, match="without a face of 30 px"):
        measure_detectors(seen("one"), [seen("other")], FRAMES, gate(size_bytes=1, smallest_px=30), {})


def test_each_line_of_a_gate_can_fail_and_says_by_how_much():
    bad = compared(
        seen("one", moved_px=1.0), seen("other", lost=range(30), moved_px=1.2, latency_ms=5.0, size_bytes=3000)
    )
    lines = judged(
        bad,
        ap_drop_points=1.0,
        ap_drop_upper_points=2.0,
        recall_drop_points=1.0,
        landmark_error_rise=0.05,
        agreement=0.99,
        latency_ratio=1.0,
        size_ratio=1.0,
        size_bytes=2000,
    )
    assert list(lines) == list(LINES)
    assert {key: line.outcome for key, line in lines.items()} == dict.fromkeys(LINES, Outcome.FAILED)
    assert lines["ap_drop_points"].excess == pytest.approx(100 * 30 / 144 - 1)
    assert "a rise of 20.00 %, 5 % allowed: failed, over by 15.00 %" in lines["landmark_error_rise"].text


def test_a_good_candidate_passes_the_shipped_gate():
    many = bright_frames(150)
    comparison = compared(seen("one", many, moved_px=1.0), seen("other", many, moved_px=1.02, lost=[7]), many)
    verdict = judge_detector(read_detector_gate("detector"), comparison)
    assert {line.outcome for line in verdict.lines} == {Outcome.PASSED, Outcome.OFF}


def test_too_few_faces_and_nothing_found_are_not_judged_instead_of_passed():
    few = bright_frames(9)
    comparison = compared(seen("one", few), seen("other", few), few)
    lines = judged(comparison, ap_drop_points=1.0, ap_drop_upper_points=2.0, landmark_error_rise=0.05)
    assert {line.outcome for line in lines.values()} == {Outcome.NOT_JUDGED}
    assert lines["ap_drop_points"].faces_needed == 100
    assert lines["ap_drop_upper_points"].faces_needed > 27
    nothing = compared(seen("one", lost=range(999)), seen("other"))
    lines = judged(
        nothing, ap_drop_points=1.0, ap_drop_upper_points=2.0, recall_drop_points=1.0, landmark_error_rise=0.1
    )
    assert {line.outcome for line in lines.values()} == {Outcome.NOT_JUDGED}
    weak = compared(seen("one", lost=range(1, 999)), seen("other", lost=range(999)))
    lines = judged(weak, ap_drop_points=1.0, ap_drop_upper_points=2.0, recall_drop_points=1.0)
    assert {line.outcome for line in lines.values()} == {Outcome.NOT_JUDGED}
    assert "no more than 0.69 points to lose" in lines["ap_drop_points"].text
    apart = compared(seen("one"), seen("other", machine="elsewhere"))
    assert judged(apart, latency_ratio=2.0)["latency_ratio"].outcome is Outcome.NOT_JUDGED


def test_a_clear_loss_fails_on_however_few_faces():
    few = bright_frames(9)
    comparison = compared(seen("one", few), seen("other", few, lost=range(20)), few)
    lines = judged(comparison, ap_drop_points=1.0, ap_drop_upper_points=2.0)
    assert {line.outcome for line in lines.values()} == {Outcome.FAILED}


def test_surer_false_boxes_cost_precision_though_every_face_is_found():
    comparison = compared(seen("one"), seen("other", false=range(48)))
    assert comparison.drop.value == pytest.approx(25)
    assert comparison.lost == 0


def test_a_gate_names_every_key_and_nothing_else():
    table = tomllib.loads((GATES / "detector.toml").read_text())
    assert set(table) == set(KEYS)
    read = read_detector_gate("detector")
    assert (read.ap_drop_points, read.landmark_error_rise, read.smallest_px) == (1.0, 0.05, 16)
    for key in KEYS:
        with pytest.raises(GateError, match=f"no {key}"):
            parse_detector_gate({k: v for k, v in table.items() if k != key}, "own", "", "own.toml")
    for changes, reason in (
        ({"ap_drop": 1}, "did you mean 'ap_drop_points'"),
        ({"ap_drop_points": -1}, "ap_drop_points = -1"),
        ({"ap_drop_points": True}, "ap_drop_points = True"),
        ({"smallest_px": "off"}, "smallest_px = 'off'"),
        ({"latency_ratio": 0}, "latency_ratio = 0"),
        (OFF, 'every line is "off"'),
    ):
        with pytest.raises(GateError, match=reason):
            parse_detector_gate({**table, **changes}, "own", "", "own.toml")
    with pytest.raises(GateError, match="one of default"):
        read_gate("detector")
    with pytest.raises(GateError, match="one of detector"):
        read_detector_gate("default")


def test_sides_of_one_name_no_candidate_and_other_frames_are_refused():
    for reference, candidates, reason in (
        (seen("one"), [], "no candidate"),
        (seen("one"), [seen("one")], "two sides named 'one'"),
        (seen("one"), [seen("other", bright_frames(9))], "9 frames looked at"),
    ):
        with pytest.raises(ParityError, match=reason):
            measure_detectors(reference, candidates, FRAMES, gate(size_bytes=1), {})


def test_a_result_is_json_and_the_worst_candidate_decides():
    result = measure_detectors(
        seen("one"),
        [seen("other", lost=range(40)), seen("third one")],
        FRAMES,
        gate(ap_drop_points=1.0),
        {"python": "3"},
    )
    table = json.loads(result.to_json())
    assert (table["kind"], table["outcome"], table["exit_code"]) == ("face_detector", "failed", 1)
    assert [each["verdict"]["outcome"] for each in table["candidates"]] == ["failed", "passed"]
    assert table["data"]["faces"] == 144
    text = to_markdown(result)
    assert "# Parity: failed" in text
    assert "## third one: passed" in text
    assert "40 faces lost, 0 won" in text
