import io

import numpy as np
import pytest

from edge_runtime.archives import DamagedArchiveError, read_archive


def archive_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_a_whole_archive_gives_its_arrays(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(archive_bytes(x=np.arange(5), name=np.array("text")))
    archive = read_archive(path)
    assert archive["x"].tolist() == [0, 1, 2, 3, 4]
    assert str(archive["name"]) == "text"


def test_a_missing_file_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "nowhere.npz")


def test_pickled_objects_are_refused():
    with pytest.raises(DamagedArchiveError, match="allow_pickle"):
        read_archive(archive_bytes(x=np.array([{}], dtype=object)))


def test_a_single_array_is_no_archive():
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    with pytest.raises(DamagedArchiveError, match="single array"):
        read_archive(buffer.getvalue())


def test_any_damage_is_one_kind_of_error_with_a_line():
    whole = archive_bytes(x=np.arange(40), y=np.zeros((3, 3), np.float32))
    random = np.random.default_rng(4)
    for _ in range(400):
        damaged = bytearray(whole[: int(random.integers(0, len(whole) + 1))])
        for _ in range(3):
            if damaged:
                damaged[int(random.integers(len(damaged)))] ^= int(random.integers(1, 256))
        try:
            read_archive(bytes(damaged))
        except DamagedArchiveError as error:
            assert "\n" not in str(error)
            assert str(error)
