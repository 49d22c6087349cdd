"""Schemathesis asks what the OpenAPI document allows and what it does not, and finds no answer that the document does not describe."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

from edge_runtime.kiosk.app import About
from edge_runtime.live.events import CHANGED, Event
from edge_runtime.pipeline import load
from edge_runtime.sinks.event_log import EventLog
from tests.edge_runtime.kiosk.stage import face, stage
from tests.support import TINY_GREY

PROGRAM = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or shutil.which("schemathesis")
TOKEN = "correct-horse-battery-staple"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no schemathesis (pip install schemathesis)")


@pytest.mark.parametrize("token", ["", TOKEN], ids=["open", "with a token"])
def test_every_answer_is_one_that_the_document_describes(token, tmp_path):
    log = EventLog(tmp_path / "events.db")
    log.append([Event(CHANGED, 1.0, 2.0, "a1", "happy", 0.5)])
    log.close()
    secret = tmp_path / "token"
    secret.write_text(token)
    about = About("synthetic", "tiny", "ab" * 32, log=tmp_path / "events.db", open_recognizer=lambda: load(TINY_GREY))
    with stage([face()], about=about, token_file=str(secret) if token else "") as running:
        command = [PROGRAM, "--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run"]
        command += [running.server.url + "openapi.json", "--checks", "all", "--seed", "1", "--continue-on-failure"]
        command += ["--header", f"Authorization: Bearer {token}"] if token else []
        found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    # All but the two without an end, and the document itself.
    assert re.search(r"Tested: +8\b", found.stdout), found.stdout
    assert "Missing test data" not in found.stdout
