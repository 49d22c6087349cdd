"""A bundle that says where its logits are: the board's own softmax, and what is refused."""

import json
import math
import shutil

import numpy as np
import pytest

from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.errors import BundleError
from edge_runtime.interpreter import Model
from edge_runtime.logits import LogitsPlace, softmax
from edge_runtime.members import canonical_json, with_own_hash
from tests.support import TINY_COLOUR, TINY_GREY

FACES = np.random.default_rng(3).integers(0, 256, (40, 48, 48, 1), np.uint8)


def changed(folder, **logits):
    """A copy of the grey bundle whose manifest says something else of its logits; nothing where that is empty."""
    shutil.copytree(TINY_GREY, folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["logits"] = {**manifest["logits"], **logits}
    if not logits:
        del manifest["logits"]
    (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))
    return folder


@pytest.mark.parametrize("path", [TINY_GREY, TINY_COLOUR], ids=lambda path: path.name)
def test_a_bundle_answers_what_its_model_does_within_half_a_step_of_the_models_rounding(path):
    bundle = read_bundle(path)
    faces = list(
        np.random.default_rng(5).integers(
            0, 256, (40, bundle.input.size, bundle.input.size, bundle.input.channels), np.uint8
        )
    )
    plain = Model(bundle.model)
    rounded = plain.dequantized(plain.run(np.stack(faces)))
    answers = Classifier(bundle).classify(faces)
    assert np.abs(answers - rounded).max() <= 0.51 / 256
    assert np.abs(answers.sum(axis=1) - 1).max() < 1e-6
    assert len(np.unique(answers * 256 % 1)) > 100, "nothing is rounded to steps of 1/256"


def test_a_bundle_without_logits_answers_as_its_model_does(tmp_path):
    bundle = read_bundle(changed(tmp_path / "before"))
    assert bundle.program is bundle.model
    model = Model(bundle.model)
    expected = model.dequantized(model.run(FACES))
    np.testing.assert_array_equal(Classifier(bundle).classify(list(FACES)), expected)


def test_softmax_is_exact_to_float32():
    logits = np.array([[0.0, 1.0, -2.5], [-40.0, 90.0, 90.0]], np.float32)
    found = softmax(logits)
    assert found.dtype == np.float32
    for row, answer in zip(logits, found, strict=True):
        whole = sum(math.exp(float(value) - 90) for value in row)
        np.testing.assert_array_equal(answer, np.float32([math.exp(float(value) - 90) / whole for value in row]))


@pytest.mark.parametrize(
    ("logits", "said"),
    [
        ({"offset": 0}, "no output"),
        ({"offset": 10**9}, "no output"),
        ({"output": 3}, "no output 3"),
        ({"tensor": -1}, "tensor -1"),
        ({"tensor": "16"}, "tensor '16'"),
        ({"more": 1}, "more"),
    ],
)
def test_a_place_that_is_not_the_models_is_refused(tmp_path, logits, said):
    with pytest.raises(BundleError, match=said):
        read_bundle(changed(tmp_path / "wrong", **logits))


def test_a_place_of_another_tensor_is_refused_by_its_shape(tmp_path):
    with pytest.raises(BundleError, match="output"):
        Classifier(read_bundle(changed(tmp_path / "wrong", tensor=0)))


def test_the_model_itself_stays_as_it_was_hashed():
    bundle = read_bundle(TINY_GREY)
    place = LogitsPlace(**bundle.manifest["logits"])
    differ = [at for at, (ours, theirs) in enumerate(zip(bundle.model, bundle.program, strict=True)) if ours != theirs]
    assert differ
    assert all(place.offset <= at < place.offset + 4 for at in differ)
