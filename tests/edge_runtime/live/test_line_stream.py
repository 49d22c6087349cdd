"""Promises of lines to a reader who may not read: whole or not at all, counted, and never waited for without end."""

import fcntl
import os
import threading
import time

import pytest

from edge_runtime.live.line_stream import LineStream

LINE = "x" * 999 + "\n"


@pytest.fixture
def pipe():
    """A pipe that holds one page."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def say(stream, text):
    stream.write(text)
    stream.flush()


def test_a_reader_that_does_not_read_loses_whole_lines_and_they_are_counted(pipe):
    reader, writer = pipe
    stream = LineStream(writer, threading.Event())
    for index in range(20):
        say(stream, f"{index:04}{LINE[4:]}")
    assert stream.lost > 0
    assert stream.written + stream.lost == 20
    assert "does not keep up" in stream.problem
    seen = os.read(reader, 65536).decode()
    assert [int(line[:4]) for line in seen.splitlines()] == list(range(stream.written))
    say(stream, "after\n")
    assert os.read(reader, 65536) == b"after\n"
    assert stream.problem == ""


def test_a_line_longer_than_the_pipe_is_ended_before_another_begins(pipe):
    reader, writer = pipe
    stream = LineStream(writer, threading.Event())
    say(stream, "a" * 6000 + "\n")
    say(stream, "lost\n")
    text = os.read(reader, 65536)
    say(stream, "lost too\n" * 1000)  # the pipe is full again with the rest of the first
    text += os.read(reader, 65536)
    say(stream, "b\n")
    text += os.read(reader, 65536)
    assert text.decode() == "a" * 6000 + "\nb\n"
    assert (stream.written, stream.lost) == (2, 2)


def test_of_a_recording_no_line_is_lost_until_the_end_is_asked_for(pipe):
    reader, writer = pipe
    stop, seen = threading.Event(), []

    def read():
        while sum(map(len, seen)) < 8 * len(LINE):
            time.sleep(0.05)
            seen.append(os.read(reader, 65536))

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    stream = LineStream(writer, stop, lossless=True)
    for _ in range(8):
        say(stream, LINE)
    reading.join(20)
    assert (stream.written, stream.lost, b"".join(seen).decode()) == (8, 0, LINE * 8)
    threading.Timer(0.3, stop.set).start()
    for _ in range(9):
        say(stream, LINE)
    assert stream.lost > 0


def test_a_full_disk_and_a_reader_that_has_gone_are_told_apart(pipe):
    reader, writer = pipe
    with open("/dev/full", "w") as full:
        stream = LineStream(full.fileno(), threading.Event())
        say(stream, LINE)
    assert (stream.lost, stream.problem) == (1, "records cannot be written: No space left on device")
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        say(LineStream(writer, threading.Event()), LINE)
