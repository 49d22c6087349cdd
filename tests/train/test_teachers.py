"""Finished runs as teachers: how they answer, alone and several."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.train.taught import (
    divergence,
    softmax,
    student,
    teacher,
)
from train.batches import Lessons
from train.student import Student, Teaching
from train.teachers import joined
from train.views import predict


def test_several_teachers_answer_the_mean_of_their_probabilities_whatever_their_sizes(faces):
    teachers = (teacher("one"), teacher("two", size=32, seed=6), teacher("one", seed=7))  # folders of one name
    pixels = faces.pixels[:6, ..., None].astype(np.float32)
    larger = np.asarray(keras.ops.image.resize(pixels, (32, 32)))
    wanted = np.mean([one.model(larger if one.name == "two" else pixels) for one in teachers], axis=0)
    found = np.exp(joined(teachers, 1, "float32")(pixels)["logits"])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
    assert found.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-5)


def test_a_teacher_without_a_layer_of_logits_is_asked_for_its_probabilities(faces, wise):
    dense = wise.model.get_layer("logits")
    fused = keras.layers.Dense(7, activation="softmax", name="together")
    model = keras.Model(wise.model.input, fused(dense.input))
    fused.set_weights(dense.get_weights())
    pixels = faces.pixels[:4, ..., None].astype(np.float32)
    found = joined((replace(wise, model=model),), 1, "float32")(pixels)["logits"]
    np.testing.assert_allclose(np.exp(found), wise.model(pixels), rtol=1e-3, atol=1e-6)


def test_teachers_use_neither_dropout_nor_the_batchs_statistics_and_learn_nothing(tmp_path, faces, wise):
    recipe = student(tmp_path, "teacher_share = 1.0\ntemperature = 3", "[{ epochs = 1 }]")
    trainee = Student(recipe, 7, 3, Teaching((wise,)), tmp_path, print)
    before = [weight.copy() for weight in trainee.teachers.get_weights()]
    trainee.begin(0, [])
    batches = trainee.batches(Lessons.of(faces.split("Training"), recipe), 0)
    trainee.learn(batches, 0)
    inputs, targets, _ = batches[0]
    assert set(inputs) == {"pixels"}
    logits = np.random.default_rng(4).normal(size=(16, 7)).astype(np.float32)
    loss = trainee.model.compute_loss(inputs, targets, logits, training=True)
    answers = predict(wise.model, inputs["pixels"][..., 0])
    wanted, found = softmax(np.log(answers) / 3), softmax(logits / 3)
    assert float(loss) == pytest.approx(9 * divergence(wanted, found), rel=1e-4)
    for weight, right in zip(trainee.teachers.get_weights(), before, strict=True):
        assert np.array_equal(weight, right)
    learnt = {variable.path for variable in trainee.model.trainable_variables}
    assert learnt == {weight.path for weight in trainee.logits.trainable_weights}


def test_a_teacher_in_bfloat16_answers_nearly_the_same(faces, wise):
    pixels = faces.pixels[:8, ..., None].astype(np.float32)
    fast = joined((wise,), 1, "bfloat16")(pixels)["logits"]
    assert fast.dtype == "float32"
    assert np.abs(np.exp(fast) - np.asarray(wise.model(pixels))).max() < 0.05
    assert not np.array_equal(fast, joined((wise,), 1, "float32")(pixels)["logits"])
