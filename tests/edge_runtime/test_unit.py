"""Unit files: right by systemd's own judgement, shut in, and hostile names cannot change what is run."""

import contextlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_runtime.errors import ServiceError
from edge_runtime.settings.service import ServiceSettings
from edge_runtime.unit import MARK, Unit, kiosk_entry, unit_text

TRUE = shutil.which("true")


def settings_of(text):
    """{key: [values]} of a unit file."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_a_unit_is_watched_restarted_for_ever_and_bounded():
    found = settings_of(unit_text(Unit((TRUE,), ServiceSettings(watchdog_s=20, memory_mb=300), "pi")))
    assert found["Type"] == ["notify"]
    assert found["WatchdogSec"] == ["20"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["MemoryMax"] == ["300M"]
    assert found["User"] == ["pi"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["SupplementaryGroups"] == ["video"]
    assert "char-video4linux rw" in found["DeviceAllow"]
    assert found["WantedBy"] == ["multi-user.target"]


def test_a_user_unit_has_nothing_that_a_users_manager_cannot_do():
    found = settings_of(unit_text(Unit((TRUE,), ServiceSettings())))
    assert not {"User", "SupplementaryGroups", "DeviceAllow", "DevicePolicy", "ProtectSystem", "StateDirectory"} & set(
        found
    )
    assert found["WantedBy"] == ["default.target"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
@pytest.mark.parametrize("user", ["", "root"])
def test_systemd_finds_no_fault_in_the_unit(tmp_path, user):
    unit = Unit((TRUE, "a b", "100%", "$HOME"), ServiceSettings(), user, (Path("/srv/a b/log"), Path("/srv/100%")))
    text = unit_text(unit)
    assert judged(tmp_path, text, user) == []
    assert judged(tmp_path, text.replace("Restart=always", "Restart=sometimes"), user), "the judge sees faults"


def judged(tmp_path, text, user):
    """What `systemd-analyze verify` says of the unit; no bus and no running systemd are needed."""
    path = tmp_path / "fer-edge.service"
    path.write_text(text)
    outcome = subprocess.run(
        ["systemd-analyze", *([] if user else ["--user"]), "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert "Failed to initialize" not in outcome.stderr, outcome.stderr
    return [line for line in outcome.stderr.splitlines() if "fer-edge" in line]


@pytest.mark.parametrize("name", ["a b", "$(reboot)", '"', "100%", "a;b", "ä", "back\\slash"])
def test_a_strange_path_is_one_word_of_the_command(name):
    (line,) = settings_of(unit_text(Unit((TRUE, "run", f"/x/{name}", "end"), ServiceSettings())))["ExecStart"]
    assert line.startswith(f"{TRUE} run ")
    assert line.endswith(" end")
    word = line[len(f"{TRUE} run ") : -len(" end")]
    plain = word[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\") if word.startswith('"') else word
    assert plain.replace("%%", "%").replace("$$", "$") == f"/x/{name}"
    assert (" " in word) <= word.startswith('"')


def test_a_line_break_cannot_add_a_setting():
    with pytest.raises(ServiceError, match="printable"):
        unit_text(Unit((TRUE, "a\nUser=root"), ServiceSettings()))
    with pytest.raises(ServiceError, match="account"):
        Unit((TRUE,), ServiceSettings(), "pi\nUser=root")
    with pytest.raises(ValueError, match="absolute"):
        Unit(("python",), ServiceSettings())


class Refusing(http.server.BaseHTTPRequestHandler):
    """A page that wants a token."""

    def do_GET(self):
        self.send_error(401)

    def log_message(self, *_):
        pass


def test_the_kiosk_waits_for_its_page_and_opens_it_full_screen_also_where_it_asks_for_a_token(tmp_path):
    """The entry's command is taken apart as a desktop does, and run with a fake browser."""
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/?a=1&b=2"
        assert opened(tmp_path, url, 30) == ["--kiosk", url]
        server.shutdown()
    assert opened(tmp_path, "http://127.0.0.1:1/", 3) is None, "nobody is there"


def opened(tmp_path, url, seconds):
    """The first and the last word that the browser is given within so many seconds; None where it is not started."""
    entry = kiosk_entry(url, sys.executable)
    assert entry.startswith(MARK)
    (line,) = [line for line in entry.splitlines() if line.startswith("Exec=")]
    prefix = 'Exec=/bin/sh -c "'
    assert line.startswith(prefix)
    quoted = line[len(prefix) : -1].replace("%%", "%").replace("\\\\", "\\")
    script, index = "", 0
    while index < len(quoted):
        index += quoted[index] == "\\"
        script += quoted[index]
        index += 1
    tools, seen = tmp_path / "bin", tmp_path / "seen"
    tools.mkdir(exist_ok=True)
    seen.unlink(missing_ok=True)
    (tools / "chromium").write_text(f'#!/bin/sh\necho "$@" > {seen}; kill $PPID\n')
    (tools / "chromium").chmod(0o755)
    with contextlib.suppress(subprocess.TimeoutExpired):
        environment = {"PATH": f"{tools}:/usr/bin:/bin"}
        subprocess.run(["/bin/sh", "-c", script], env=environment, timeout=seconds, check=False)
    if not seen.exists():
        return None
    words = seen.read_text().split()
    return [words[0], words[-1]]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://a b", "http://a/';reboot;'", "http://a/$(reboot)", ""])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ServiceError, match="kiosk_url"):
        kiosk_entry(url, sys.executable)
