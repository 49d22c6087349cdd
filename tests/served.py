"""`fer-edge serve` in a process of its own, with the real live loop, and a short video that it may be given."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import cv2
import numpy as np

from tests.support import ROOT, TINY_GREY, wait_for

PORTRAIT = ROOT / "edge_runtime" / "demo" / "astronaut.jpg"


def clip(path, seconds=3.0, fps=10, size=(320, 240)):
    """A video in which the demo's portrait walks from side to side."""
    portrait = cv2.resize(cv2.imread(str(PORTRAIT)), (200, 200), interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
    assert writer.isOpened()
    for index in range(round(seconds * fps)):
        image = np.full((size[1], size[0], 3), 110, np.uint8)
        left = round((size[0] - 200) * (0.5 + 0.5 * np.sin(index / 5)))
        image[20:220, left : left + 200] = portrait
        writer.write(image)
    writer.release()
    return path


class Served:
    """The command from its start to its end.

    Attributes:
        url: of the page, with a slash at its end.
        error: what stands on standard error so far.
    """

    def __init__(self, folder, source, *arguments, bundle=TINY_GREY):
        self._error = folder / "serve-error.txt"
        command = [sys.executable, "-m", "edge_runtime", "serve", "--source", source, "--port", "0"]
        command += ["--set", f"model.bundle={bundle}", *map(str, arguments)]
        with open(self._error, "wb") as error:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=error, cwd=ROOT)
        wait_for(lambda: self.process.poll() is not None or "the page is" in self.error, 60)
        found = re.search(r"the page is (http://\S+/)", self.error)
        assert found, self.error
        self.url = found[1]

    @property
    def error(self):
        return self._error.read_text()

    def ask(self, path, body=None, **headers):
        """Status and body; a refusal is an answer too."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, body, named), timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()

    def ends(self, number=signal.SIGTERM):
        """Asks it to end; seconds until it did so, rightly."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(30) == 0, self.error
        assert "Traceback" not in self.error
        return time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
