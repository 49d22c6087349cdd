"""The self-test passes where nothing changed, and names the stage that did."""

import io
import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.errors import BundleError
from edge_runtime.golden import KERNEL_TOLERANCE, check, make_golden, read_golden
from edge_runtime.illumination import normalize
from edge_runtime.labels import LabelSet
from edge_runtime.preprocess import crop_face
from tests.edge_runtime.lit import bundle_with
from tests.support import TINY_COLOUR, TINY_GREY

BOTH = pytest.mark.parametrize("path", [TINY_GREY, TINY_COLOUR], ids=lambda path: path.name)


def opened(path):
    classifier = Classifier(read_bundle(path))
    return classifier.bundle, classifier.model


def answers(bundle, model):
    return lambda pixels: bundle.probabilities(model.dequantized(model.run(pixels)))


@BOTH
def test_unchanged_bundle_passes(path):
    verdict = check(*opened(path))
    assert verdict.passed
    assert verdict.cause == ""
    assert verdict.exact or verdict.largest_difference <= KERNEL_TOLERANCE


@BOTH
def test_golden_crops_shrink_grow_and_reach_over_the_edge(path):
    bundle, _ = opened(path)
    golden = read_golden(bundle.golden)
    sides = golden.squares[:, 2] - golden.squares[:, 0]
    height, width = golden.frames.shape[1:3]
    assert (sides < bundle.input.size).any()
    assert (sides > bundle.input.size).any()
    assert ((golden.squares < 0) | (golden.squares > (width, height, width, height))).any()


@BOTH
def test_swapped_colours_are_told(path):
    verdict = check(*opened(path), crop=lambda frame, *rest: crop_face(np.ascontiguousarray(frame[..., ::-1]), *rest))
    assert (verdict.passed, verdict.cause) == (False, "colour order")


@BOTH
@pytest.mark.parametrize("interpolation", [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA])
def test_another_way_of_resizing_is_told(path, interpolation):
    def crop(frame, square, size, channels):
        cut = crop_face(frame, square, round(square.width), channels)
        return cv2.resize(cut, (size, size), interpolation=interpolation).reshape(size, size, channels)

    verdict = check(*opened(path), crop=crop)
    assert (verdict.passed, verdict.cause) == (False, "resize")
    assert "grey levels" in verdict.message


@BOTH
@pytest.mark.parametrize("levels", [1, 2])
def test_scaling_that_rounds_otherwise_passes_within_one_grey_level_and_is_said(path, levels):
    def rounded(frame, square, size, channels):
        pixels = crop_face(frame, square, size, channels)
        pixels[::9] = np.where(pixels[::9] < 128, pixels[::9] + levels, pixels[::9] - levels)
        return pixels

    verdict = check(*opened(path), crop=rounded)
    assert verdict.passed == (levels == 1)
    assert not verdict.exact
    assert "crops differ by" in verdict.message


@BOTH
def test_another_crop_size_is_told(path):
    verdict = check(*opened(path), crop=lambda frame, square, size, channels: crop_face(frame, square, 32, channels))
    assert (verdict.passed, verdict.cause) == (False, "resize")


@BOTH
def test_relabelled_manifest_is_told(path):
    bundle, model = opened(path)
    swapped = replace(bundle, labels=LabelSet(bundle.labels.name, bundle.labels.names[::-1]))
    verdict = check(swapped, model)
    assert (verdict.passed, verdict.cause) == (False, "label order")


@BOTH
def test_reordered_outputs_are_told_with_their_order(path):
    bundle, model = opened(path)
    order = np.roll(np.arange(len(bundle.labels)), 2)
    verdict = check(bundle, model, run=lambda pixels: answers(bundle, model)(pixels)[:, order])
    assert (verdict.passed, verdict.cause) == (False, "label order")


@BOTH
def test_different_kernel_is_told(path):
    bundle, model = opened(path)
    random = np.random.default_rng(1)

    def run(pixels):
        probabilities = answers(bundle, model)(pixels)
        return (probabilities + random.uniform(0, 0.3, probabilities.shape)).astype(np.float32)

    verdict = check(bundle, model, run=run)
    assert (verdict.passed, verdict.cause) == (False, "kernel")


@BOTH
def test_kernel_that_rounds_otherwise_passes_and_is_said(path):
    bundle, model = opened(path)
    verdict = check(bundle, model, run=lambda pixels: answers(bundle, model)(pixels) + np.float32(1 / 256))
    assert verdict.passed
    assert not verdict.exact
    assert "another kernel" in verdict.message


@pytest.fixture
def lit(tmp_path):
    return opened(bundle_with(TINY_GREY, tmp_path / "lit", "isotropic_diffusion"))


def test_bundle_with_an_illumination_passes_bit_exact(lit):
    verdict = check(*lit)
    assert (verdict.passed, verdict.exact) == (True, True), verdict.message
    golden = read_golden(lit[0].golden)
    assert np.array_equal(golden.crops, read_golden(read_bundle(TINY_GREY).golden).crops)
    assert np.array_equal(golden.inputs, [normalize(crop, "isotropic_diffusion") for crop in golden.crops])


@pytest.mark.parametrize("instead", ["none", "dct", "clahe"])
def test_another_normalisation_is_told(lit, instead):
    verdict = check(*lit, normalize=lambda face, _: normalize(face, instead))
    assert (verdict.passed, verdict.cause) == (False, "illumination")
    assert "grey levels" in verdict.message


@pytest.mark.parametrize("levels", [1, 2])
def test_normalisation_that_rounds_otherwise_passes_within_one_grey_level_and_is_said(lit, levels):
    def rounded(face, name):
        pixels = normalize(face, name)
        pixels[::7] -= levels
        return pixels

    verdict = check(*lit, normalize=rounded)
    assert verdict.passed == (levels == 1)
    assert not verdict.exact
    assert ("rounds otherwise by 1 grey level" if levels == 1 else "by up to 2 grey levels") in verdict.message


@pytest.mark.parametrize("instead", ["none", "dct"])
def test_manifest_that_names_another_illumination_than_the_golden_faces_is_told(lit, instead):
    bundle, model = lit
    verdict = check(replace(bundle, input=replace(bundle.input, illumination=instead)), model)
    assert (verdict.passed, verdict.cause) == (False, "illumination")


@BOTH
def test_illumination_added_to_a_manifest_is_told(path):
    bundle, model = opened(path)
    verdict = check(replace(bundle, input=replace(bundle.input, illumination="clahe")), model)
    assert (verdict.passed, verdict.cause) == (False, "illumination")


def then_undecided(rows):
    """What a model answers that decides nothing else."""
    return itertools.chain(rows, itertools.repeat(np.full(rows.shape[1], 1 / rows.shape[1], np.float32)))


def test_golden_faces_are_those_that_another_kernel_cannot_decide_otherwise():
    bundle, _ = opened(TINY_GREY)
    decided = np.arange(64) % 3 == 1
    answers = np.full((64, 7), 0.1, np.float32)
    answers[np.arange(64), np.arange(64) % 7] = np.where(decided, 0.4, 0.18)
    rows = iter(answers)
    golden = read_golden(make_golden(lambda pixels: next(rows)[None], bundle.labels, bundle.input))
    assert np.array_equal(golden.probabilities, answers[decided][:8])
    shifted = golden.probabilities + np.float32(KERNEL_TOLERANCE * 0.9) * np.where(np.arange(7) % 2, 1, -1)
    assert np.array_equal(shifted.argmax(axis=1), golden.probabilities.argmax(axis=1))


def test_a_model_that_decides_little_is_tested_by_what_it_decides_most():
    bundle, _ = opened(TINY_GREY)
    answers = np.full((64, 7), 0.14, np.float32)
    answers[np.arange(64), 2] += np.linspace(0, 0.1, 64)
    rows = iter(answers)
    golden = read_golden(make_golden(lambda pixels: next(rows)[None], bundle.labels, bundle.input))
    assert np.array_equal(golden.probabilities, answers[-8:])


@BOTH
def test_golden_file_without_illumination_is_as_before(path):
    """Bundles that were packed before there were methods have the same members when they are packed again."""
    bundle, _ = opened(path)
    stored = then_undecided(read_golden(bundle.golden).probabilities)
    made = make_golden(lambda pixels: next(stored)[None], bundle.labels, bundle.input)
    with np.load(io.BytesIO(made)) as one, np.load(io.BytesIO(bundle.golden)) as other:
        assert one.files == other.files
        for name in one.files:
            assert one[name].dtype == other[name].dtype
            assert np.array_equal(one[name], other[name])


def test_classes_that_are_hardly_ever_answered_are_not_taken_for_swapped():
    """Two columns of almost nothing change places in their last bits: a kernel's rounding, no label order."""
    bundle, _ = opened(TINY_GREY)
    expected = np.zeros((8, 7), np.float32)
    expected[:, 0] = 0.9
    expected[0, 1], expected[1, 2] = 1 / 256, 2 / 256
    rows = then_undecided(expected)
    golden = make_golden(lambda pixels: next(rows)[None], bundle.labels, bundle.input)
    rounded = iter(expected[:, [0, 2, 1, 3, 4, 5, 6]] + np.float32(0.001))
    verdict = check(replace(bundle, golden=golden), None, run=lambda pixels: next(rounded)[None])
    assert verdict.passed, verdict.message


def test_swapped_classes_are_told_beside_classes_that_are_never_answered():
    bundle, _ = opened(TINY_GREY)
    expected = np.zeros((8, 7), np.float32)
    expected[:, 0], expected[:, 3] = 0.9, np.linspace(0, 0.1, 8)
    rows = then_undecided(expected)
    golden = make_golden(lambda pixels: next(rows)[None], bundle.labels, bundle.input)
    swapped = iter(expected[:, [0, 1, 2, 5, 4, 3, 6]])
    verdict = check(replace(bundle, golden=golden), None, run=lambda pixels: next(swapped)[None])
    assert (verdict.passed, verdict.cause) == (False, "label order")
    assert verdict.message.endswith("angry, disgust, fear, surprise, sad, happy, neutral")


@pytest.mark.parametrize("left_out", ["frames", "squares", "crops", "probabilities", "names"])
def test_golden_file_without_a_member_is_refused(left_out):
    with np.load(io.BytesIO(read_bundle(TINY_GREY).golden)) as archive:
        members = {name: archive[name] for name in archive.files if name != left_out}
    buffer = io.BytesIO()
    np.savez(buffer, **members)
    with pytest.raises(BundleError, match=left_out):
        read_golden(buffer.getvalue())
    with pytest.raises(BundleError, match=r"golden\.npz"):
        read_golden(b"no zip")
