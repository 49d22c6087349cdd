"""WIDER FACE's annotations as its authors give them, and RetinaFace's with landmarks, from a made-up copy."""

import cv2
import numpy as np
import pytest

from train.errors import DataError
from train.scenes.options import SceneOptions
from train.scenes.source import open_source
from train.scenes.store import HELD_OUT, TRAINING
from train.scenes.wider import find_photographs, read_wider

WIDER = """0--Parade/0_Parade_1.jpg
3
20 30 40 50 0 0 0 0 0 0
100 30 10 12 2 0 0 1 2 0
90 60 0 12 0 0 0 0 0 0
0--Parade/0_Parade_2.jpg
0
0 0 0 0 0 0 0 0 0 0
"""
POINTS = "30 45 0.0 50 45 0.0 40 55 0.0 32 68 0.0 48 68 0.0 0.82"
UNKNOWN = " ".join(["-1.0"] * 15) + " 0.5"
RETINA = f"# 0--Parade/0_Parade_1.jpg\n20 30 40 50 {POINTS}\n100 30 10 12 {UNKNOWN}\n# 0--Parade/0_Parade_2.jpg\n"


def wider(folder, labels="wider_face_split/wider_face_train_bbx_gt.txt", pictures="WIDER_train/images", text=WIDER):
    """A folder laid out as the archives unpack, with two pictures."""
    (folder / labels).parent.mkdir(parents=True, exist_ok=True)
    (folder / labels).write_text(text)
    event = folder / pictures / "0--Parade"
    event.mkdir(parents=True)
    for number in (1, 2):
        random = np.random.default_rng(number)
        cv2.imwrite(str(event / f"0_Parade_{number}.jpg"), random.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    return folder


def test_faces_invalid_faces_and_pictures_without_any_are_read(tmp_path):
    first, second = find_photographs(wider(tmp_path), TRAINING)
    assert first.path.name == "0_Parade_1.jpg"
    assert first.marks.boxes.tolist() == [[20, 30, 60, 80]]
    assert first.marks.ignored.tolist() == [[100, 30, 110, 42]]
    assert np.isnan(first.marks.points).all()
    assert len(second.marks) == 0


def test_landmarks_are_read_where_they_are_known_and_preferred(tmp_path):
    folder = wider(wider(tmp_path), "train/label.txt", "train/images", RETINA)
    first, second = find_photographs(folder, TRAINING)
    assert first.marks.boxes.tolist() == [[20, 30, 60, 80], [100, 30, 110, 42]]
    assert first.marks.points[0].tolist() == [[30, 45], [50, 45], [40, 55], [32, 68], [48, 68]]
    assert np.isnan(first.marks.points[1]).all()
    assert len(second.marks) == 0


def test_scenes_are_cut_out_of_the_photographs(tmp_path):
    source = open_source(wider(tmp_path), TRAINING, SceneOptions(), (128, 96), 1)
    scenes = [source.scene(1, number) for number in range(8)]
    assert {scene.image.shape for scene in scenes} == {(96, 128, 1)}
    assert any(len(scene.marks) for scene in scenes)
    assert np.array_equal(source.scene(1, 3).image, scenes[3].image)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.jpg\n", "no count after 'a.jpg'"),
        ("a.jpg\nmany\n", "line 2: 'many'"),
        ("a.jpg\n1\n1 2 3\n", "line 3: '1 2 3'"),
        ("a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", "its end, within a picture's faces"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text, reason):
    (tmp_path / "gt.txt").write_text(text)
    with pytest.raises(DataError, match=reason):
        read_wider(tmp_path / "gt.txt", tmp_path)


def test_a_folder_without_annotations_says_where_they_belong(tmp_path):
    with pytest.raises(DataError, match=r"wider_face_val_bbx_gt\.txt or val/label\.txt"):
        open_source(tmp_path, HELD_OUT, SceneOptions(), (128, 96), 1)
