"""Checkpoints: whole or not at all, and the newest good one is found."""

import random
import resource

import numpy as np
import pytest

from train.checkpoint import Checkpoints
from train.errors import CheckpointError


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def checkpoints(tmp_path, said) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints", said.append)


def arrays_of(epoch: int) -> list[np.ndarray]:
    return [np.full((3, 4), epoch, np.float32), np.array(epoch, np.int64), np.arange(2, dtype=np.uint32)]


def test_arrays_and_facts_come_back_as_they_were(checkpoints):
    checkpoints.save(1, arrays_of(1), {"recipe": "abc", "history": [{"loss": 1.5}]})
    state = checkpoints.newest()
    assert state.facts == {"recipe": "abc", "history": [{"loss": 1.5}], "epoch": 1, "count": 3}
    for found, saved in zip(state.arrays, arrays_of(1), strict=True):
        assert found.dtype == saved.dtype
        assert np.array_equal(found, saved)


def test_the_newest_two_are_kept(checkpoints):
    for epoch in range(1, 5):
        checkpoints.save(epoch, arrays_of(epoch), {})
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["epoch-0003.npz", "epoch-0004.npz"]
    assert checkpoints.newest().facts["epoch"] == 4


def test_no_folder_is_no_checkpoint(checkpoints):
    assert checkpoints.newest() is None


def test_any_damage_of_the_newest_is_said_and_the_one_before_taken(checkpoints, said):
    for epoch in (1, 2):
        checkpoints.save(epoch, arrays_of(epoch), {})
    newest = checkpoints.folder / "epoch-0002.npz"
    data = newest.read_bytes()
    chance = random.Random(1)
    for attempt in range(400):
        damaged = bytearray(data[: chance.randrange(len(data))] if attempt % 4 == 0 else data)
        if attempt % 4:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        newest.write_bytes(damaged)
        said.clear()
        state = checkpoints.newest()
        if said:
            assert said[0].startswith("checkpoint epoch-0002.npz is damaged")
        # A flip in a date of the zip harms nothing; what is taken is right in any case.
        assert state.facts["epoch"] == (1 if said else 2)
        for found, saved in zip(state.arrays, arrays_of(state.facts["epoch"]), strict=True):
            assert np.array_equal(found, saved)


@pytest.mark.parametrize(
    ("found", "written"), [(b"(90, 90)", b"(90, 90 "), (b"{'descr'", b"('descr'"), (b"'<f4'", b"'<f4\n")]
)
def test_a_header_that_is_no_python_is_damage_too(checkpoints, said, found, written):
    for epoch in (1, 2):  # large enough that the header is parsed before the zip's own sum is complete
        checkpoints.save(epoch, [np.zeros((90, 90), np.float32)], {})
    newest = checkpoints.folder / "epoch-0002.npz"
    assert found in newest.read_bytes()
    newest.write_bytes(newest.read_bytes().replace(found, written))
    assert checkpoints.newest().facts["epoch"] == 1
    assert "is damaged" in said[0]


class PowerCut:
    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise SystemExit("no power")


def test_a_power_cut_while_writing_leaves_what_was_there(checkpoints):
    checkpoints.save(1, arrays_of(1), {})
    for epoch in (1, 2):
        with pytest.raises(SystemExit):
            checkpoints.save(epoch, [*arrays_of(9), PowerCut()], {})
    assert np.array_equal(checkpoints.newest().arrays[0], arrays_of(1)[0])


def test_a_full_disk_is_said_and_leaves_the_last_good_checkpoint(checkpoints):
    checkpoints.save(1, arrays_of(1), {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(
            CheckpointError, match=r"epoch-0002.npz: File too large; .*free disk space and run the same command again"
        ):
            checkpoints.save(2, [np.zeros(10_000)], {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in checkpoints.folder.iterdir()] == ["epoch-0001.npz"]
    assert checkpoints.newest().facts["epoch"] == 1


def test_a_folder_that_cannot_be_made_is_said(checkpoints):
    checkpoints.folder.touch()
    with pytest.raises(CheckpointError, match="expected room for a checkpoint"):
        checkpoints.save(1, arrays_of(1), {})
