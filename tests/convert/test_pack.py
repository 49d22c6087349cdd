"""A packed bundle verifies, carries its provenance, and appears whole or not at all."""

import errno
import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from convert.card import card_path
from convert.errors import BudgetError, GraphError, PackError, ProvenanceError
from convert.metadata import labels_in
from convert.pack import Request, pack
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.errors import BundleError
from edge_runtime.golden import check
from edge_runtime.interpreter import Model
from edge_runtime.labels import FER2013, FERPLUS
from edge_runtime.members import canonical_json, with_own_hash
from tests.convert.made import made_up_pixels


@pytest.fixture
def request_of(made):
    return lambda kind="int8", **changes: replace(Request(getattr(made, kind), "tiny", FER2013, "CC0-1.0"), **changes)


@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_packed_bundle_verifies_and_passes_its_self_test(request_of, tmp_path, kind):
    packed = pack(request_of(kind), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle == packed
    assert (bundle.name, bundle.labels, bundle.manifest["arithmetic"]) == ("tiny", FER2013, kind)
    assert (bundle.input.size, bundle.input.channels) == (48, 1)
    assert bundle.manifest["input"] == {"size": 48, "channels": 1}
    assert bundle.manifest["licence"] == "CC0-1.0"
    verdict = check(bundle, Classifier(bundle).model)
    assert verdict.exact, verdict.message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_model_in_the_bundle_answers_as_the_converted_file(request_of, made, tmp_path):
    bundle = pack(request_of(), tmp_path / "bundle")
    before, after = Model(made.int8.read_bytes()), Model(bundle.model)
    for face in made_up_pixels(20):
        assert np.array_equal(before.run(face[None]), after.run(face[None]))
    assert labels_in(bundle.model) == FER2013.names


def test_manifest_tells_calibration_and_conversion_without_paths(request_of, made, tmp_path):
    bundle = pack(request_of(), tmp_path / "bundle")
    calibration = bundle.manifest["calibration"]
    assert (calibration["source"], calibration["split"], calibration["seed"]) == ("fer2013.csv", "Training", 1)
    assert len(calibration["rows"].split()) == calibration["count"] == 64
    assert len(calibration["sha256"]) == 64
    assert bundle.manifest["conversion"]["source"] == "model.keras"
    assert set(bundle.manifest["conversion"]["versions"]) == {"tensorflow", "keras", "ai-edge-litert"}
    assert str(made.model.parent).encode() not in canonical_json(bundle.manifest)
    assert "calibration" not in pack(request_of("float32"), tmp_path / "other").manifest


def test_same_request_gives_the_same_bundle(request_of, tmp_path):
    assert pack(request_of(), tmp_path / "one").sha256 == pack(request_of(), tmp_path / "two").sha256


def test_thousand_random_changes_of_one_byte_are_all_refused(request_of, tmp_path):
    folder = tmp_path / "bundle"
    pack(request_of(), folder)
    random = np.random.default_rng(1)
    originals = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    assert len(originals) == 3
    for turn in range(1000):
        path = list(originals)[turn % 3]
        changed = bytearray(originals[path])
        changed[int(random.integers(len(changed)))] ^= int(random.integers(1, 256))
        path.write_bytes(changed)
        with pytest.raises(BundleError):
            read_bundle(folder)
        path.write_bytes(originals[path])
    read_bundle(folder)


def refused(request, out, error, match, **options):
    before = sorted(path.name for path in out.parent.iterdir())
    with pytest.raises(error, match=match) as caught:
        pack(request, out, **options)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in out.parent.iterdir()) == before


def test_label_set_of_another_size_is_refused(request_of, tmp_path):
    refused(request_of(labels=FERPLUS), tmp_path / "b", GraphError, r"output of shape \(1, 7\).*8 labels")


@pytest.mark.parametrize("name", ["", "Fer", "a b", "../x", "a/b", "x" * 65, ".hidden"])
def test_name_that_is_no_plain_name_is_refused(request_of, name):
    with pytest.raises(PackError, match="bundle name"):
        request_of(name=name)


def test_budget_is_that_of_the_packed_model(request_of, made, tmp_path):
    size = len(pack(request_of(), tmp_path / "a").model)
    assert size > made.int8.stat().st_size
    pack(request_of(most_bytes=size), tmp_path / "b")
    refused(request_of(most_bytes=size - 1), tmp_path / "c", BudgetError, f"{size} bytes")


def test_model_without_its_card_or_with_anothers_is_refused(request_of, made, tmp_path):
    model = tmp_path / "model.tflite"
    shutil.copy(made.int8, model)
    refused(request_of(model=model), tmp_path / "b", ProvenanceError, r"model\.tflite\.json: No such file")
    shutil.copy(card_path(made.float32), card_path(model))
    refused(request_of(model=model), tmp_path / "b", ProvenanceError, "the card of a model with sha256")
    for content in (b"", b"[]", b"{}", b'{"version": 1}', b'{"version": 2}'):
        card_path(model).write_bytes(content)
        refused(request_of(model=model), tmp_path / "b", ProvenanceError, r"model\.tflite\.json")
    refused(request_of(model=tmp_path / "none.tflite"), tmp_path / "b", PackError, "No such file")


def test_card_that_claims_another_kind_is_refused(request_of, made, tmp_path):
    model = tmp_path / "model.tflite"
    shutil.copy(made.float32, model)
    card = json.loads(card_path(made.float32).read_bytes())
    card_path(model).write_text(json.dumps({**card, "kind": "int8", "calibration": {}}))
    refused(request_of(model=model), tmp_path / "b", GraphError, "is float32")
    card_path(model).write_text(json.dumps({**card, "kind": "int8"}))
    refused(request_of(model=model), tmp_path / "b", ProvenanceError, "without calibration")


def test_folder_that_is_no_bundle_is_never_touched(request_of, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    refused(request_of(), out, PackError, "is no bundle", replace=True)
    pack(request_of(), tmp_path / "bundle")
    shutil.copy(out / "thesis.txt", tmp_path / "bundle")
    refused(request_of(), tmp_path / "bundle", PackError, "is no bundle", replace=True)
    assert (out / "thesis.txt").read_text() == (tmp_path / "bundle" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("x")
    refused(request_of(), tmp_path / "file", PackError, "is no bundle", replace=True)


def test_bundle_is_replaced_only_when_asked(request_of, tmp_path):
    out = tmp_path / "bundle"
    first = pack(request_of(), out)
    refused(request_of("float32"), out, PackError, "--replace")
    assert read_bundle(out).sha256 == first.sha256
    second = pack(request_of("float32"), out, replace=True)
    assert read_bundle(out).sha256 == second.sha256 != first.sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_bundle_of_another_format_or_damaged_is_a_bundle_to_replace(request_of, tmp_path):
    out = tmp_path / "bundle"
    pack(request_of(), out)
    manifest = json.loads((out / "manifest.json").read_bytes())
    (out / "manifest.json").write_bytes(canonical_json(with_own_hash({**manifest, "format": 0, "preprocess": 0})))
    (out / "model.tflite").write_bytes(b"damaged")
    pack(request_of(), out, replace=True)
    read_bundle(out)


def test_failing_replacement_leaves_the_old_bundle(request_of, tmp_path):
    out = tmp_path / "bundle"
    first = pack(request_of(), out)
    refused(request_of(labels=FERPLUS), out, GraphError, "8 labels", replace=True)
    assert read_bundle(out).sha256 == first.sha256


@pytest.mark.parametrize("failing", [1, 2])
def test_fault_while_replacing_leaves_the_old_bundle(request_of, tmp_path, monkeypatch, failing):
    out = tmp_path / "bundle"
    first = pack(request_of(), out)
    renamed, rename = [], os.rename

    def faulty(source, target):
        renamed.append(target)
        if len(renamed) == failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target)

    with monkeypatch.context() as faults:
        faults.setattr(os, "rename", faulty)
        refused(request_of("float32"), out, PackError, "Input/output error", replace=True)
    assert read_bundle(out).sha256 == first.sha256


def test_place_that_cannot_be_written_is_refused(request_of, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(PackError, match="file/bundle"):
        pack(request_of(), tmp_path / "file" / "bundle")
