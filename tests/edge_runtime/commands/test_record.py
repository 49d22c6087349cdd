import cv2
import numpy as np
import pytest

from edge_runtime.bundle import read_bundle
from edge_runtime.classifier import Classifier
from edge_runtime.labels import FER2013, FERPLUS_VOTES
from tests.support import TINY_GREY, fer_edge


def record(*arguments):
    return fer_edge("record", *arguments, "--bundle", TINY_GREY)


@pytest.fixture
def data(tmp_path):
    """Twelve made-up faces as fer2013.csv, eight in Training and four in PublicTest, with their votes."""
    random = np.random.default_rng(5)
    faces = random.integers(0, 256, (12, 48 * 48))
    labels = random.integers(0, 7, 12)
    usage = ["Training"] * 8 + ["PublicTest"] * 4
    rows = [
        f"{label},{' '.join(map(str, face))},{name}" for label, face, name in zip(labels, faces, usage, strict=True)
    ]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    votes = np.zeros((12, 10), int)
    votes[np.arange(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0]] = 10
    lines = [f"{name},x.png,{','.join(map(str, row))}" for name, row in zip(usage, votes, strict=True)]
    (tmp_path / "votes.csv").write_text("\n".join([f"Usage,Image name,{','.join(FERPLUS_VOTES)}", *lines]) + "\n")
    return tmp_path, faces.reshape(-1, 48, 48).astype(np.uint8), labels


def test_npz_holds_probabilities_labels_names_rows_and_the_bundles_hash(data):
    folder, faces, labels = data
    outcome = record(folder / "fer2013.csv", "--split", "PublicTest", "--out", folder / "r.npz")
    assert outcome.returncode == 0
    with np.load(folder / "r.npz") as archive:
        assert archive["probabilities"].shape == (4, 7)
        assert archive["probabilities"].dtype == np.float32
        assert archive["labels"].tolist() == labels[8:].tolist()
        assert archive["rows"].tolist() == [8, 9, 10, 11]
        assert tuple(archive["names"]) == FER2013.names
        bundle = read_bundle(TINY_GREY)
        assert str(archive["bundle_sha256"]) == bundle.sha256
        expected = Classifier(bundle).classify([face[..., None] for face in faces[8:]])
        assert np.array_equal(archive["probabilities"], expected)


def test_accuracy_is_printed_with_its_interval(data):
    folder, _, labels = data
    outcome = record(folder / "fer2013.csv", "--out", folder / "r.npz")
    with np.load(folder / "r.npz") as archive:
        correct = int((archive["probabilities"].argmax(axis=1) == labels).sum())
    assert f"accuracy {100 * correct / 12:.2f} % ({correct} of 12; 95 % interval" in outcome.stdout


def test_ferplus_protocol_leaves_out_rows_voted_unknown_or_no_face(data):
    folder, _, _ = data
    outcome = record(folder / "fer2013.csv", "--labels", f"ferplus:{folder / 'votes.csv'}", "--out", folder / "r.npz")
    assert outcome.returncode == 0
    with np.load(folder / "r.npz") as archive:
        # FER+ order neutral … contempt, unknown, NF, as FER2013's indices; the seven-class bundle has no contempt.
        assert archive["labels"].tolist() == [6, 3, 5, 4, 0, 1, 2, -1, -1, -1, 3, 6]
    assert "contempt" in outcome.stderr


def test_a_bundle_that_answers_more_than_the_labels_know_says_so(data):
    folder, _, _ = data
    words = ("record", folder / "fer2013.csv", "--split", "PublicTest", "--bundle")
    assert "also answers contempt, which are no labels" in fer_edge(*words, "ferplus").stderr
    assert fer_edge(*words, "fer2013").stderr == ""


@pytest.mark.parametrize(
    ("breakage", "complaint"),
    [
        (lambda line: line.replace(" ", "", 1), "pixels"),
        (lambda line: line.replace(" ", " x", 1), "not a number"),
        (lambda line: line.replace(" ", " 256 ", 1).replace(" ", "", 1), "256"),
        (lambda line: "9" + line[1:], "emotion"),
        (lambda line: line.split(",")[0], "columns"),
    ],
)
def test_broken_row_is_named_and_the_others_are_recorded(data, breakage, complaint):
    folder, _, _ = data
    lines = (folder / "fer2013.csv").read_text().splitlines()
    lines[3] = breakage(lines[3])
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    outcome = record(folder / "fer2013.csv", "--out", folder / "r.npz")
    assert outcome.returncode == 2
    assert "row 2" in outcome.stderr
    assert complaint in outcome.stderr
    with np.load(folder / "r.npz") as archive:
        assert archive["rows"].tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    "wrong", [("--split", "PrivateTest"), ("--labels", "ferplus:nowhere.csv"), ("--labels", "affectnet")]
)
def test_wrong_split_or_labels_is_one_line_and_writes_nothing(data, wrong):
    folder, _, _ = data
    outcome = record(folder / "fer2013.csv", "--out", folder / "r.npz", *wrong)
    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert not (folder / "r.npz").exists()


def test_out_without_npz_is_refused_at_once(data):
    folder, _, _ = data
    assert "ends in .npz" in record(folder / "fer2013.csv", "--out", folder / "r.txt").stderr


def test_folder_with_pictures_of_several_sizes_is_recorded(tmp_path):
    random = np.random.default_rng(6)
    for label, side in (("happy", 60), ("sad", 90), ("sad", 48)):
        folder = tmp_path / "faces" / label
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{side}.png"), random.integers(0, 256, (side, side, 3), dtype=np.uint8))
    outcome = record(tmp_path / "faces", "--out", tmp_path / "r.npz")
    assert outcome.returncode == 0, outcome.stderr
    with np.load(tmp_path / "r.npz") as archive:
        assert sorted(archive["labels"]) == [3, 4, 4]


def test_without_out_only_the_accuracy_is_printed_and_nothing_written(data):
    folder, _, _ = data
    before = sorted(folder.iterdir())
    outcome = record(folder / "fer2013.csv", "--split", "PublicTest")
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("accuracy ")
    assert "written" not in outcome.stdout
    assert sorted(folder.iterdir()) == before
