"""What this process cost so far."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

__all__ = ["age_s", "peak_rss_mb"]


def age_s() -> float | None:
    """Seconds since this process was started, imports included; None where the system doesn't tell."""
    try:
        # proc(5): field 22 of /proc/self/stat is the start in clock ticks since boot; the command name may hold spaces.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def peak_rss_mb() -> float:
    """The most memory this process held at once, in MB (10⁶ bytes).

    On Linux from /proc: `getrusage` gives a program the peak of the process that started it, where that was larger.
    """
    try:
        # proc(5): VmHWM, the peak resident set size in kB, of this program alone.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, ValueError, IndexError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
