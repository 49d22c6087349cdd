"""Normalised faces look alike under other light, keep their shape, and survive whatever a camera gives."""

import json
import shutil

import cv2
import numpy as np
import pytest

from edge_runtime import DEMO_PICTURE, illumination
from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.errors import BundleError, UsageError
from edge_runtime.golden import read_golden
from edge_runtime.illumination import ILLUMINATIONS, check_illumination, normalize, normalize_all
from edge_runtime.members import canonical_json, with_own_hash
from edge_runtime.pictures import read_picture
from edge_runtime.preprocess import fit_face
from tests.edge_runtime.lit import bundle_with
from tests.support import TINY_COLOUR, TINY_GREY

METHODS = [name for name in ILLUMINATIONS if name != "none"]
EVERY = pytest.mark.parametrize("name", ILLUMINATIONS)
EACH = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def portrait():
    """A real face, BGR, kept within 0 to 200 so that brighter light does not clip it."""
    return (read_picture(DEMO_PICTURE) * (200 / 255)).astype(np.uint8)


@pytest.fixture(scope="module")
def faces(portrait):
    """The face and eight others cut out of it, grey: uint8 (9, 48, 48)."""
    height, width = portrait.shape[:2]
    cuts = [portrait]
    for top in (0, height // 8, height // 4, height // 3):
        for left in (0, width // 4):
            cuts.append(portrait[top : top + height // 2, left : left + width // 2])
    return np.stack([fit_face(cut, 48, 1)[..., 0] for cut in cuts])


def relit(faces, light):
    share = faces / 255
    if light == "half":
        share = share * 0.5
    elif light == "gamma":
        share = share**1.6
    elif light == "from the right":
        share = share * np.linspace(0.4, 1, faces.shape[2])
    return np.rint(share * 255).astype(np.uint8)


def difference(one, other):
    """The mean difference of two stacks of faces, in standard deviations of the first one's faces."""
    one, other = one.astype(float), other.astype(float)
    return np.abs(one - other).mean() / one.std(axis=(1, 2)).mean()


# What is left of the difference that the light makes, as a share of what is left when nothing is normalised.
@pytest.mark.parametrize(
    ("name", "light", "most"),
    [
        ("histogram_equalization", "half", 0.1),
        ("histogram_equalization", "gamma", 0.15),
        ("clahe", "half", 0.6),
        ("clahe", "from the right", 0.7),
        *(
            (name, light, 0.3)
            for name in ("difference_of_gaussians", "isotropic_diffusion", "dct")
            for light in ("half", "gamma", "from the right")
        ),
    ],
)
def test_other_light_changes_a_normalised_face_far_less(faces, name, light, most):
    untreated = difference(faces, relit(faces, light))
    left = difference(normalize_all(faces, name), normalize_all(relit(faces, light), name))
    assert left < most * untreated


@EACH
def test_method_keeps_the_expression_visible(faces, name):
    """Whatever else it does: two different faces stay different, and grey levels are used widely."""
    normalized = normalize_all(faces, name)
    assert normalized.std(axis=(1, 2)).min() > 20
    assert difference(normalized[:1], normalized[1:2]) > 0.5


@EVERY
@pytest.mark.parametrize(
    "shape", [(48, 48), (48, 48, 1), (48, 48, 3), (40, 33), (9, 8, 3), (1, 1), (2, 300, 1)], ids=str
)
def test_shape_and_dtype_are_kept(name, shape):
    face = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    before = face.copy()
    normalized = normalize(face, name)
    assert (normalized.shape, normalized.dtype) == (shape, np.uint8)
    assert np.array_equal(face, before)


@EACH
@pytest.mark.parametrize("level", [0, 1, 77, 254, 255])
@pytest.mark.parametrize("shape", [(48, 48), (31, 17, 1), (48, 48, 3)], ids=str)
def test_face_of_one_grey_level_stays_one_of_one_level(name, level, shape):
    normalized = normalize(np.full(shape, level, np.uint8), name)
    assert normalized.min() == normalized.max()


@pytest.mark.parametrize("name", ["difference_of_gaussians", "isotropic_diffusion", "dct"])
def test_noise_of_a_flat_wall_is_not_stretched_to_a_picture(name):
    wall = np.full((48, 48), 200, np.uint8)
    wall[20, 20] = 201
    assert np.abs(normalize(wall, name).astype(int) - 128).mean() < 2


@EACH
@pytest.mark.parametrize("pattern", ["noise", "checkers", "half"])
def test_extreme_pictures_give_no_warning_and_no_overflow(name, pattern):
    grid = np.add.outer(np.arange(48), np.arange(48))
    face = {
        "noise": np.random.default_rng(2).integers(0, 2, (48, 48)) * 255,
        "checkers": grid % 2 * 255,
        "half": (grid > 48) * 255,
    }[pattern].astype(np.uint8)
    with np.errstate(all="raise"):
        normalized = normalize(face, name)
    bright, dark = normalized[face == 255].astype(float).mean(), normalized[face == 0].astype(float).mean()
    assert bright > dark  # nothing wrapped around


@EVERY
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_all_at_once_is_each_by_itself(faces, name, channels):
    stack = faces[:4] if channels is None else np.repeat(faces[:4, ..., None], channels, axis=3)
    assert np.array_equal(normalize_all(stack, name), np.stack([normalize(face, name) for face in stack]))
    none = normalize_all(stack[:0], name)
    assert (none.shape, none.dtype) == (stack[:0].shape, np.uint8)


@EACH
def test_faces_in_one_memory_layout_are_those_in_another(faces, name):
    backwards = np.ascontiguousarray(faces[0][:, ::-1])[:, ::-1]
    assert np.array_equal(normalize(backwards, name), normalize(faces[0], name))
    assert np.array_equal(normalize(np.asfortranarray(faces[0]), name), normalize(faces[0], name))


@EACH
def test_grey_face_in_three_channels_stays_grey(faces, name):
    colour = normalize(np.repeat(faces[0][..., None], 3, axis=2), name)
    assert np.array_equal(colour, np.repeat(normalize(faces[0], name)[..., None], 3, axis=2))


@EACH
def test_colour_face_is_normalised_on_its_luminance(portrait, name):
    face = cv2.resize(portrait, (48, 48), interpolation=cv2.INTER_AREA)
    parts = cv2.cvtColor(face, cv2.COLOR_BGR2YCrCb)
    expected = np.dstack([normalize(np.ascontiguousarray(parts[..., 0]), name), parts[..., 1:]])
    assert np.array_equal(normalize(face, name), cv2.cvtColor(expected, cv2.COLOR_YCrCb2BGR))


@pytest.mark.parametrize("name", ["difference_of_gaussians", "isotropic_diffusion", "dct"])
def test_last_digits_of_another_machines_arithmetic_change_no_pixel(faces, name, monkeypatch):
    here, random = normalize_all(faces, name), np.random.default_rng(3)
    to_grey = illumination._with_equal_contrast
    monkeypatch.setattr(
        illumination, "_with_equal_contrast", lambda detail: to_grey(detail + random.normal(0, 1e-13, detail.shape))
    )
    assert np.array_equal(normalize_all(faces, name), here)
    flat = normalize(np.full((48, 48), 90, np.uint8), name)
    assert (flat == 128).all()


def test_none_costs_nothing(faces):
    assert np.shares_memory(normalize(faces[0], "none"), faces)
    assert normalize_all(faces, "none") is faces


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("clahee", "clahe"),
        ("DCT", "dct"),
        ("histogram_equalisation", "histogram_equalization"),
        ("isotropic", "isotropic_diffusion"),
        ("difference-of-gaussian", "difference_of_gaussians"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest_right_one(faces, wrong, near):
    for refused in (
        lambda: normalize(faces[0], wrong),
        lambda: normalize_all(faces, wrong),
        lambda: check_illumination(wrong),
    ):
        with pytest.raises(UsageError, match=f"did you mean '{near}'"):
            refused()
    with pytest.raises(UsageError, match="one of none, histogram_equalization, clahe"):
        check_illumination(["clahe"])


@pytest.mark.parametrize("shape", [(48,), (48, 48, 2), (48, 48, 4), (0, 48), (2, 48, 48, 1)], ids=str)
def test_array_that_is_no_face_is_refused(shape):
    for name in ("none", "dct"):
        with pytest.raises(UsageError, match="uint8"):
            normalize(np.zeros(shape, np.uint8), name)
        with pytest.raises(UsageError, match="float64"):
            normalize(np.zeros((48, 48)), name)


@EACH
@pytest.mark.parametrize("source", [TINY_GREY, TINY_COLOUR], ids=lambda path: path.name)
def test_bundle_with_an_illumination_sees_each_crop_normalised(tmp_path, source, name):
    plain, lit = Classifier(read_bundle(source)), Classifier(read_bundle(bundle_with(source, tmp_path / "lit", name)))
    assert lit.bundle.input.illumination == name
    crops = list(read_golden(plain.bundle.golden).crops)
    answers = lit.classify(crops)
    assert np.array_equal(answers, plain.classify([normalize(crop, name) for crop in crops]))
    assert not np.array_equal(answers, plain.classify(crops))
    golden = read_golden(lit.bundle.golden)
    assert np.array_equal(lit.classify(list(golden.crops)), golden.probabilities)


def test_manifest_of_before_there_were_methods_still_reads_and_means_none(tmp_path):
    for bundle in (TINY_GREY, TINY_COLOUR, "fer2013"):
        read = read_bundle(bundle)
        assert "illumination" not in read.manifest["input"]
        assert read.input.illumination == "none"
        assert read.input.as_table() == read.manifest["input"]


@pytest.mark.parametrize(
    ("value", "named"), [("clahee", "did you mean 'clahe'"), ("magic", "upgrade"), (None, "None"), (["dct"], "dct")]
)
def test_bundle_of_an_unknown_illumination_is_refused_in_one_line(tmp_path, value, named):
    folder = shutil.copytree(TINY_GREY, tmp_path / "bundle")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["input"]["illumination"] = value
    (folder / "manifest.json").write_bytes(canonical_json(with_own_hash(manifest)))
    with pytest.raises(BundleError, match=r"bundle: illumination") as caught:
        read_bundle(folder)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
