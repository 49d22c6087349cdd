import pytest

from edge_runtime.errors import OutputError
from edge_runtime.files import partial_path, whole_file, write_whole


def test_a_file_appears_whole(tmp_path):
    write_whole(tmp_path / "a.bin", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_failure_leaves_the_old_file_and_no_remains(tmp_path):
    path = tmp_path / "a.bin"
    write_whole(path, b"old")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_an_interruption_keeps_what_was_written_under_another_name(tmp_path):
    path = tmp_path / "a.bin"
    with pytest.raises(KeyboardInterrupt), whole_file(path) as file:
        file.write(b"hours of work")
        raise KeyboardInterrupt
    assert not path.exists()
    assert partial_path(path).read_bytes() == b"hours of work"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "a.bin", b"")


def test_a_full_disk_is_said_and_leaves_nothing():
    with pytest.raises(OutputError, match="No space left"), open("/dev/full", "wb") as full:
        write_whole_to(full)


def write_whole_to(full):
    """/dev/full cannot be renamed over, so its error is raised inside the block."""
    import pathlib
    import tempfile

    with tempfile.TemporaryDirectory() as folder, whole_file(pathlib.Path(folder) / "a.bin"):
        full.write(b"x" * 100_000)
        full.flush()
