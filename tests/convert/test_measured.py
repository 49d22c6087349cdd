"""Parity figures come from records of this very bundle, on the same faces."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from convert.errors import ProvenanceError
from convert.measured import RECORD_VERSION, parity_table, read_measured
from convert.pack import Request, pack
from edge_runtime.bundle import read_bundle
from edge_runtime.cli import main as fer_edge
from edge_runtime.labels import FER2013, FERPLUS
from edge_runtime.members import canonical_json
from tests.convert.made import made_up_faces, write_fer2013


def write_record(path, **changes):
    """Ten faces, nine judged, of which six are answered rightly."""
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 0, 1, -1], np.int16)
    answers = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
    values = {
        "probabilities": np.eye(7, dtype=np.float32)[answers],
        "labels": labels,
        "names": np.array(FER2013.names),
        "rows": np.arange(10),
        "bundle_sha256": np.array("b" * 64),
        "data_sha256": np.array("d" * 64),
        "split": np.array("PublicTest"),
        "interpreter": np.array("ai-edge-litert 2.3.0"),
        "version": np.array(RECORD_VERSION),
        **changes,
    }
    np.savez(path, **{key: value for key, value in values.items() if value is not None})
    return path


@pytest.fixture
def own(tmp_path):
    return read_measured(write_record(tmp_path / "int8.npz"))


def test_accuracy_counts_only_judged_faces(own):
    table = parity_table({"int8": own}, "int8", FER2013, "b" * 64)
    assert (table["count"], table["left_out"], table["split"]) == (9, 1, "PublicTest")
    int8 = table["accuracy"]["int8"]
    assert (int8["correct"], int8["share"]) == (6, round(6 / 9, 6))
    assert int8["interval"][0] < 6 / 9 < int8["interval"][1]
    assert "agreement" not in table


def test_agreement_counts_same_answers_whether_right_or_wrong(own):
    other = replace(own, probabilities=np.roll(own.probabilities, 1, axis=1), bundle_sha256="f" * 64)
    other.probabilities[:6] = own.probabilities[:6]
    table = parity_table({"int8": own, "float32": other}, "int8", FER2013, "b" * 64)
    assert table["agreement"] == round(6 / 9, 6)
    assert table["accuracy"]["float32"]["bundle_sha256"] == "f" * 64


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rows": np.arange(1, 11)}, "other faces"),
        ({"data_sha256": "e" * 64}, "other faces"),
        ({"labels": np.zeros(10, np.int16)}, "other faces"),
        ({"names": FER2013.names[::-1]}, "labels neutral"),
    ],
)
def test_records_of_other_faces_or_labels_are_refused(own, changes, named):
    with pytest.raises(ProvenanceError, match=named):
        parity_table({"int8": own, "float32": replace(own, **changes)}, "int8", FER2013, "b" * 64)


def test_record_of_another_bundle_kind_or_label_set_is_refused(own):
    with pytest.raises(ProvenanceError, match="recorded with the bundle bbbbbbbbbbbb…; expected 000000000000…"):
        parity_table({"int8": own}, "int8", FER2013, "0" * 64)
    with pytest.raises(ProvenanceError, match=r"--record float32=FILE\.npz"):
        parity_table({"int8": own}, "float32", FER2013, "b" * 64)
    with pytest.raises(ProvenanceError, match="labels angry"):
        parity_table({"int8": own}, "int8", FERPLUS, "b" * 64)


@pytest.mark.parametrize(
    "changes",
    [
        {"probabilities": None},
        {"probabilities": np.zeros((10, 6), np.float32)},
        {"probabilities": np.full((10, 7), np.nan, np.float32)},
        {"labels": np.full(10, -1, np.int16)},
        {"labels": np.full(10, 7, np.int16)},
        {"labels": np.zeros(9, np.int16)},
        {"rows": np.arange(9)},
        {"version": np.array(RECORD_VERSION + 1)},
    ],
)
def test_record_that_contradicts_itself_is_refused_by_name(tmp_path, changes):
    with pytest.raises(ProvenanceError, match=r"r\.npz.*fer-edge record"):
        read_measured(write_record(tmp_path / "r.npz", **changes))


def test_file_that_is_no_record_is_refused_by_name(tmp_path):
    whole = write_record(tmp_path / "whole.npz").read_bytes()
    for content in (None, b"", b"hello", whole[:500]):
        if content is not None:
            (tmp_path / "r.npz").write_bytes(content)
        with pytest.raises(ProvenanceError, match=r"r\.npz") as caught:
            read_measured(tmp_path / "r.npz")
        assert "\n" not in str(caught.value)


def test_what_fer_edge_records_is_packed_with_the_same_figures(made, tmp_path, capsys):
    data = write_fer2013(tmp_path / "fer2013.csv", made_up_faces(split="PublicTest"))
    records = {}
    for kind in ("int8", "float32"):
        pack(Request(getattr(made, kind), "tiny", FER2013, "CC0-1.0"), tmp_path / kind)
        records[kind] = tmp_path / f"{kind}.npz"
        options = ["--split", "PublicTest", "--bundle", tmp_path / kind, "--out", records[kind]]
        assert fer_edge(["record", str(data), *map(str, options)]) == 0
    said = capsys.readouterr().out
    plain = read_bundle(tmp_path / "int8")
    request = Request(made.int8, "tiny", FER2013, "CC0-1.0", records=records)
    bundle = pack(request, tmp_path / "int8", replace=True)
    parity = bundle.manifest["parity"]
    assert parity["count"] == 84
    assert f"({parity['accuracy']['int8']['correct']} of 84;" in said
    assert parity["accuracy"]["int8"]["bundle_sha256"] == plain.sha256
    assert parity["agreement"] > 0.9
    assert (bundle.model, bundle.golden) == (plain.model, plain.golden)

    without = {key: value for key, value in bundle.manifest.items() if key not in ("parity", "sha256")}
    assert {**without, "sha256": plain.manifest["sha256"]} == plain.manifest
    assert hashlib.sha256(canonical_json(plain.manifest)).hexdigest() == plain.sha256
    with pytest.raises(ProvenanceError, match="recorded with the bundle"):
        pack(replace(request, licence="other"), tmp_path / "int8", replace=True)
