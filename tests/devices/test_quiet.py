"""Promises of the quiet block: decoders' remarks vanish, everything else arrives."""

import os
import subprocess
import sys

from devices.quiet import quiet_libraries
from tests.support import ROOT

REMARKS = """\
[ WARN:0@1.797] global cap.cpp:212 open VIDEOIO(FFMPEG): backend is generally available but can't be used
[ERROR:0@0.097] global loadsave.cpp:865 imdecode_ imdecode_(''): can't read header: OpenCV(4.10.0) error
> WebP backend does not support animated webp images (expected: 'features.has_animation == 0'), where
>     'features.has_animation' is 1
> must be equal to
>     '0' is 0

[mov,mp4,m4a,3gp,3g2,mj2 @ 0x563b10653e40] moov atom not found
libpng warning: iCCP: known incorrect sRGB profile
Corrupt JPEG data: premature end of data segment
OpenCV: FFMPEG: tag 0x30385056/'VP80' is not supported
"""


def test_remarks_vanish_and_other_lines_arrive(capfd):
    with quiet_libraries():
        os.write(2, b"before\n" + REMARKS.encode() + b"Warning: the disk is full\nafter, without an end")
    assert capfd.readouterr() == ("", "before\nWarning: the disk is full\nafter, without an end")


def test_blocks_within_blocks_and_errors_leave_everything_as_it_was(capfd):
    for _ in range(3):
        try:
            with quiet_libraries(), quiet_libraries():
                os.write(2, b"libpng error: x\nkept\n")
                raise KeyError
        except KeyError:
            os.write(2, b"outside\n")
    assert capfd.readouterr().err == "kept\noutside\n" * 3


def test_no_descriptor_is_lost():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        with quiet_libraries(), quiet_libraries():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_process_without_standard_error_and_with_a_closed_one_goes_on():
    probe = "import os; from devices.quiet import quiet_libraries\nwith quiet_libraries(): os.path.exists('.') and print('done')"
    for shell in (f'{sys.executable} -c "$PROBE" 2>&-', f'({sys.executable} -c "$PROBE" 2>&1 >&3 | true) 3>&1'):
        done = subprocess.run(
            ["bash", "-c", shell],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PROBE": probe},
            check=False,
        )
        assert done.stdout == "done\n", shell
