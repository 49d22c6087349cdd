"""Labels over time: calm on a steady face, quick on a real change, and honest where nothing stands out.

Frames are simulated: seven logits, a true expression, and noise that lasts about a tenth of a second, as that of a moving
head does.
"""

import itertools

import numpy as np
import pytest

from edge_runtime.live.quality import Quality
from edge_runtime.live.smoothing import SETTLING, UNCERTAIN, UNCLEAR, Decider, Smoother
from edge_runtime.settings.deciding import SmoothingSettings

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
HAPPY, NEUTRAL = LABELS.index("happy"), LABELS.index("neutral")


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def noise(random, times, deviation, lasting_s=0.1):
    """Correlated noise at irregular times: (frames, 7)."""
    values = random.normal(0, deviation, (len(times), len(LABELS)))
    for index in range(1, len(times)):
        kept = np.exp(-(times[index] - times[index - 1]) / lasting_s)
        values[index] = kept * values[index - 1] + np.sqrt(1 - kept**2) * values[index]
    return values


def frame_times(random, fps, seconds, irregular):
    gaps = random.exponential(1 / fps, fps * seconds) if irregular else np.full(fps * seconds, 1 / fps)
    return np.cumsum(gaps)


def shown(probabilities, times, **settings):
    smoother = Smoother(LABELS, SmoothingSettings(**settings))
    return [smoother.update(row, float(time)).label for row, time in zip(probabilities, times, strict=True)]


def changes(labels):
    return sum(before != after for before, after in itertools.pairwise(labels))


@pytest.mark.parametrize("irregular", [False, True])
@pytest.mark.parametrize("fps", [10, 15, 30])
def test_on_a_steady_face_the_label_changes_ten_times_rarer_than_the_raw_one(fps, irregular):
    raw_changes = shown_changes = 0
    for seed in range(4):
        random = np.random.default_rng([fps, seed])
        times = frame_times(random, fps, 60, irregular)
        logits = np.zeros((len(times), len(LABELS)))
        logits[:, HAPPY], logits[:, NEUTRAL] = 2.4, 2.0
        probabilities = softmax(logits + noise(random, times, 0.6))
        raw_changes += changes(probabilities.argmax(1).tolist())
        shown_changes += changes(shown(probabilities, times))
    assert raw_changes > 400, "the faces are hard enough to say something"
    assert shown_changes * 10 <= raw_changes


@pytest.mark.parametrize("irregular", [False, True])
@pytest.mark.parametrize("strength", [2.5, 4.0])
@pytest.mark.parametrize("fps", [10, 15, 30])
def test_a_real_change_is_shown_within_half_a_second(fps, strength, irregular):
    for seed in range(8):
        random = np.random.default_rng([fps, seed, 1])
        times = frame_times(random, fps, 6, irregular)
        logits = np.zeros((len(times), len(LABELS)))
        logits[times < 3, NEUTRAL] = strength
        logits[times >= 3, HAPPY] = strength
        labels = shown(softmax(logits + noise(random, times, 0.4)), times)
        first = next(time for time, label in zip(times, labels, strict=True) if time >= 3 and label == "happy")
        # Nothing can be shown before the change was seen: with irregular frames that is the first one after it.
        assert first - times[times >= 3][0] <= 0.5


def test_one_frame_of_nonsense_changes_nothing():
    happy, sad = np.eye(7)[HAPPY], np.eye(7)[4]
    smoother = Smoother(LABELS)
    for step in range(20):
        smoother.update(happy, step / 15)
    assert smoother.update(sad, 20 / 15).label == "happy"
    assert all(smoother.update(happy, step / 15).label == "happy" for step in range(21, 40))


def test_a_face_between_two_expressions_is_uncertain_and_says_so():
    flat = np.full(7, 1 / 7)
    torn = np.array([0, 0, 0, 0.5, 0, 0, 0.5])
    for probabilities in (flat, torn):
        smoother = Smoother(LABELS)
        decisions = [smoother.update(probabilities, step / 15) for step in range(30)]
        assert {decision.label for decision in decisions} == {UNCERTAIN}
        assert not decisions[-1].certain
        assert decisions[-1].reason == UNCLEAR
        assert decisions[-1].score == pytest.approx(max(probabilities))


def test_a_label_that_lost_its_ground_gives_way_to_uncertain_but_not_at_once():
    smoother = Smoother(LABELS, SmoothingSettings(uncertain_after_s=0.5))
    for step in range(30):
        smoother.update(np.eye(7)[HAPPY], step / 30)
    after = [(step / 30, smoother.update(np.full(7, 1 / 7), 1 + step / 30).label) for step in range(60)]
    gone = next(time for time, label in after if label == UNCERTAIN)
    assert 0.5 <= gone <= 1.2
    assert {label for _, label in after} == {"happy", UNCERTAIN}


def test_a_new_face_settles_before_its_first_label():
    smoother = Smoother(LABELS, SmoothingSettings(settle_s=0.2))
    decisions = [smoother.update(np.eye(7)[HAPPY], step / 10) for step in range(4)]
    assert [decision.label for decision in decisions] == [UNCERTAIN, UNCERTAIN, "happy", "happy"]
    assert decisions[0].reason == SETTLING
    assert decisions[-1].since_s == pytest.approx(0.2)


def test_ten_and_thirty_frames_a_second_give_the_same_averages():
    ends = []
    for fps in (10, 30):
        smoother = Smoother(LABELS)
        for step in range(2 * fps):
            time = step / fps
            decision = smoother.update(np.eye(7)[NEUTRAL if time < 1 else HAPPY], time)
        ends.append(decision.emotions["happy"])
    assert ends[0] == pytest.approx(ends[1], abs=0.02)


def test_averages_are_probabilities_and_the_same_frames_give_the_same_answers():
    random = np.random.default_rng(9)
    rows = random.dirichlet(np.ones(7), 100)
    answers = []
    for _ in range(2):
        smoother = Smoother(LABELS)
        answers.append([smoother.update(row, step / 15) for step, row in enumerate(rows)])
    assert answers[0] == answers[1]
    assert all(sum(answer.emotions.values()) == pytest.approx(1) for answer in answers[0])


def test_a_poor_face_does_not_count_and_its_reason_is_given():
    decider = Decider(LABELS)
    good, poor = Quality(80, 1, None, ()), Quality(20, 1, None, ("small", "blurred"))
    for step in range(15):
        assert decider.decide(7, np.eye(7)[4], step / 15, poor).reason == "small"
    for step in range(15, 30):
        last = decider.decide(7, np.eye(7)[HAPPY], step / 15, good)
    assert last.label == "happy"
    assert last.emotions["sad"] == 0, "what was refused left no trace"
    assert decider.decide(7, np.eye(7)[4], 2.0, poor).label == "happy"
    assert decider.decide(7, np.eye(7)[4], 2.6, poor).reason == "small"


def test_tracks_do_not_mix_and_are_forgotten():
    decider = Decider(LABELS)
    for step in range(10):
        happy = decider.decide(1, np.eye(7)[HAPPY], step / 15)
        sad = decider.decide(2, np.eye(7)[4], step / 15)
    assert (happy.label, sad.label) == ("happy", "sad")
    decider.forget([1, 99])
    assert len(decider) == 1
    assert decider.decide(1, np.eye(7)[HAPPY], 1.0).label == UNCERTAIN


def test_a_gap_and_a_clock_that_goes_back_break_nothing():
    smoother = Smoother(LABELS)
    for time_s in (0.0, 0.1, 0.3, 60.0, 59.0, 60.1):
        decision = smoother.update(np.eye(7)[HAPPY], time_s)
    assert decision.label == "happy"


@pytest.mark.parametrize("wrong", [[0.5, 0.5], [float("nan")] * 7])
def test_anything_but_one_finite_probability_a_label_is_refused(wrong):
    with pytest.raises(ValueError, match="expected 7 finite ones"):
        Smoother(LABELS).update(wrong, 0.0)


@pytest.mark.parametrize("setting", ["threshold", "margin", "time_constant_s"])
def test_a_setting_out_of_its_range_is_refused(setting):
    with pytest.raises(ValueError, match=setting):
        SmoothingSettings(**{setting: -1.0})
