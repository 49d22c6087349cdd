"""`python -m convert explain`: the right cause first, from what a report holds."""

import json
from dataclasses import replace

import pytest

from convert.cli import main
from convert.explain import likely_causes, read_report
from convert.explain.report import as_report
from convert.parity import measure_parity
from convert.parity.evidence import (
    ColourOrder,
    Fed,
    InputScale,
    LabelOrder,
    Match,
    Ranges,
    Skipped,
    TensorRange,
    ZeroWeights,
    probes_as_json,
    probes_from_json,
)
from convert.parity.signals import LayerSignal, Signals
from tests.convert.parity_made import DATA, flipped, gate, side

ASKED = gate(accuracy_drop_points=1, agreement=0.97)
BAD = Match(0.2, 0.7)
ORDERED = LabelOrder(tuple(range(7)), BAD, BAD)
LIVELY = InputScale(128, BAD, (Fed("divided by 255", Match(0.21, 0.69)),), 0.2, 0.19)
SOUND = ZeroWeights((), 9)


def ranges(**saturated):
    """Ten tensors; `conv3=0.2` cuts one of them off."""
    names = [f"conv{at}" for at in range(10)]
    return Ranges(48, tuple(TensorRange(name, -1.0, 3.0, saturated.get(name, 0.0001), 0.9) for name in names))


def result_with(*probes, lost=300, thresholds=ASKED):
    labels, reference, candidate = flipped(420, lost)
    sides = side(reference, "reference", "keras"), [side(candidate, "int8.tflite", arithmetic="int8")]
    return measure_parity(*sides, labels, DATA, thresholds, {}, {"int8.tflite": probes})


def causes_of(*probes, **changes):
    return likely_causes(as_report(result_with(*probes, **changes)).candidates[0])


def first(*probes, **changes):
    return causes_of(*probes, **changes)[0].key


def written(folder, result, name="report.json"):
    (folder / name).write_bytes(result.to_json())
    return folder


@pytest.mark.parametrize(
    ("probe", "cause"),
    [
        (LabelOrder((3, 1, 2, 0, 4, 5, 6), BAD, Match(0.97, 0.03)), "label order"),
        (ColourOrder(128, BAD, Match(0.98, 0.02)), "colour order"),
        (InputScale(128, BAD, (Fed("divided by 255", Match(0.95, 0.1)),), 0.2, 0.001), "input scale"),
        (ZeroWeights(("net/conv4/kernel",), 9), "zero weights"),
        (ranges(conv3=0.2), "clipped range"),
        (ranges(conv1=0.2, conv2=0.3, conv5=0.15, conv8=0.1), "calibration"),
    ],
)
def test_each_breakage_is_named_first_among_sound_evidence(probe, cause):
    sound = [ORDERED, LIVELY, SOUND, ranges()]
    probes = [each for each in sound if each.kind != probe.kind] + [probe]
    assert first(*probes) == cause
    assert first(*reversed(probes)) == cause


def test_a_definite_fact_beats_what_follows_from_it():
    """Zero weights leave later tensors still: their ranges look wrong too."""
    probes = ZeroWeights(("conv1",), 9), ranges(conv2=0.3, conv3=0.3), LIVELY
    assert [cause.key for cause in causes_of(*probes)] == ["zero weights", "calibration"]


def test_labels_are_named_as_they_should_stand():
    (cause,) = causes_of(LabelOrder((3, 1, 2, 0, 4, 5, 6), BAD, Match(0.97, 0.03)))
    assert "97.0 % of the faces instead of 20.0 %" in cause.evidence[0]
    assert "output 3 (happy) answers angry; output 0 (angry) answers happy" in cause.evidence[1]
    assert "happy, disgust, fear, angry, sad, surprise, neutral" in cause.mend


def test_a_cycle_of_labels_is_named_the_right_way_round():
    """Output order[i] answers i: outputs 1, 2, 0 answer classes 0, 1, 2."""
    (cause,) = causes_of(LabelOrder((1, 2, 0, 3, 4, 5, 6), BAD, Match(0.97, 0.03)))
    assert "fear, angry, disgust, happy, sad, surprise, neutral" in cause.mend


def test_what_mends_less_than_half_is_no_cause():
    weak = LabelOrder((3, 1, 2, 0, 4, 5, 6), BAD, Match(0.5, 0.5))
    assert causes_of(weak, ColourOrder(128, BAD, Match(0.3, 0.6)), SOUND) == ()


def test_ranges_that_faces_hardly_use_are_a_calibration_on_something_else():
    tensors = tuple(TensorRange(f"conv{at}", -50.0, 50.0, 0.0, 0.1) for at in range(6))
    (cause,) = causes_of(Ranges(48, tensors))
    assert cause.key == "calibration"
    assert "Of the ranges of 6 calibrated activation tensors faces use 10.0 %" in cause.evidence[0]


def test_too_few_faces_are_named_as_the_cause():
    (cause,) = causes_of(lost=1, thresholds=gate(accuracy_drop_upper_points=0.3))
    assert cause.key == "not judged"


def test_a_model_that_is_only_too_large_is_named_so():
    (cause,) = causes_of(ORDERED, SOUND, ranges(), lost=0, thresholds=gate(size_bytes=10))
    assert (cause.key, cause.likelihood) == ("budget", 1.0)


def test_without_breakage_coarse_integers_are_the_cause():
    assert first(LabelOrder(tuple(range(7)), BAD, BAD), SOUND, ranges(), lost=30) == "rounding"


def test_a_candidate_that_passed_has_no_causes():
    assert causes_of(ranges(conv3=0.3), lost=0) == ()


# The command


def test_command_tells_the_cause_its_evidence_and_what_to_do(tmp_path, capsys):
    report = written(tmp_path, result_with(ORDERED, ranges(conv3=0.2), Skipped("input scale", "OSError: gone")))
    assert main(["explain", str(report)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("int8.tflite: failed\n  1. The range of one activation is too narrow (almost certain)\n")
    assert "evidence: conv3 is cut off, -1 to 3, with 20.0 % of its values at the end" in out
    assert "mend: calibrate that tensor again" in out
    assert "not gathered: input scale: OSError: gone." in out
    assert max(map(len, out.splitlines())) <= 100


def test_command_gives_the_same_as_json(tmp_path, capsys):
    report = written(tmp_path, result_with(ORDERED, ZeroWeights(("conv4",), 9)))
    assert main(["explain", str(report / "report.json"), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["format"] == 1
    (candidate,) = table["candidates"]
    assert (candidate["outcome"], candidate["causes"][0]["cause"]) == ("failed", "zero weights")


def test_a_report_that_passed_is_exit_0(tmp_path, capsys):
    assert main(["explain", str(written(tmp_path, result_with(lost=0)))]) == 0
    assert "passed, nothing to explain" in capsys.readouterr().out


@pytest.mark.parametrize("probes", [(), (ORDERED, SOUND)])
def test_a_failure_that_nothing_explains_is_exit_1(tmp_path, capsys, probes):
    assert main(["explain", str(written(tmp_path, result_with(*probes)))]) == 1
    out = capsys.readouterr().out
    assert "Nothing in the report explains it" in out
    assert ("holds no evidence" in out) == (not probes)


def test_a_parity_json_is_found_too(tmp_path):
    assert main(["explain", str(written(tmp_path, result_with(lost=0), "report.json"))]) == 0


def changed(**values):
    return json.dumps({**result_with(ORDERED).as_json(), **values})


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "No such file"),
        ("", "no JSON"),
        ("[1]", "no parity report"),
        ('{"format": 1, "name": "bundle"}', "no parity report"),
        (changed(format=2), "format 2"),
        (changed(candidates=[]), "damaged"),
        (changed(candidates=[{}]), "damaged"),
        (changed(data=None), "damaged"),
        (changed(outcome="fine"), "damaged"),
        (
            changed(candidates=[{**result_with().as_json()["candidates"][0], "probes": [{"kind": "ranges"}]}]),
            "damaged evidence",
        ),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_a_wrong_report_is_one_line_and_exit_2(tmp_path, capsys, content, named):
    path = tmp_path / "parity.json"
    if content is not None:
        path.write_text(content)
    assert main(["explain", str(path)]) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1


def test_a_folder_without_a_report_is_exit_2(tmp_path, capsys):
    assert main(["explain", str(tmp_path)]) == 2
    assert "without report.json or parity.json" in capsys.readouterr().err


def test_a_report_of_before_there_was_evidence_is_read(tmp_path):
    table = result_with(ORDERED).as_json()
    del table["candidates"][0]["probes"], table["signals"]
    (tmp_path / "parity.json").write_text(json.dumps(table))
    assert read_report(tmp_path).candidates[0].probes == ()


# The evidence


def test_evidence_is_read_back_as_it_was_written():
    probes = (
        LabelOrder((1, 0), Match(0.1, 0.9), Match(0.8, 0.2)),
        ColourOrder(5, BAD, BAD),
        LIVELY,
        ZeroWeights(("a", "b"), 3),
        ranges(conv2=0.5),
        Skipped("ranges", "no"),
    )
    tables = json.loads(json.dumps(probes_as_json(probes)))
    assert probes_from_json(tables, "here") == probes
    assert probes_from_json([*tables, {"kind": "of tomorrow"}], "here") == probes


# Ranges, where the report holds the tensors in float32


def fitted(*reaches, used=0.9):
    """Tensors whose float values fill `used` of their range from 0 to 1, or reach so far beyond it."""
    layers = tuple(
        LayerSignal(f"conv{at}", "CONV_2D", 20.0, 0.0, used if reach == 1 else reach, 0.0, 1.0, 0.1 * (reach > 1))
        for at, reach in enumerate(reaches)
    )
    return Signals("int8.tflite", "reference", 16, layers)


def by_floats(*reaches, used=0.9, probe=None):
    result = replace(result_with(probe or ranges()), signals=(fitted(*reaches, used=used),))
    return [cause.key for cause in likely_causes(as_report(result).candidates[0])]


def test_float_values_far_beyond_one_range_are_a_clipped_range():
    assert by_floats(1, 1, 5, 1, 1, 1) == ["clipped range"]


def test_float_values_beyond_one_range_where_no_other_fits_are_a_calibration():
    assert by_floats(1, 1, 2.1, 1, 1, 1, used=0.67) == ["calibration"]


def test_float_values_beyond_several_ranges_are_a_calibration():
    assert by_floats(1, 2, 5, 3, 1, 1) == ["calibration"]


def test_what_is_still_downstream_of_a_clipped_range_does_not_hide_it():
    """The candidate's own tensors shrink behind it; those in float32 do not."""
    shrunk = Ranges(
        48, tuple(TensorRange(f"conv{at}", 0.0, 1.0, 0.2 * (at == 0), 1.0 if at == 0 else 0.2) for at in range(6))
    )
    assert by_floats(6, 1, 1, 1, 1, 1, probe=shrunk) == ["clipped range"]
    assert first(shrunk) == "clipped range"


def test_one_tensor_at_its_ends_where_none_before_it_fits_is_a_calibration():
    saturated = {5: 0.08}
    tensors = tuple(TensorRange(f"conv{at}", 0.0, 1.0, saturated.get(at, 0.0), 0.6) for at in range(7))
    assert first(Ranges(48, tensors)) == "calibration"


def test_a_layer_that_loses_the_signal_is_named_where_nothing_else_is():
    layers = tuple(
        LayerSignal(f"conv{at}", "CONV_2D", decibels, 0.0, 0.9, 0.0, 1.0, 0.0)
        for at, decibels in enumerate((50, 30, 28, 9, 8))
    )
    result = replace(result_with(SOUND), signals=(Signals("int8.tflite", "reference", 16, layers),))
    (cause,) = likely_causes(as_report(result).candidates[0])
    assert cause.key == "worst layer"
    assert "19 dB at conv3, to 9 dB" in cause.evidence[0]
