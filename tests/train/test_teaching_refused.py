"""Distillation: what is refused, in three parts, and cached answers that are cut off."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.train.taught import (
    KilledError,
    distil,
    student,
    teacher,
    teacher_folder,
)
from train.answers import Answered, AnswerStore
from train.batches import Lessons
from train.drawn import CHUNK, DrawnView
from train.errors import CheckpointError, DataError, ModelError, RecipeError
from train.student import Student, Teaching
from train.teachers import open_teachers


def test_a_teacher_that_cannot_teach_this_student_is_refused_in_three_parts(tmp_path):
    recipe = student(tmp_path)

    def refused(error, message: str, *folders, of=recipe) -> None:
        with pytest.raises(error, match=message):
            open_teachers(folders, of)

    good = teacher_folder(tmp_path / "good")
    assert [one.as_json() for one in open_teachers([good], recipe)] == [
        {
            "name": "good",
            "recipe": "made_up",
            "sha256": open_teachers([good], recipe)[0].sha256,
            "accuracy": 0.625,
            "choose_split": "PublicTest",
        }
    ]
    refused(ModelError, r"missing/model.keras, which does not exist; .*; finish the run", tmp_path / "missing")
    ferplus = replace(recipe, label_set="ferplus")
    refused(
        ModelError,
        r"good, which answers the 7 labels of 'fer2013': angry.*; expected the 8 of 'ferplus'.*; name a teacher",
        good,
        of=ferplus,
    )
    colour = teacher_folder(tmp_path / "colour", channels=3)
    refused(ModelError, r"colour, which reads faces in colour \(BGR\); expected grey faces.*; name a teacher", colour)
    light = teacher_folder(tmp_path / "light", card={"illumination": "clahe"})
    refused(ModelError, r"light, whose faces have the light 'clahe'; expected 'none'.*; name another teacher", light)
    twin = shutil.copytree(good, tmp_path / "twin")
    refused(DataError, "the teachers good and twin, which are one model; .*; name each once", good, twin)
    features = student(tmp_path, 'features = { teacher_layer = "pool", student_layer = "pool" }')
    other = teacher_folder(tmp_path / "other", seed=8)
    refused(DataError, "2 teachers for a recipe with distillation.features; expected one", good, other, of=features)
    (twin / "run.json").unlink()
    refused(DataError, "twin without run.json; expected a finished run folder.*; name the run folder", twin)


def test_answers_of_other_data_recipes_or_teachers_are_refused_with_both_hashes(tmp_path, faces, wise):
    recipe = student(tmp_path, 'views = "cached"\ncached_views = 1', stages="[{ epochs = 1 }]")
    lessons, folder = Lessons.of(faces.split("Training"), recipe), tmp_path / "run"

    def prepared(recipe, lessons, who) -> None:
        Student(recipe, 7, 3, Teaching((who,)), folder, print).prepare(lessons)

    prepared(recipe, lessons, wise)
    path = folder / "answers" / "view-000-24-crop.npz"
    kept = path.read_bytes()
    other = replace(lessons, pixels=255 - lessons.pixels)
    hashes = r"\([0-9a-f]{12}\); expected .* [0-9a-f]{12}; name a new run folder"
    for what, changed in (
        ("data", (recipe, other, wise)),
        ("recipe", (replace(recipe, sha256="feedfeedfeedfeed"), lessons, wise)),
        ("set of teachers", (recipe, lessons, teacher("another"))),
    ):
        with pytest.raises(CheckpointError, match=f"answers of another {what} {hashes}"):
            prepared(*changed)
    assert path.read_bytes() == kept


def test_answers_go_on_where_they_were_cut_off_and_damaged_ones_are_asked_for_again(tmp_path):
    facts = {"data": "d", "recipe": "r", "teachers": "t"}
    said: list[str] = []
    store = AnswerStore(tmp_path / "answers", facts, (2 * CHUNK + 10, 3), said.append)
    views = [DrawnView(0, 24, "crop"), DrawnView(1, 24, "crop")]
    asked: list[tuple[int, int]] = []

    def ask(view: DrawnView, place: slice) -> np.ndarray:
        if len(asked) == 4:
            raise KilledError
        asked.append((view.number, place.start))
        return np.arange(place.start, place.stop)[:, None] % 7 + np.full((1, 3), 10.0 * view.number)

    with pytest.raises(KilledError):
        store.complete(views, ask, lambda _: None)
    assert asked == [(0, 0), (0, CHUNK), (0, 2 * CHUNK), (1, 0)]
    with pytest.raises(DataError, match=f"{CHUNK} answers; expected one for each of {2 * CHUNK + 10} faces"):
        store.whole(views[1])
    asked[:] = []
    told: list[Answered] = []
    store.complete(views, ask, told.append)
    assert asked == [(1, CHUNK), (1, 2 * CHUNK)]
    assert [one.total - one.done for one in told] == [10, 0]
    assert np.array_equal(store.whole(views[1])[:, 0], np.arange(2 * CHUNK + 10) % 7 + 10)
    path = tmp_path / "answers" / "view-001-24-crop.npz"
    path.write_bytes(path.read_bytes()[:-40])
    assert len(store.read(views[1])) == 0
    assert "view-001-24-crop.npz are damaged" in said[0]


def test_checkpoints_of_other_teachers_or_unlabelled_pictures_are_refused(tmp_path, faces, wise):
    recipe = student(tmp_path, stages="[{ epochs = 1 }]")
    distil(tmp_path / "run", recipe, faces, Teaching((wise,)))
    extra = faces.pixels[:16, ..., None]
    for message, teaching in (
        ("checkpoints of another set of teachers", Teaching((teacher("another"),))),
        ("checkpoints of another set of teachers .*expected set of teachers none", Teaching()),
        ("checkpoints of another set of unlabelled pictures", Teaching((wise,), extra)),
    ):
        with pytest.raises(CheckpointError, match=message):
            distil(tmp_path / "run", recipe, faces, teaching)


def test_unlabelled_pictures_need_a_teacher_and_shuffled_faces(tmp_path, faces, wise):
    recipe = student(tmp_path)
    lessons, extra = Lessons.of(faces, recipe), faces.pixels[..., None]
    with pytest.raises(DataError, match="unlabelled pictures without a teacher"):
        Teaching((), extra).lessons(lessons, recipe)
    balanced = replace(recipe, schedule=replace(recipe.schedule, sampling="balanced"))
    with pytest.raises(RecipeError, match='sampling = "balanced" with unlabelled pictures'):
        Teaching((wise,), extra).lessons(lessons, balanced)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("temperature = 0", "distillation: temperature 0"),
        ("teacher_share = 0", "teacher_share 0.*--without-teacher is 0"),
        ('views = "stored"', "views 'stored', but only live, cached"),
        ("cached_views = 0", "cached_views 0, but at least one"),
        ('precision = "int8"', "precision 'int8', but only float32, bfloat16"),
        ("alpha = 0.5", "distillation.alpha is no known key"),
        (
            'views = "cached"\nfeatures = { teacher_layer = "a", student_layer = "b" }',
            "only answers are cached",
        ),
        ('features = { teacher_layer = "a", student_layer = "b", weight = 0 }', "weight 0"),
        ('features = { teacher_layer = "a", student_layer = "b", loss = "mae" }', "loss 'mae', but only mse, cosine"),
    ],
)
def test_a_wrong_table_of_distillation_is_refused(tmp_path, lines, message):
    with pytest.raises(RecipeError, match=message):
        student(tmp_path, lines)


def test_mixtures_of_faces_have_no_cached_answers(tmp_path):
    recipe = student(tmp_path, 'views = "cached"')
    with pytest.raises(ValueError, match="no answers for mixtures of cached views"):
        replace(recipe, augment=replace(recipe.augment, mixup=0.2))


def test_a_students_recipe_is_refused_by_fit_and_another_one_by_distill(tmp_path, faces, wise):
    recipe = student(tmp_path)
    with pytest.raises(RecipeError, match=r"a student's recipe .*train distill --recipe tiny --teacher RUN"):
        distil(tmp_path / "run", recipe, faces, None)
    with pytest.raises(RecipeError, match="has no table distillation; expected a student's recipe"):
        distil(tmp_path / "run", replace(recipe, distillation=None), faces, Teaching((wise,)))
    assert not (tmp_path / "run").exists()
