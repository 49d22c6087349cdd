"""The detector's net: its shapes, its operators, and one set of weights for every size."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from convert.quiet import quiet_tensorflow
from train.detection.recipe import DETECTOR, read_detector_recipe
from train.detection.trainee import in_one_table
from train.errors import RecipeError
from train.models.face_detector import STRIDES, VALUES, build, with_scores
from train.models.face_detector_options import Options
from train.recipe import list_recipes, read_recipe

ROUNDS = ("face_detector", "face_detector_hard", "face_detector_fine", "face_detector_all")
SMALL = Options(width=0.5, repeats=(1, 1, 1, 1))
EDGE_TPU = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "ADD",
    "RESIZE_NEAREST_NEIGHBOR",
    "LOGISTIC",
    "QUANTIZE",
    "MUL",
    "SUB",
    "DELEGATE",
}
"""Of the operators that coral.ai lists; QUANTIZE stands at the border of the graph."""


@pytest.mark.parametrize("channels", [1, 3])
def test_every_level_gives_a_score_a_box_and_landmarks(channels):
    net = build(SMALL, (128, 96), channels)
    assert net.output_names == [f"{what}_{stride}" for stride in STRIDES for what in VALUES]
    assert [output.shape for output in net.outputs] == [
        (None, 96 // stride, 128 // stride, count) for stride in STRIDES for count in VALUES.values()
    ]
    assert in_one_table(net).output_shape == (None, 12 * 16 + 6 * 8 + 3 * 4, 15)


def test_one_set_of_weights_answers_the_same_at_every_size():
    """Far from the borders, a larger picture's cells say what the smaller one's do."""
    small, large = build(SMALL, (64, 64), 1), build(SMALL, (192, 192), 1)
    random = np.random.default_rng(1)
    for variable in small.weights:
        variable.assign(np.abs(variable.numpy() + random.normal(0, 0.05, variable.shape)))
    large.set_weights(small.get_weights())
    pixels = np.full((1, 192, 192, 1), 90.0, np.float32)
    middle = keras.ops.convert_to_numpy(large(pixels, training=False)[0])[0, 12, 12]
    assert np.isfinite(middle).all()
    with pytest.raises(ValueError, match="multiples of 32"):
        build(SMALL, (320, 240), 1)


def test_the_int8_file_has_only_operators_of_the_edge_tpu_and_scores_of_their_own_scale():
    import tensorflow as tf

    net = with_scores(build(SMALL, (64, 64), 1))
    random = np.random.default_rng(1)
    with quiet_tensorflow():
        converter = tf.lite.TFLiteConverter.from_keras_model(net)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [random.uniform(0, 255, (1, 64, 64, 1)).astype(np.float32)] for _ in range(4)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
        content = converter.convert()
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    assert {operator["op_name"] for operator in interpreter._get_ops_details()} <= EDGE_TPU
    details = interpreter.get_output_details()
    assert len(details) == 9
    scores = [each["quantization"][0] for each in details if each["shape"][3] == 1]
    assert scores == pytest.approx([1 / 256] * 3)


def test_each_round_takes_the_net_of_the_round_before_and_is_judged_from_the_same_size_on():
    first, hard, fine, whole = (read_detector_recipe(name) for name in ROUNDS)
    assert first.model == hard.model == fine.model == whole.model
    assert (hard.scenes, hard.loss) == (first.scenes, first.loss)
    for recipe in (hard, fine, whole):
        assert (recipe.judging.scenes, recipe.judging.smallest_px) == (first.judging.scenes, first.judging.smallest_px)
        assert recipe.scenes.hard > 0
        assert recipe.schedule.learning_rate < first.schedule.learning_rate
    assert fine.loss.points > hard.loss.points
    assert fine.loss.smooth < hard.loss.smooth
    assert (whole.loss, replace(whole.scenes, enlarged=fine.scenes.enlarged)) == (fine.loss, fine.scenes)
    assert whole.scenes.enlarged > fine.scenes.enlarged
    assert min(fine.scenes.portraits, fine.scenes.emblems) > 0 == hard.scenes.portraits == hard.scenes.emblems


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("[loss]\nsmooth = 0.0\n", "smooth 0.0, a share above 0"),
        ("[scenes]\nportraits = 1.5\n", "portraits 1.5, a share from 0 to 1"),
        ("[scenes]\nenlarged = 0.5\n", "enlarged 0.5, at least 1"),
        ("[scenes]\nemblems = -0.1\n", "emblems -0.1, a share from 0 to 1"),
    ],
)
def test_a_share_that_is_none_is_refused_by_name(tmp_path, table, reason):
    texts = "".join(f'{key} = ""\n' for key in ("source", "keeps", "changes", "target"))
    head = f'kind = "face_detector"\nname = "odd"\n{texts}[schedule]\nepochs = 1\nscenes = 32\n'
    (tmp_path / "odd.toml").write_text(head + table)
    with pytest.raises(RecipeError, match=reason):
        read_detector_recipe(str(tmp_path / "odd.toml"))


def test_the_shipped_recipes_are_read_and_kinds_are_not_mixed_up(tmp_path):
    assert list_recipes(DETECTOR) == sorted(ROUNDS)
    assert "face_detector" not in list_recipes()
    recipe = read_detector_recipe("face_detector")
    assert recipe.size == (320, 256)
    assert len(recipe.sha256) == 64
    with pytest.raises(RecipeError, match="of kind 'face_detector'; expected a classifier's"):
        read_recipe("face_detector")
    with pytest.raises(RecipeError, match="of kind 'classifier'"):
        read_detector_recipe("vgg")
    text = (tmp_path / "odd.toml").write_text
    text(
        'kind = "face_detector"\nname = "odd"\nsource = ""\nkeeps = ""\nchanges = ""\ntarget = ""\n[schedule]\nepochs = 1\nscenes = 32\n[model]\nheight = 240\n'
    )
    with pytest.raises(RecipeError, match="multiples of 32"):
        read_detector_recipe(str(tmp_path / "odd.toml"))
