"""Frame sets: they come back as they were written, and what is no whole one is refused in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.errors import FrameSetError
from edge_runtime.framesets import FrameSet, Marks, is_frame_set, read_frame_set, write_frame_set


def frame_set(channels=1) -> FrameSet:
    random = np.random.default_rng(1)
    faces = Marks(
        np.float32([[1, 2, 30, 40], [40, 3, 60, 30]]),
        np.full((2, 5, 2), np.nan, np.float32),
        np.zeros((0, 4), np.float32),
    )
    nobody = Marks(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.float32([[0, 0, 9, 9]]))
    frames = random.integers(0, 256, (3, 48, 64, channels), dtype=np.uint8)
    return FrameSet(frames, [faces, nobody, faces], "held-out", "scenes.npz", "ab" * 32, {"seed": 3})


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_set_comes_back_as_it_was_written(tmp_path, channels):
    made = frame_set(channels)
    write_frame_set(made, tmp_path / "frames.npz")
    assert is_frame_set(tmp_path / "frames.npz")
    read = read_frame_set(tmp_path / "frames.npz")
    assert np.array_equal(read.frames, made.frames)
    assert read.image(0).shape == ((48, 64) if channels == 1 else (48, 64, 3))
    for one, other in zip(read.marks, made.marks, strict=True):
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.points, other.points, equal_nan=True)
        assert np.array_equal(one.ignored, other.ignored)
    assert (read.split, read.source, read.source_sha256, read.drawn) == (
        "held-out",
        "scenes.npz",
        "ab" * 32,
        {"seed": 3},
    )
    assert read.sha256 == made.sha256
    assert (len(read), read.faces) == (3, 4)


def test_its_hash_tells_other_pixels_other_faces_and_another_split(tmp_path):
    made = frame_set()
    moved = [replace(made.marks[0], boxes=made.marks[0].boxes + 1), *made.marks[1:]]
    others = [replace(made, frames=made.frames ^ 1), replace(made, marks=moved), replace(made, split="training")]
    assert len({each.sha256 for each in (made, *others)}) == 4
    shuffled = replace(made, frames=made.frames[::-1])
    assert set(shuffled.frame_hashes()) == set(made.frame_hashes())


def test_what_is_no_whole_frame_set_is_refused_in_one_line(tmp_path):
    good = tmp_path / "frames.npz"
    write_frame_set(frame_set(), good)
    with np.load(good) as archive:
        members = dict(archive)
    facts = json.loads(str(members["facts"]))

    def written(name, **changes):
        np.savez(tmp_path / name, **(members | changes))

    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "cut.npz").write_bytes(good.read_bytes()[:-400])
    np.savez(tmp_path / "faces.npz", pixels=np.zeros(3))
    written("changed.npz", frames=members["frames"] ^ 1)
    written("newer.npz", facts=np.array(json.dumps(facts | {"version": 2})))
    written("without.npz", facts=np.array(json.dumps({key: facts[key] for key in facts if key != "split"})))
    for name, reason in (
        ("none.npz", "No such file"),
        ("text.npz", "undamaged"),
        ("cut.npz", "undamaged"),
        ("faces.npz", "without a frame set's facts"),
        ("changed.npz", "do not match its own sha256"),
        ("newer.npz", "version 2 of frame sets"),
        ("without.npz", "no split"),
    ):
        with pytest.raises(FrameSetError, match=reason) as caught:
            read_frame_set(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not is_frame_set(tmp_path / "faces.npz")
    assert not is_frame_set(tmp_path / "text.npz")
    assert not is_frame_set(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frames": np.zeros((3, 48, 64), np.uint8)}, "uint8"),
        ({"frames": np.zeros((3, 48, 64, 2), np.uint8)}, "uint8"),
        ({"frames": np.zeros((3, 48, 64, 1), np.float32)}, "uint8"),
        ({"frames": np.zeros((0, 48, 64, 1), np.uint8), "marks": []}, "at least one"),
        ({"frames": np.zeros((4, 48, 64, 1), np.uint8)}, "marks of 3 frames for 4"),
    ],
)
def test_frames_of_another_form_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        replace(frame_set(), **changes)
