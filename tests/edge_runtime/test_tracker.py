from edge_runtime.face import Face
from edge_runtime.geometry import Box
from edge_runtime.tracker import FORGET_AFTER_FRAMES, Tracker


def face(left, top, side=50):
    return Face(Box(left, top, left + side, top + side), 0.9, "happy", 0.8, {"happy": 0.8, "sad": 0.2})


def tracks(faces):
    return [one.track for one in faces]


def test_a_face_that_moves_a_little_keeps_its_track():
    tracker = Tracker()
    assert [tracks(tracker.update([face(10 * step, 0)])) for step in range(5)] == [[1]] * 5


def test_two_faces_keep_their_tracks_whatever_their_order():
    tracker = Tracker()
    assert tracks(tracker.update([face(0, 0), face(200, 0)])) == [1, 2]
    assert tracks(tracker.update([face(205, 0), face(5, 0)])) == [2, 1]


def test_a_face_elsewhere_is_somebody_new():
    tracker = Tracker()
    tracker.update([face(0, 0)])
    assert tracks(tracker.update([face(300, 300)])) == [2]


def test_one_track_is_given_to_one_face_only():
    tracker = Tracker()
    tracker.update([face(0, 0)])
    assert sorted(tracks(tracker.update([face(2, 0), face(-2, 0)]))) == [1, 2]


def test_a_face_hidden_for_a_while_is_known_again_and_then_forgotten():
    tracker = Tracker()
    tracker.update([face(0, 0)])
    for _ in range(FORGET_AFTER_FRAMES - 1):
        tracker.update([])
    assert tracks(tracker.update([face(3, 0)])) == [1]
    for _ in range(FORGET_AFTER_FRAMES):
        tracker.update([])
    assert tracks(tracker.update([face(3, 0)])) == [2]
