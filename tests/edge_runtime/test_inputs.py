"""Promises of the search for pictures and videos."""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import UsageError
from edge_runtime.inputs import find_inputs

JPEG = cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
MP4 = b"\0\0\0\x18ftypisom" + bytes(100)


def put(folder, *names, content=JPEG):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def names(findings, folder):
    return [str(found.path.relative_to(folder)) for found in findings.inputs]


def test_folder_gives_pictures_and_videos_below_it_in_order_of_their_names(tmp_path):
    put(tmp_path, "b.jpg", "a/2.PNG", "a/10.jpeg", "c.webp", "a/x/1.tif")
    put(tmp_path, "a.mp4", "z/clip.AVI", content=MP4)
    findings = find_inputs([tmp_path])
    assert names(findings, tmp_path) == ["a/10.jpeg", "a/2.PNG", "a/x/1.tif", "a.mp4", "b.jpg", "c.webp", "z/clip.AVI"]
    assert [found.kind for found in findings.inputs] == ["picture"] * 3 + ["video"] + ["picture"] * 2 + ["video"]
    assert findings.problems == ()
    assert findings.ignored == 0


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    put(tmp_path, "a.jpg", ".hidden.jpg", "._a.jpg", ".thumbnails/t.jpg")
    assert names(find_inputs([tmp_path]), tmp_path) == ["a.jpg"]
    assert names(find_inputs([tmp_path / ".hidden.jpg", tmp_path / ".thumbnails"]), tmp_path) == [
        ".hidden.jpg",
        ".thumbnails/t.jpg",
    ]


def test_other_files_in_folders_are_counted_and_left(tmp_path):
    put(tmp_path, "a.jpg", "notes.txt", "sub/readme", "module.ts")
    os.mkfifo(tmp_path / "pipe.jpg")
    findings = find_inputs([tmp_path])
    assert names(findings, tmp_path) == ["a.jpg", "module.ts"]  # its content is a picture
    assert findings.ignored == 3


def test_typescript_is_no_video_and_a_transport_stream_is(tmp_path):
    put(tmp_path, "module.ts", "other.mts", content=b"export const x = 1;\n")
    put(tmp_path, "camcorder.mts", content=(bytes(4) + b"G" + bytes(187)) * 6)
    findings = find_inputs([tmp_path])
    assert names(findings, tmp_path) == ["camcorder.mts"]
    assert findings.ignored == 2


def test_named_file_is_taken_whatever_it_is_called(tmp_path):
    put(tmp_path, "upload", "photo.mp4")
    put(tmp_path, "blob", "movie.jpg", content=MP4)
    put(tmp_path, "letter.txt", "letter.mp4", content=b"hello")
    paths = [tmp_path / name for name in ("upload", "photo.mp4", "blob", "movie.jpg", "letter.txt", "letter.mp4")]
    findings = find_inputs(map(str, paths))
    assert [(found.path, found.kind) for found in findings.inputs] == list(
        zip(paths, ["picture", "picture", "video", "video", "picture", "video"], strict=True)
    )


def test_heic_in_a_folder_is_not_passed_over_in_silence(tmp_path):
    put(tmp_path, "IMG_1.HEIC", content=b"\0\0\0\x18ftypheic" + bytes(100))
    assert [found.kind for found in find_inputs([tmp_path]).inputs] == ["picture"]


def test_missing_path_is_a_problem_and_the_others_are_found(tmp_path):
    put(tmp_path, "a.jpg", "b.jpg")
    findings = find_inputs([tmp_path / "a.jpg", tmp_path / "missing.jpg", tmp_path / "nul\0l.jpg", tmp_path / "b.jpg"])
    assert names(findings, tmp_path) == ["a.jpg", "b.jpg"]
    assert [type(problem) for problem in findings.problems] == [UsageError, UsageError]
    assert (
        str(findings.problems[0])
        == f"{tmp_path}/missing.jpg: No such file or directory; expected a file or folder; check the path"
    )
    assert str(findings.problems[1]).isprintable()


def test_folder_without_pictures_is_a_problem_that_counts_its_files(tmp_path):
    (tmp_path / "empty").mkdir()
    put(tmp_path, "texts/1.txt", "texts/sub/2.txt")
    put(tmp_path, "good/a.jpg")
    findings = find_inputs([tmp_path / "empty", tmp_path / "texts", tmp_path / "good"])
    assert names(findings, tmp_path) == ["good/a.jpg"]
    assert [problem.received.split(": ")[1] for problem in findings.problems] == [
        "no picture or video among 0 files in 1 folder",
        "no picture or video among 2 files in 2 folders",
    ]


def test_pipe_is_a_problem_and_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (problem,) = find_inputs([tmp_path / "pipe.jpg"]).problems
    assert "a device or pipe" in str(problem)


def test_loops_of_links_end(tmp_path):
    put(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "self").symlink_to(tmp_path / "b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    findings = find_inputs([tmp_path])
    assert names(findings, tmp_path) == ["a/1.jpg", "b/2.jpg"]
    assert findings.problems == ()
    assert "symbolic links" in str(find_inputs([tmp_path / "loop"]).problems[0])


def test_linked_files_and_folders_are_followed(tmp_path):
    put(tmp_path, "store/1.jpg")
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "folder").symlink_to(tmp_path / "store")
    (tmp_path / "view" / "file.jpg").symlink_to(tmp_path / "store" / "1.jpg")
    assert names(find_inputs([tmp_path / "view"]), tmp_path / "view") == ["file.jpg", "folder/1.jpg"]


def test_link_that_leads_nowhere_is_listed_so_that_reading_it_says_so(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert names(find_inputs([tmp_path]), tmp_path) == ["gone.jpg"]


def test_file_named_twice_is_listed_once(tmp_path, monkeypatch):
    put(tmp_path, "a.jpg", "sub/b.jpg")
    monkeypatch.chdir(tmp_path)
    findings = find_inputs(["a.jpg", "./a.jpg", tmp_path, tmp_path, "sub"])
    assert [found.path.name for found in findings.inputs] == ["a.jpg", "b.jpg"]
    assert findings.inputs[0].path == Path("a.jpg")
    assert findings.problems == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder_is_a_problem(tmp_path):
    put(tmp_path, "locked/a.jpg", "b.jpg")
    (tmp_path / "locked").chmod(0)
    findings = find_inputs([tmp_path])
    (tmp_path / "locked").chmod(0o700)
    assert names(findings, tmp_path) == ["b.jpg"]
    assert "Permission denied" in str(findings.problems[0])


def test_deep_folders_and_odd_names_are_no_trouble(tmp_path):
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    put(deep, "a.jpg")
    put(tmp_path, "line\nbreak.jpg", "ä ö.jpg")
    (tmp_path / os.fsdecode(b"\xff.jpg")).write_bytes(JPEG)
    assert len(find_inputs([tmp_path]).inputs) == 4


def test_thousands_of_files_are_found_in_a_moment(tmp_path):
    for number in range(2000):
        (tmp_path / f"{number}.jpg").write_bytes(JPEG[:32])
    start = time.perf_counter()
    assert len(find_inputs([tmp_path]).inputs) == 2000
    assert time.perf_counter() - start < 5
