"""Promises of the newest frame in shared memory."""

import os
import threading

import numpy as np
import pytest

from devices.backoff import Backoff
from devices.base import Deadlines, Frame
from devices.frame_buffer import Counts, FrameReader, FrameWriter


@pytest.fixture
def pair():
    reader = FrameReader()
    writer = FrameWriter(reader.descriptor)
    yield reader, writer
    writer.close()
    reader.close()


def flat(value, height=48, width=64, small=None):
    image = np.full((height, width, 3), value, np.uint8)
    return Frame(image, value / 10, value, None if small is None else np.full((*small, 3), value, np.uint8))


def test_a_frame_comes_out_as_it_went_in_and_only_once(pair):
    reader, writer = pair
    writer.publish(flat(7, small=(12, 16)))
    frame = reader.take()
    assert (frame.index, frame.time_s) == (0, 0.7)
    assert (frame.image == 7).all()
    assert frame.image.shape == (48, 64, 3)
    assert frame.small.shape == (12, 16, 3)
    assert reader.take() is None


def test_only_the_newest_is_kept_and_every_other_is_counted(pair):
    reader, writer = pair
    for value in range(5):
        writer.publish(flat(value))
    writer.refuse()
    assert reader.take().image[0, 0, 0] == 4
    assert reader.counts() == Counts(produced=6, delivered=1, dropped=5, refused=1)
    writer.publish(flat(9), black=True)
    assert reader.counts() == Counts(produced=6, delivered=1, dropped=5, refused=1)
    assert reader.take().index == 6
    assert reader.counts() == Counts(produced=7, delivered=2, dropped=5, refused=1, black=1)


def test_black_frames_count_when_they_count_as_produced_whether_one_waits_or_not(pair):
    reader, writer = pair
    writer.publish(flat(0), black=True)
    assert reader.counts() == Counts()
    writer.publish(flat(0), black=True)
    assert reader.counts() == Counts(produced=1, dropped=1, black=1)
    writer.publish(flat(9))
    assert reader.counts() == Counts(produced=2, dropped=2, black=2)
    reader.take()
    assert reader.counts() == Counts(produced=3, delivered=1, dropped=2, black=2)


def test_a_frame_in_hand_is_not_overwritten_by_later_ones(pair):
    reader, writer = pair
    writer.publish(flat(1))
    frame = reader.take()
    for value in range(2, 9):
        writer.publish(flat(value))
    assert (frame.image == 1).all()


def test_larger_frames_find_room(pair):
    reader, writer = pair
    for value, (height, width) in enumerate([(48, 64), (480, 640), (16, 16), (720, 1280)]):
        writer.publish(flat(value, height, width))
        assert reader.take().image.shape == (height, width, 3)
    assert reader.counts().dropped == 0


def test_no_frame_is_torn_while_both_sides_run_at_full_speed(pair):
    reader, writer = pair
    frames = 3000
    thread = threading.Thread(target=lambda: [writer.publish(flat(number % 251)) for number in range(frames)])
    thread.start()
    seen = []
    while thread.is_alive() or reader.waiting():
        frame = reader.take()
        if frame is not None:
            assert (frame.image == frame.image[0, 0, 0]).all()
            assert frame.image[0, 0, 0] == frame.index % 251
            seen.append(frame.index)
    thread.join()
    assert seen == sorted(set(seen))
    assert reader.counts() == Counts(frames, len(seen), frames - len(seen))


def test_memory_and_descriptors_are_given_back():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        reader = FrameReader()
        writer = FrameWriter(reader.descriptor)
        writer.publish(flat(3))
        reader.take()
        writer.close()
        reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_waits_double_from_one_to_thirty_seconds_and_are_spread():
    plain = Backoff(spread=lambda: 0.5)
    assert [plain.next_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    plain.reset()
    assert plain.next_s() == 1
    for spread in (0.0, 1.0):
        waits = [
            wait
            for waits in [Backoff(spread=lambda spread=spread: spread)]
            for wait in [waits.next_s(), waits.next_s()]
        ]
        assert waits == pytest.approx([1.0, 1.6] if spread == 0 else [1.2, 2.4])
    assert len({round(wait, 6) for wait in [Backoff() for _ in range(20)] for wait in [wait.next_s()]}) > 5


@pytest.mark.parametrize("wrong", [{"open_s": 0}, {"read_s": -1}, {"stop_s": float("nan")}])
def test_deadlines_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="expected more than 0"):
        Deadlines(**wrong)
