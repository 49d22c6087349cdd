"""Distillation: what a student learns of its teachers, from which views, and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from edge_runtime.facesets import FaceSet
from tests.train.made import SIZE, tiny_faces
from tests.train.taught import student, teacher, teacher_folder
from train.answers import Answered, AnswerStore
from train.augment import Augment
from train.batches import Lessons
from train.drawn import CHUNK, DrawnView, draw, draw_chunk
from train.errors import CheckpointError, DataError, ModelError, RecipeError
from train.fit import Fitted, fit
from train.progress import Progress
from train.recipe_tables import AugmentOptions
from train.student import Student, TaughtBatches, Teaching, label_loss
from train.teachers import joined, open_teachers
from train.views import predict


class KilledError(Exception):
    """Stands for a power cut: nothing in the product catches it."""


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return tiny_faces()


@pytest.fixture(scope="module")
def wise():
    return teacher()


def distil(folder, recipe, faces, teaching, report=lambda progress: None, say=lambda line: None) -> Fitted:
    parts = faces.split("Training"), faces.split("PublicTest")
    return fit(recipe, *parts, folder, report, say, teaching=teaching)


def divergence(of: np.ndarray, other: np.ndarray) -> float:
    """The mean Kullback-Leibler divergence of rows of probabilities."""
    return float((of * np.log(np.maximum(of, 1e-9) / np.maximum(other, 1e-9))).sum(axis=1).mean())


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


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


def compared(teacher_layer: str, student_layer: str, weight: float = 1.0) -> str:
    return f'features = {{ teacher_layer = "{teacher_layer}", student_layer = "{student_layer}", weight = {weight} }}'


def pooled_to(channels: int) -> keras.Model:
    """A net whose pooled features have another number of channels than the student's."""
    inputs = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", name="block0_0")(keras.layers.Rescaling(1 / 127.5, -1)(inputs))
    x = keras.layers.Conv2D(channels, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Softmax()(keras.layers.Dense(7, name="logits")(x)))


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
