"""Promises of the live pipeline: every face, as `predict` would answer it, followed between detections and judged over time."""

import itertools

import numpy as np
import pytest

from devices.base import Frame
from edge_runtime.commands.bench import demo_frame
from edge_runtime.detectors import Detection, open_detector
from edge_runtime.geometry import Box, Landmarks
from edge_runtime.live.pipeline import STAGES, open_pipeline
from edge_runtime.pipeline import load
from tests.live_world import Boxes, settings

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)


def walk(pipeline, frames, image=NOISE, step_s=0.1):
    return [pipeline.see(Frame(image, index * step_s, index), index * step_s) for index in range(frames)]


def test_a_face_is_answered_as_predict_answers_it_to_the_last_bit():
    image = demo_frame()
    (sight,) = walk(open_pipeline(settings(model__bundle="fer2013"), open_detector("haar")), 1, image)
    expected = load("fer2013", "haar")(image)
    assert [face.box for face in sight.faces] == [face.box for face in expected]
    for found, face in zip(sight.faces, expected, strict=True):
        assert found.probabilities.tolist() == list(face.emotions.values())
    assert tuple(sight.stages_s) == STAGES


def test_ten_faces_are_all_there_largest_first_each_with_a_track_of_its_own():
    boxes = [(30 * index, 10, 30 * index + 20 + index, 30 + index) for index in range(10)]
    pipeline = open_pipeline(settings(), Boxes(boxes))
    first, second = walk(pipeline, 2)
    areas = [face.box.area for face in first.faces]
    assert len(areas) == 10
    assert areas == sorted(areas, reverse=True)
    assert len({face.tracked.track for face in first.faces}) == 10
    assert {face.tracked.track for face in second.faces} == {face.tracked.track for face in first.faces}


def test_between_detections_faces_are_where_they_were_going():
    class Walking(Boxes):
        def detect(self, image):
            left = 20 + 12 * self.calls
            self.boxes = ((left, 50, left + 60, 110),)
            return super().detect(image)

    detector = Walking()
    sights = walk(open_pipeline(settings(detector__every_frames=3), detector), 13)
    assert detector.calls == 5
    assert [sight.faces[0].detected for sight in sights[:4]] == [True, False, False, True]
    assert len({face.tracked.track for sight in sights for face in sight.faces}) == 1
    lefts = [sight.faces[0].box.left for sight in sights[6:13]]
    assert all(before < after for before, after in itertools.pairwise(lefts))


def test_a_face_that_the_last_detection_missed_is_not_expected_to_be_there():
    class Leaving(Boxes):
        def detect(self, image):
            self.boxes = () if self.calls >= 2 else self.boxes
            return super().detect(image)

    sights = walk(open_pipeline(settings(detector__every_frames=2), Leaving()), 8)
    assert [len(sight.faces) for sight in sights] == [1, 1, 1, 1, 0, 0, 0, 0]


def test_a_smaller_picture_of_the_same_view_is_searched_and_the_large_one_is_cut():
    class Seen(Boxes):
        def detect(self, image):
            self.shape = image.shape
            points = Landmarks((10, 10), (20, 10), (15, 15), (11, 20), (19, 20))
            return [Detection(Box(5, 5, 25, 25), 0.9, points)]

    detector = Seen()
    pipeline = open_pipeline(settings(), detector)
    small = np.ascontiguousarray(NOISE[::4, ::4])
    sight = pipeline.see(Frame(NOISE, 0.0, 0, small), 0.0)
    assert detector.shape == (60, 80, 3)
    assert sight.faces[0].box == Box(20, 20, 100, 100)
    assert sight.faces[0].quality.pose is not None


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"quality__least_size_px": 100.0}, "small"), ({"quality__least_sharpness": 20.0}, "blurred")],
)
def test_a_face_that_is_too_poor_is_reported_with_its_reason_and_no_label(limits, reason):
    sights = walk(open_pipeline(settings(**limits), Boxes()), 5)
    for sight in sights:
        (face,) = sight.faces
        assert (face.decision.label, face.decision.reason, face.quality.problems) == ("uncertain", reason, (reason,))


def test_forgetting_ends_every_track_and_whoever_comes_back_is_somebody_new():
    pipeline = open_pipeline(settings(), Boxes())
    (before,) = walk(pipeline, 1)
    assert pipeline.forget() == (before.faces[0].tracked.track,)
    (after,) = walk(pipeline, 1)
    assert after.faces[0].tracked.track != before.faces[0].tracked.track
