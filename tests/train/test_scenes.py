"""Composed scenes: the same from the same seed, with marks where faces are, and nobody from the other split."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.framesets.marks import Marks
from train.errors import DataError
from train.scenes.compose import Composer
from train.scenes.cutouts import Library
from train.scenes.emblems import draw_emblem
from train.scenes.made_up import made_up_store
from train.scenes.negatives import Negatives, read_negatives, write_negatives
from train.scenes.options import SceneOptions
from train.scenes.source import open_source
from train.scenes.store import HELD_OUT, TRAINING, read_store, write_store

SIZE = (160, 128)
PLAIN = SceneOptions(
    people=0, body=0, occlusion=0, light=0, distractors=0, blur=0, noise=0, jpeg=0, coarse=0, empty=0, turned=0
)


@pytest.fixture(scope="module")
def store():
    return made_up_store()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_seed_gives_the_same_scene_and_another_one_another(store, channels):
    first, second = (Composer(store, TRAINING, SceneOptions(), SIZE, channels) for _ in range(2))
    second.scene(1, 9)  # what was asked before changes nothing
    for seed in ((1, 2), (1, 3)):
        a, b = first.scene(*seed), second.scene(*seed)
        assert a.image.shape == (128, 160, channels)
        assert a.image.dtype == np.uint8
        assert np.array_equal(a.image, b.image)
        assert np.array_equal(a.marks.boxes, b.marks.boxes)
    assert not np.array_equal(first.scene(1, 2).image, first.scene(1, 3).image)


def test_eyes_are_dark_where_landmarks_say_so(store):
    """Made-up faces have dark eyes on light skin: the marks must have moved exactly as the pixels did."""
    composer = Composer(store, TRAINING, replace(PLAIN, smallest_px=40), SIZE, 1)
    differences = []
    for number in range(20):
        scene = composer.scene(5, number)
        for box, points in zip(scene.marks.boxes, scene.marks.points, strict=True):
            nose_bridge = points[:2].mean(axis=0)
            places = np.rint([*points[:2], nose_bridge]).astype(int)
            if (box[:2] < 2).any() or (box[2:] > (158, 126)).any():
                continue
            right, left, between = (int(scene.image[y, x, 0]) for x, y in places)
            differences += [between - right, between - left]
    assert len(differences) >= 20
    assert np.median(differences) > 30
    assert np.mean(np.array(differences) > 0) > 0.9


def test_a_portrait_is_one_picture_of_a_face_marked_where_it_is_seen(store):
    composer = Composer(store, TRAINING, replace(PLAIN, portraits=1.0), SIZE, 1)
    scenes = [composer.scene(7, number) for number in range(12)]
    assert all(len(scene.marks) <= 1 for scene in scenes)
    faces = [scene for scene in scenes if len(scene.marks)]
    assert len(faces) >= 10
    heights = [scene.marks.boxes[0, 3] - scene.marks.boxes[0, 1] for scene in faces]
    assert 0.5 * SIZE[1] < np.mean(heights) < 1.2 * SIZE[1]
    darker = []
    for scene in faces:
        points = scene.marks.points[0]
        places = np.clip(np.rint([*points[:2], points[:2].mean(axis=0)]).astype(int), 0, (SIZE[0] - 1, SIZE[1] - 1))
        right, left, between = (int(scene.image[y, x, 0]) for x, y in places)
        darker += [between - right, between - left]
    assert np.mean(np.array(darker) > 0) > 0.8
    assert all((scene.image[:, -8:] == scene.image[0, -1]).all() for scene in scenes)  # black, as a letterbox leaves it


def test_portraits_and_emblems_leave_every_other_scene_as_it_was(store):
    plain, none = (
        Composer(store, TRAINING, options, SIZE, 1)
        for options in (SceneOptions(), SceneOptions(portraits=0, emblems=0))
    )
    assert np.array_equal(plain.scene(4).image, none.scene(4).image)


@pytest.mark.parametrize("channels", [1, 3])
def test_emblems_are_drawn_from_their_seed_alone_and_none_is_like_another(channels):
    first, second = ([draw_emblem(np.random.default_rng([3, at]), channels) for at in range(40)] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert {emblem.shape for emblem in first} == {(96, 96) if channels == 1 else (96, 96, 3)}
    assert len({emblem.tobytes() for emblem in first}) == 40
    assert all(emblem.std() > 3 for emblem in first)


def test_the_share_of_distractors_that_are_emblems_is_the_recipes(store, monkeypatch):
    drawn = []
    monkeypatch.setattr("train.scenes.cutouts.draw_emblem", lambda *_: drawn.append(1) or np.zeros((96, 96), np.uint8))
    library = Library(store, TRAINING, 1)
    random = np.random.default_rng(1)
    assert [library.draw_distractor(random).is_face for _ in range(20)] == [False] * 20
    assert not drawn
    assert not any(library.draw_distractor(random, 1.0).is_face for _ in range(20))
    assert len(drawn) == 20
    assert not any(library.draw_distractor(random, 0.5).is_face for _ in range(200))
    assert 70 < len(drawn) - 20 < 130


def test_a_face_is_enlarged_no_more_than_the_recipe_says_where_a_few_draws_find_a_larger_one(store):
    index = int(np.flatnonzero(store.face_splits == TRAINING)[0])
    faces, boxes, points = list(store.faces), store.face_boxes.copy(), store.face_points.copy()
    large = cv2.resize(store.face(index, 3), None, fx=4, fy=4)
    faces[index], boxes[index], points[index] = (
        cv2.imencode(".png", large)[1].tobytes(),
        boxes[index] * 4,
        points[index] * 4,
    )
    library = Library(replace(store, faces=faces, face_boxes=boxes, face_points=points), TRAINING, 1)
    small = library.face(int(library.faces[1])).height
    random = np.random.default_rng(1)

    def larger(enlarged):
        return sum(library.draw_face(random, 2.0 * small, enlarged).height > 2 * small for _ in range(60))

    assert larger(1.9) > 40 > 20 > larger(2.1)


def test_a_face_hidden_by_what_came_later_is_ignored(store):
    crowded = replace(PLAIN, crowd=16, smallest_px=30, distractors=3.0, body=1.0)
    composer = Composer(store, TRAINING, crowded, SIZE, 1)
    scenes = [composer.scene(2, number) for number in range(12)]
    assert sum(len(scene.marks.ignored) for scene in scenes) > 0
    assert all((scene.marks.boxes[:, 3] - scene.marks.boxes[:, 1] >= 9).all() for scene in scenes)


def test_splits_share_neither_faces_nor_places(store):
    training, held_out = (Library(store, split, 1) for split in (TRAINING, HELD_OUT))
    assert not set(training.faces) & set(held_out.faces)
    assert not set(training.places) & set(held_out.places)


def test_neither_distractors_nor_clothes_show_a_face_that_the_teacher_saw(store):
    everywhere = Marks(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.float32([[0, 0, 200, 160]]))
    full = replace(store, marks=[everywhere] * len(store.places))
    library = Library(full, TRAINING, 1)
    random = np.random.default_rng(1)
    assert all(library._part(random).std() == 0 for _ in range(5))
    assert library.draw_texture(random).std() == 0
    assert Library(store, TRAINING, 1).draw_texture(random).std() > 0


def test_people_in_a_place_are_taught_where_they_are_seen(store):
    marks = [
        Marks(np.float32([[80, 60, 110, 100]]), np.full((1, 5, 2), np.nan, np.float32), np.zeros((0, 4), np.float32))
    ]
    peopled = replace(store, marks=marks * len(store.places))
    composer = Composer(peopled, TRAINING, replace(PLAIN, people=1.0, empty=1.0), SIZE, 1)
    scenes = [composer.scene(3, number) for number in range(8)]
    assert sum(len(scene.marks) for scene in scenes) >= 6
    assert all(np.isnan(scene.marks.points).all() for scene in scenes)


def test_a_store_comes_back_as_it_was_written(store, tmp_path):
    write_store(store, tmp_path / "scenes.npz")
    read = read_store(tmp_path / "scenes.npz")
    assert read.faces == store.faces
    assert read.places == store.places
    assert np.array_equal(read.face_boxes, store.face_boxes)
    assert len(read.sha256) == 64
    scenes = [Composer(each, TRAINING, SceneOptions(), SIZE, 1).scene(1).image for each in (store, read)]
    assert np.array_equal(*scenes)


def test_a_file_that_is_no_store_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name, reason in (("none.npz", "No such file"), ("text.npz", "undamaged"), ("other.npz", "no member 'format'")):
        with pytest.raises(DataError, match=reason) as caught:
            open_source(tmp_path / name, TRAINING, SceneOptions(), SIZE, 1)
        assert "\n" not in str(caught.value)


def test_mined_places_come_up_at_the_size_at_which_they_fired_and_only_in_their_split(store, tmp_path):
    both = [int(np.flatnonzero(store.place_splits == split)[0]) for split in (TRAINING, HELD_OUT)]
    mined = Negatives(
        np.array(both), np.float32([[90, 70, 110, 90]] * 2), np.float32([1.5] * 2), np.float32([0.9, 0.5]), store.sha256
    )
    write_negatives(mined, tmp_path / "hard.npz")
    read = read_negatives(tmp_path / "hard.npz", store.sha256)
    composer = Composer(store, TRAINING, replace(PLAIN, hard=1.0, empty=1.0), SIZE, 1, read)
    assert composer.negatives.places.tolist() == both[:1]
    plain = Composer(store, TRAINING, replace(PLAIN, hard=1.0, empty=1.0), SIZE, 1)
    assert not np.array_equal(composer.scene(1).image, plain.scene(1).image)
    with pytest.raises(DataError, match="mine in the scenes that are trained on"):
        read_negatives(tmp_path / "hard.npz", "another")
