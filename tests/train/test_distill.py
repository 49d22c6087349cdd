"""Distillation: what a student learns of its teachers, from which views, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.made import SIZE, tiny_faces
from tests.train.taught import (
    KilledError,
    compared,
    distil,
    divergence,
    pooled_to,
    student,
    teacher,
)
from train.answers import Answered
from train.augment import Augment
from train.batches import Lessons
from train.drawn import CHUNK, DrawnView, draw, draw_chunk
from train.errors import ModelError, RecipeError
from train.progress import Progress
from train.recipe_tables import AugmentOptions
from train.student import Student, TaughtBatches, Teaching, label_loss
from train.views import predict


def test_a_student_comes_to_answer_as_its_teacher_does(tmp_path, wise):
    """The labels to fit say something else: they are shuffled, and count for a tenth."""
    faces = tiny_faces(a_class=16)
    recipe = student(tmp_path, "teacher_share = 0.9\ntemperature = 2", "[{ epochs = 16 }]", learning_rate="0.2")
    recipe = replace(recipe, augment=AugmentOptions(flip=True))
    wanted = predict(wise.model, faces.pixels)
    labels = np.random.default_rng(1).permutation(faces.labels)
    unseen = faces.splits == "PublicTest"
    labels[unseen] = wanted[unseen].argmax(axis=1)  # so that the best epoch is the one that agrees best
    seen: list[Progress] = []
    fitted = distil(tmp_path / "run", recipe, replace(faces, labels=labels), Teaching((wise,)), seen.append)
    wanted, found = wanted[unseen], predict(fitted.model, faces.pixels[unseen])
    always_the_same = divergence(wanted, wanted.mean(axis=0, keepdims=True))
    assert divergence(wanted, found) < always_the_same / 2
    commonest = np.bincount(labels[unseen]).max() / unseen.sum()
    assert (found.argmax(axis=1) == labels[unseen]).mean() > commonest + 0.2
    assert seen[-1].loss < seen[0].loss


@pytest.mark.parametrize("views", ["live", "cached"])
def test_a_killed_student_ends_as_an_unbroken_one(tmp_path, faces, wise, views):
    stages = "[{ epochs = 1, size = 16 }, { epochs = 1 }]"
    recipe = student(tmp_path, f'views = "{views}"\ncached_views = 1', stages)
    teaching = Teaching((wise,))

    def cut(progress) -> None:
        if progress.epoch == 1:
            raise KilledError

    whole = distil(tmp_path / "whole", recipe, faces, teaching)
    with pytest.raises(KilledError):
        distil(tmp_path / "cut", recipe, faces, teaching, cut)
    said: list[str] = []
    again = distil(tmp_path / "cut", recipe, faces, teaching, say=said.append)
    assert said == ["resumed after epoch 1 of 2"]
    for found, right in zip(again.history, whole.history, strict=True):
        assert {**found, "seconds": 0} == pytest.approx({**right, "seconds": 0}, rel=1e-5)
    for found, right in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6)


def test_cached_answers_are_the_teachers_own_for_the_same_views(tmp_path, faces, wise):
    """As many cached views as epochs: then the live student sees the same ones, and learns the same."""
    cached = student(tmp_path, 'views = "cached"\ncached_views = 2', stages="[{ epochs = 2 }]")
    live = replace(cached, distillation=replace(cached.distillation, views="live"))
    told: list[Answered] = []
    first = distil(tmp_path / "cached", cached, faces, Teaching((wise,), watch=told.append))
    other = distil(tmp_path / "live", live, faces, Teaching((wise,)))
    assert not (tmp_path / "live" / "answers").exists()
    assert [one.done for one in told] == [56, 112]
    assert told[-1].total == 112
    pixels = Lessons.of(faces.split("Training"), cached).pixels
    for number in (0, 1):
        with np.load(tmp_path / "cached" / "answers" / f"view-{number:03d}-24-crop.npz") as archive:
            answers = archive["answers"]
        assert answers.dtype == np.float16
        view = draw(Augment(cached.augment, SIZE, 77), pixels, DrawnView(number, SIZE, "crop"), cached.seed)
        found = np.exp(answers.astype(np.float32))
        np.testing.assert_allclose(found, predict(wise.model, view), rtol=0.01, atol=1e-4)
    for one, two in zip(first.history, other.history, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)
        assert one["accuracy"] == two["accuracy"]
    for one, two in zip(first.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=0.02, atol=1e-3)


def test_a_view_is_drawn_again_bit_by_bit_and_others_differ(faces, tmp_path):
    recipe = student(tmp_path)
    pixels = np.tile(Lessons.of(faces.split("Training"), recipe).pixels, (20, 1, 1, 1))  # more than a chunk
    augment, view = Augment(recipe.augment, SIZE, 1), DrawnView(3, 16, "crop")
    drawn = draw(augment, pixels, view, 7)
    assert drawn.shape == (1120, 16, 16, 1)
    assert drawn.dtype == np.uint8
    draw(augment, pixels, DrawnView(4, 24, "crop"), 7)
    assert np.array_equal(draw(augment, pixels, view, 7), drawn)
    assert np.array_equal(draw_chunk(augment, pixels, view, 7, slice(CHUNK, 1120)), drawn[CHUNK:])
    for number, seed in ((4, 7), (3, 8)):
        assert not np.array_equal(draw(augment, pixels, DrawnView(number, 16, "crop"), seed), drawn)
    assert not np.array_equal(drawn[:56], drawn[CHUNK : CHUNK + 56])  # the faces repeat every 56: 1024 % 56 is 16
    small = draw(augment, pixels[:8], DrawnView(0, 12, "resize"), 7)
    assert small.shape == (8, 12, 12, 1)


def test_unlabelled_pictures_count_for_the_teachers_part_alone(tmp_path, faces, wise):
    recipe = student(tmp_path, stages="[{ epochs = 1 }]")
    extra = tiny_faces(a_class=4, seed=9).split("Training").pixels[..., None]
    lessons = Lessons.of(faces.split("Training"), recipe)
    taught = Teaching((wise,), extra).lessons(lessons, recipe)
    assert len(taught) == 56 + 28
    batches = TaughtBatches(taught, recipe, 0)
    rows = [batches[index] for index in range(len(batches))]
    labelled = np.concatenate([row[2] for row in rows])
    targets = np.concatenate([row[1] for row in rows])
    order = np.concatenate([batches.chosen(index) for index in range(len(batches))])
    assert np.array_equal(labelled, (order < 56).astype(np.float32))
    assert not targets[order >= 56].any()
    assert targets[order < 56].sum(axis=1) == pytest.approx(np.ones(int(labelled.sum())))

    logits = tf.Variable(np.random.default_rng(2).normal(size=(16, 7)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = label_loss(targets[:16], logits)
    gradient = tape.gradient(loss, logits).numpy()
    without = order[:16] >= 56
    assert without.any()
    assert not without.all()
    assert not gradient[without].any()
    assert (np.abs(gradient[~without]).sum(axis=1) > 0).all()

    alone = distil(tmp_path / "alone", recipe, faces, Teaching((wise,)))
    more = distil(tmp_path / "more", recipe, faces, Teaching((wise,), extra))
    assert alone.history[0]["loss"] != more.history[0]["loss"]
    share = more.history[0]["accuracy"] * labelled.sum()  # of the labelled faces only
    assert share == pytest.approx(round(share), abs=1e-3)


def test_a_label_drawn_from_votes_is_none_for_an_unlabelled_picture(tmp_path, faces, wise):
    recipe = student(tmp_path)
    recipe = replace(recipe, targets=replace(recipe.targets, kind="probability"))
    lessons = Teaching((wise,), faces.pixels[:16, ..., None]).lessons(Lessons.of(faces, recipe), recipe)
    batches = TaughtBatches(lessons, recipe, 0)
    assert not batches.targets[-16:].any()
    assert batches.targets[:-16].sum(axis=1) == pytest.approx(np.ones(len(faces)))


def test_a_baseline_without_a_teacher_learns_the_labels_on_the_same_views(tmp_path, faces, wise):
    lines = 'views = "cached"\ncached_views = 2\nprecision = "bfloat16"'
    recipe = student(tmp_path, lines, stages="[{ epochs = 1 }]")
    with_teacher, alone = (Student(recipe, 7, 3, Teaching(who), tmp_path, print) for who in ((wise,), ()))
    for weight, other in zip(with_teacher.weights(), alone.weights(), strict=True):
        assert np.array_equal(weight, other)  # both begin alike
    lessons = Lessons.of(faces.split("Training"), recipe)
    with_teacher.prepare(lessons)
    for trainee in (with_teacher, alone):
        trainee.begin(0, [])
    one, other = (trainee.batches(lessons, 0)[0] for trainee in (with_teacher, alone))
    assert np.array_equal(one[0]["pixels"], other[0]["pixels"])
    assert np.array_equal(one[1], other[1])
    outcome = alone.model.evaluate(other[0], other[1], verbose=0, return_dict=True)
    logits = alone.logits(other[0]["pixels"].astype(np.float32))
    wanted = keras.losses.CategoricalCrossentropy(from_logits=True)(other[1], logits)
    assert outcome["loss"] == pytest.approx(float(wanted), rel=1e-4)


def test_features_come_nearer_to_the_teachers_through_a_layer_that_is_thrown_away(tmp_path, faces):
    wide = replace(teacher(), model=pooled_to(12))
    recipe = student(tmp_path, compared("pool", "pool", weight=5.0), stages="[{ epochs = 8 }]")
    seen: list[Progress] = []
    fitted = distil(tmp_path / "run", recipe, faces, Teaching((wide,)), seen.append)
    assert seen[-1].loss < 0.7 * seen[0].loss
    assert "to_teacher" not in [layer.name for layer in fitted.model.layers]
    for layers, error, message in (
        (("pol", "pool"), ModelError, r"teacher wise without the layer 'pol'; expected one of .*, pool, "),
        (("pool", "pol"), RecipeError, r"student_layer = 'pol'; expected a layer of vgg: pixels, "),
        (("block0_0", "block1_0"), RecipeError, r"features \(12, 12, 8\).* beside the teacher's \(24, 24, 8\)"),
    ):
        with pytest.raises(error, match=message):
            Student(student(tmp_path, compared(*layers)), 7, 3, Teaching((wide,)), tmp_path, print)
