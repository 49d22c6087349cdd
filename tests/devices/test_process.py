"""What a process says of itself."""

import subprocess
import sys

import numpy as np
import pytest

from devices.process import age_s, peak_rss_mb
from tests.support import ROOT


def test_peak_memory_grows_with_what_is_held_and_stays():
    before = peak_rss_mb()
    held = np.ones(int(before * 1e6 / 8) + 5_000_000)
    assert peak_rss_mb() > before + 30
    del held
    assert peak_rss_mb() > before + 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
def test_peak_memory_of_a_program_is_not_that_of_its_parent():
    held = np.ones(50_000_000)
    command = [sys.executable, "-c", "from devices.process import peak_rss_mb; print(peak_rss_mb())"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert float(printed) < held.nbytes / 1e6 / 2


def test_age_is_that_of_the_process():
    age = age_s()
    assert age is None or 0 < age < 24 * 3600
