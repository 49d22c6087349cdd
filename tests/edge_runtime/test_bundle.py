"""A bundle is read whole and undamaged, or refused with one line that names the file."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from edge_runtime.bundle import InputFacts, read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.errors import BundleError
from edge_runtime.members import FORMAT_VERSION, canonical_json, with_own_hash
from edge_runtime.preprocess import PREPROCESS_VERSION
from tests.support import TINY_COLOUR, TINY_GREY

MEMBERS = ["golden.npz", "manifest.json", "model.tflite"]


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(TINY_GREY, tmp_path / "bundle")


def rewrite(folder, **changes):
    """Changes keys of the manifest as somebody would who knows how its hash is made; None removes a key."""
    manifest = {**json.loads((folder / "manifest.json").read_bytes()), **changes}
    manifest = {key: value for key, value in manifest.items() if value is not None}
    (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))


def refusal(folder):
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("bundle", [TINY_GREY, TINY_COLOUR], ids=lambda path: path.name)
def test_bundle_gives_the_bytes_that_were_hashed(bundle):
    read = read_bundle(bundle)
    for name, content in (("model.tflite", read.model), ("golden.npz", read.golden)):
        assert hashlib.sha256(content).hexdigest() == read.manifest["members"][name]["sha256"]
        assert content == (bundle / name).read_bytes()
    assert read.sha256 == hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert read.name == bundle.name
    assert read.input == (InputFacts(48, 1) if bundle == TINY_GREY else InputFacts(40, 3))


def test_thousand_random_changes_of_one_byte_are_all_refused(folder):
    random = np.random.default_rng(7)
    originals = {name: (folder / name).read_bytes() for name in MEMBERS}
    for turn in range(1000):
        name = MEMBERS[turn % len(MEMBERS)]
        changed = bytearray(originals[name])
        place = int(random.integers(len(changed)))
        changed[place] ^= int(random.integers(1, 256))
        (folder / name).write_bytes(changed)
        with pytest.raises(BundleError, match=str(folder)):
            read_bundle(folder)
        (folder / name).write_bytes(originals[name])
    read_bundle(folder)


@pytest.mark.parametrize("name", MEMBERS)
def test_cut_member_is_refused_by_name(folder, name):
    content = (folder / name).read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        (folder / name).write_bytes(content[:length])
        assert name in refusal(folder)


@pytest.mark.parametrize("name", MEMBERS)
def test_missing_member_is_refused_by_name(folder, name):
    (folder / name).unlink()
    assert f"no member {name}" in refusal(folder)


def test_extra_member_is_refused_by_name(folder):
    (folder / "notes.txt").write_text("hello")
    assert "extra member notes.txt" in refusal(folder)


@pytest.mark.parametrize("name", ["model.tflite", "golden.npz"])
def test_manifest_that_does_not_list_a_member_is_refused(folder, name):
    members = json.loads((folder / "manifest.json").read_bytes())["members"]
    del members[name]
    (folder / name).unlink()
    rewrite(folder, members=members)
    assert name in refusal(folder)


def test_newer_format_asks_for_an_upgrade(folder):
    rewrite(folder, format=FORMAT_VERSION + 1)
    assert "pip install -U fer-edge" in refusal(folder)


def test_other_preprocessing_is_refused(folder):
    rewrite(folder, preprocess=PREPROCESS_VERSION + 1)
    assert f"preprocessing version {PREPROCESS_VERSION + 1}" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"labels": ["angry"] * 7}, "distinct names"),
        ({"labels": []}, "at least one"),
        ({"input": {"size": 0, "channels": 1}}, "size=0"),
        ({"input": {"size": 48, "channels": 2}}, "channels=2"),
        ({"input": {"size": 48}}, "channels"),
        ({"labels": None}, "'labels'"),
        ({"licence": None}, "'licence'"),
        ({"format": "1"}, "bundle format '1'"),
        ({"labels": "abcdefg"}, "abcdefg"),
        ({"labels": [0, 1, 2, 3, 4, 5, 6]}, "[0, 1, 2, 3, 4, 5, 6]"),
        ({"members": ["model.tflite"]}, "members"),
        ({"members": {"../model.tflite": {"bytes": 1, "sha256": "0"}}}, "../model.tflite"),
    ],
)
def test_manifest_that_contradicts_itself_is_refused(folder, changes, named):
    rewrite(folder, **changes)
    assert named in refusal(folder)


def test_another_spelling_of_the_same_manifest_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "its own sha256" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format": NaN}', b"[" * 100_000])
def test_file_that_is_no_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    assert "manifest.json" in refusal(folder)


def test_no_such_bundle_names_those_that_there_are(tmp_path):
    assert "does not exist" in refusal(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    assert "is a file" in refusal(tmp_path / "file")


@pytest.mark.parametrize("labels", [["angry", "happy"], [*"abcdefgh"]], ids=len)
def test_count_of_labels_that_disagrees_with_the_model_is_refused(folder, labels):
    rewrite(folder, labels=labels)
    with pytest.raises(BundleError, match=rf"output \(1, 7\).*expected \(1, {len(labels)}\)"):
        Classifier(read_bundle(folder))


def test_input_that_disagrees_with_the_model_is_refused(folder):
    rewrite(folder, input={"size": 40, "channels": 1})
    with pytest.raises(BundleError, match="48, 48, 1"):
        Classifier(read_bundle(folder))
