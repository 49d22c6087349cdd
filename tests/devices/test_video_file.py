"""Promises of the video file camera. The videos are made here, then cut, forged and turned byte by byte."""

import os
import shutil
import struct
import subprocess
import sys
import time
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.base import Frame
from devices.cameras.container import container_of
from devices.cameras.video_file import VideoFile
from devices.errors import CameraError
from tests.support import ROOT

WIDTH, HEIGHT, FRAMES, FPS = 160, 96, 50, 25.0
CODECS = {"clip.mp4": "mp4v", "clip.avi": "MJPG", "clip.mkv": "mp4v", "clip.webm": "VP80"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """One short clip a container: a pattern that moves right by two pixels a frame."""
    folder = tmp_path_factory.mktemp("clips")
    pattern = cv2.resize(
        np.random.default_rng(0).integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8), (WIDTH, HEIGHT)
    )
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    for name, codec in CODECS.items():
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter.fourcc(*codec), FPS, (WIDTH, HEIGHT))
        assert writer.isOpened()
        for index in range(FRAMES):
            writer.write(np.roll(pattern, 2 * index, axis=1))
        writer.release()
    return folder


def read_all(path):
    """The frames, and the error at the end or None."""
    frames = []
    try:
        with VideoFile(path) as video:
            for frame in video:
                frames.append(frame)
    except CameraError as error:
        return frames, error
    return frames, None


def cut(clips, name, share, tmp_path):
    data = (clips / name).read_bytes()
    path = tmp_path / f"cut_{name}"
    path.write_bytes(data[: round(len(data) * share)])
    return path


@pytest.mark.parametrize("name", CODECS)
def test_every_frame_comes_once_with_its_media_time(clips, name):
    with VideoFile(clips / name) as video:
        assert (video.width, video.height, video.fps, video.live) == (WIDTH, HEIGHT, FPS, False)
        assert video.frame_count == FRAMES
        frames = list(video)
        assert video.frames_read == FRAMES
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert [frame.time_s for frame in frames] == pytest.approx([index / FPS for index in range(FRAMES)], abs=0.002)
    assert all(frame.image.shape == (HEIGHT, WIDTH, 3) and frame.image.dtype == np.uint8 for frame in frames)
    assert not np.array_equal(frames[0].image, frames[-1].image)


def test_frames_keep_their_pixels_while_later_ones_are_read(clips):
    with VideoFile(clips / "clip.avi") as video:
        first = video.read()
        before = first.image.copy()
        list(video)
    assert np.array_equal(first.image, before)


def test_end_is_none_again_and_again_and_a_closed_video_says_so(clips):
    video = VideoFile(clips / "clip.mp4")
    assert sum(1 for _ in video) == FRAMES
    assert video.read() is None
    assert video.read() is None
    video.close()
    video.close()
    with VideoFile(clips / "clip.mp4") as video:
        video.read()
    with pytest.raises(CameraError, match="read after close"):
        video.read()


def test_phone_video_held_upright_comes_out_upright(clips, tmp_path):
    data = bytearray((clips / "clip.mp4").read_bytes())
    matrix = data.index(b"tkhd") + 44
    assert struct.unpack_from(">9i", data, matrix) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, matrix, 0, 65536, 0, -65536, 0, 0, HEIGHT << 16, 0, 1 << 30)
    (tmp_path / "upright.mp4").write_bytes(data)
    flat = VideoFile(clips / "clip.mp4").read().image
    with VideoFile(tmp_path / "upright.mp4") as video:
        assert (video.width, video.height) == (HEIGHT, WIDTH)
        assert np.array_equal(video.read().image, np.rot90(flat, -1))


@pytest.mark.parametrize("name", ["clip.avi", "clip.mkv", "clip.webm"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_video_that_breaks_off_gives_its_frames_and_then_says_how_many(clips, name, share, tmp_path):
    frames, error = read_all(cut(clips, name, share, tmp_path))
    assert 0 < len(frames) < FRAMES
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert f"{len(frames)} of {FRAMES} frames read, the file is cut off" in str(error)
    assert str(error).startswith(str(tmp_path))


def test_broken_end_is_told_at_each_further_read(clips, tmp_path):
    video = VideoFile(cut(clips, "clip.avi", 0.5, tmp_path))
    with pytest.raises(CameraError, match="cut off"):
        list(video)
    with pytest.raises(CameraError, match="cut off"):
        video.read()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_half_written_mp4_is_refused_at_once(clips, share, tmp_path):
    with pytest.raises(CameraError, match=r"half-written, \d+ bytes of MP4 without its whole index \(moov\)"):
        VideoFile(cut(clips, "clip.mp4", share, tmp_path))


def with_index_first(data):
    """An MP4 as phones and the web have it: the index before the pictures."""
    boxes, position = {}, 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        boxes[data[position + 4 : position + 8]] = data[position : position + length]
        position += length
    index = bytearray(boxes.pop(b"moov"))
    table = index.index(b"stco") + 12
    for entry in range(int.from_bytes(index[table - 4 : table], "big")):
        (offset,) = struct.unpack_from(">I", index, table + 4 * entry)
        struct.pack_into(">I", index, table + 4 * entry, offset + len(index))
    return boxes.pop(b"ftyp") + bytes(index) + b"".join(boxes.values())


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_mp4_with_its_index_first_gives_its_frames_and_then_says_how_many(clips, share, tmp_path):
    data = with_index_first((clips / "clip.mp4").read_bytes())
    (tmp_path / "whole.mp4").write_bytes(data)
    frames, error = read_all(tmp_path / "whole.mp4")
    assert (len(frames), error) == (FRAMES, None)
    (tmp_path / "half.mp4").write_bytes(data[: round(share * len(data))])
    frames, error = read_all(tmp_path / "half.mp4")
    assert 0 < len(frames) < FRAMES
    assert f"{len(frames)} of {FRAMES} frames read, the file is cut off" in str(error)


@pytest.mark.parametrize("name", CODECS)
def test_hole_in_the_middle_does_not_lose_what_comes_after(clips, name, tmp_path):
    data = bytearray((clips / name).read_bytes())
    data[len(data) // 3 : len(data) // 3 + 1500] = bytes(1500)
    (tmp_path / name).write_bytes(data)
    frames, error = read_all(tmp_path / name)
    assert frames[-1].time_s > 0.9 * FRAMES / FPS
    assert len(frames) > FRAMES // 2
    if name == "clip.mp4":
        assert f"{len(frames)} of {FRAMES} frames read, damaged in" in str(error)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.mp4", b"", "0 bytes"),
        ("letter.mp4", b"hello, I am a letter\n" * 50, "no video, it starts with b'hello"),
        ("letter.txt", b"hello, I am a letter\n" * 50, "no video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n", "no video"),
        ("list.ffconcat", b"ffconcat version 1.0\nfile /etc/passwd\n", "no video"),
        ("photo.mp4", b"\xff\xd8\xff\xe0" + bytes(500), "no video"),
        ("photo.heic", b"\0\0\0\x18ftypheic" + bytes(500), "no video"),
        ("noise.avi", b"RIFF\xff\0\0\0AVI " + bytes(range(256)) * 10, "cannot open"),
        ("noise.mkv", b"\x1aE\xdf\xa3" + bytes(range(256)) * 10, "cannot open"),
        ("noise.mp4", b"\0\0\0\x18ftypisom" + bytes(12) + b"\0\0\0\x6cmoov" + bytes(100), "cannot open"),
    ],
)
def test_what_is_no_video_gets_one_line_with_its_name(tmp_path, capfd, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CameraError, match=said) as caught:
        VideoFile(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_file_folder_and_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for name, said in (
        ("missing.mp4", "No such file"),
        (".", "a folder"),
        ("pipe.mp4", "a device or pipe"),
        ("nul\0l.mp4", "null"),
    ):
        with pytest.raises(CameraError, match=said):
            VideoFile(tmp_path / name)


@pytest.mark.parametrize("name", ["a%03d.mp4", "concat:a.mp4", "http:a.mp4", "ä ö\t'\".mp4", "-i.mp4"])
def test_odd_names_are_only_names(clips, tmp_path, monkeypatch, name):
    shutil.copy(clips / "clip.mp4", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with VideoFile(name) as video:
        assert video.read().image.shape == (HEIGHT, WIDTH, 3)


def test_name_that_is_no_text_is_refused_and_does_not_end_the_process(clips, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mp4")
    shutil.copy(clips / "clip.mp4", path)
    with pytest.raises(CameraError, match="a name that is no text") as caught:
        VideoFile(path)
    assert str(caught.value).isprintable()


def test_absurd_frame_size_is_refused(clips, tmp_path, monkeypatch):
    monkeypatch.setattr("devices.cameras.video_file.MAX_FRAME_PIXELS", WIDTH * HEIGHT - 1)
    with pytest.raises(CameraError, match=f"frames of {WIDTH} × {HEIGHT} pixels"):
        VideoFile(clips / "clip.mp4")


def test_forged_frame_size_costs_neither_time_nor_memory(clips, tmp_path):
    data = bytearray((clips / "clip.avi").read_bytes())
    start = data.index(b"strf")
    struct.pack_into("<ii", data, start + 12, 30000, 30000)
    where = 0
    while (where := data.find(b"\xff\xc0\0\x11\x08", where)) >= 0:
        struct.pack_into(">HH", data, where + 5, 30000, 30000)
        where += 5
    path = tmp_path / "forged.avi"
    path.write_bytes(data)
    probe = (
        "import resource, sys, cv2\nfrom devices.cameras.video_file import VideoFile\nfrom devices.errors import CameraError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: print(sum(1 for _ in VideoFile(sys.argv[1])), 'frames')\n"
        "except CameraError: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    start_s = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", probe, path], capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(done.stdout) < 100_000  # kilobytes
    assert done.stderr == ""
    assert time.perf_counter() - start_s < 10


@pytest.mark.parametrize("name", CODECS)
def test_damaged_video_writes_nothing_to_the_terminal(clips, name, tmp_path):
    """In a process of its own: FFmpeg's threads write when they like."""
    data = bytearray((clips / name).read_bytes())
    for start in range(3000, len(data) - 3000, 2500):
        data[start : start + 40] = os.urandom(40)
    (tmp_path / name).write_bytes(data)
    probe = "import sys\nfrom devices.cameras.video_file import VideoFile\nfrom devices.errors import CameraError\ntry: list(VideoFile(sys.argv[1]))\nexcept CameraError: pass"
    for path in (tmp_path / name, cut(clips, name, 0.6, tmp_path)):
        done = subprocess.run([sys.executable, "-c", probe, path], capture_output=True, text=True, cwd=ROOT, check=True)
        assert (done.stdout, done.stderr) == ("", "")


def test_importing_the_camera_imports_no_opencv():
    probe = "import sys, devices.cameras.video_file; sys.exit('cv2' in sys.modules)"
    subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=True)


def test_containers_are_told_by_their_content(clips):
    told = {name: container_of((clips / name).read_bytes()[:1024]) for name in CODECS}
    assert told == {"clip.mp4": "MP4", "clip.avi": "AVI", "clip.mkv": "Matroska", "clip.webm": "Matroska"}
    packet = b"G" + bytes(187)
    assert container_of(packet * 5) == "MPEG-TS"
    assert container_of((bytes(4) + packet) * 5) == "MPEG-TS"
    assert container_of(b"G" * 3) is None


@pytest.mark.parametrize(
    "change",
    [
        {"image": np.zeros((4, 4), np.uint8)},
        {"image": np.zeros((4, 4, 3), np.float32)},
        {"time_s": float("nan")},
        {"index": -1},
    ],
)
def test_frame_checks_itself(change):
    with pytest.raises(ValueError, match="expected"):
        Frame(**{"image": np.zeros((4, 4, 3), np.uint8), "time_s": 0.0, "index": 0, **change})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(CODECS)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=30)), max_size=4),
    st.floats(0, 1),
)
def test_damaged_videos_raise_camera_error_and_nothing_else(clips, tmp_path, name, changes, kept):
    data = bytearray((clips / name).read_bytes())
    for where, content in changes:
        start = int(where**2 * (len(data) - len(content)))
        data[start : start + len(content)] = content
    path = tmp_path / name
    path.write_bytes(data[: round(len(data) * min(1.0, kept * 1.3))])
    start_s = time.perf_counter()
    frames, error = read_all(path)
    assert time.perf_counter() - start_s < 5
    assert len(frames) <= 2 * FRAMES
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    assert frames or error is not None
