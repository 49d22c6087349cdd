"""Who is answered: the right host, the right site, the right token; and how the server bears those who mean ill."""

import re
import socket
import time

import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

import contextlib

from edge_runtime.errors import ConfigError, OutputError, UsageError
from edge_runtime.kiosk import connection
from edge_runtime.kiosk.access import Access, access_of
from edge_runtime.kiosk.assets import ASSETS, page_file
from edge_runtime.kiosk.server import listen
from edge_runtime.settings.kiosk import KioskSettings
from tests.edge_runtime.kiosk.stage import face, stage
from tests.support import wait_for

TOKEN = "correct-horse-battery-staple"
PATHS = ("/", "/picture", "/keeper", "/api/state", "/api/stream", "/api/events", "/api/keeper", "/api/log", "/healthz",
         "/metrics", "/openapi.json", "/api/history", "/api/setup", "/nowhere")  # fmt: skip


@pytest.fixture(scope="module")
def open_stage():
    with stage([face()]) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    file = tmp_path_factory.mktemp("secret") / "token"
    file.write_text(TOKEN + "\n")
    with stage([face()], token_file=str(file)) as running:
        yield running


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example:8080", "a b", "[::1", "localhost@evil.example"]
)
def test_a_forged_host_is_refused(open_stage, host):
    for path in ("/", "/api/state", "/assets/kiosk.js"):
        answer = open_stage.ask(path, host=host)
        assert answer.status == 403
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8080", "LOCALHOST", "localhost.", "[::1]:80", "192.168.1.7:8080", socket.gethostname()],
)
def test_a_name_of_this_machine_is_answered(open_stage, host):
    assert open_stage.ask("/healthz", host=host).status in (200, 503)


def test_names_of_the_configuration_are_answered():
    access = access_of(KioskSettings(names="kiosk.example, other.example"))
    assert access.knows_host("Kiosk.example:8080")
    assert not access.knows_host("third.example")
    with pytest.raises(ConfigError, match="host names"):
        access_of(KioskSettings(names="http://kiosk.example"))


def test_another_sites_page_is_refused(open_stage):
    ours = f"http://127.0.0.1:{open_stage.server.port}"
    assert open_stage.ask("/api/predict", "POST", b"", Origin="https://evil.example").status == 403
    assert open_stage.ask("/api/predict", "POST", b"", Origin="null").status == 403
    assert open_stage.ask("/api/predict", "POST", b"", Origin=ours).status == 400
    assert open_stage.ask("/api/stream", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403
    assert open_stage.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200
    assert (
        open_stage.ask("/api/predict", "POST", b"", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status
        == 403
    )


def test_every_answer_forbids_storing_framing_and_foreign_content(open_stage):
    for path in ("/", "/api/state", "/assets/kiosk.js", "/nowhere"):
        headers = open_stage.ask(path).headers
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_told(guarded, path):
    for headers in (
        {},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Basic abc"},
        {"Cookie": f"fer-edge-key={TOKEN}"},
    ):
        answer = guarded.ask(path, **headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN.encode() not in answer.body


def test_with_the_token_programs_are_answered(guarded):
    assert guarded.ask("/api/state", Authorization=f"Bearer {TOKEN}").status == 200
    assert guarded.ask("/api/state?token=" + TOKEN).status == 401, "a token in an address ends up in logs"


def test_a_browser_is_asked_once(guarded):
    asked = guarded.ask("/", Accept="text/html")
    assert (asked.status, asked.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert b'name="token"' in asked.body
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    assert guarded.ask("/token", "POST", b"token=wrong", **kind).status == 401
    assert guarded.ask("/token", "POST", b"token=" + b"x" * 5000, **kind).status == 413
    given = guarded.ask("/token", "POST", f"token={TOKEN}".encode(), **kind)
    assert (given.status, given.headers["location"]) == (303, "/")
    cookie = given.headers["set-cookie"]
    assert TOKEN not in cookie
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    kept = cookie.partition(";")[0]
    assert guarded.ask("/", Accept="text/html", Cookie=kept).status == 200
    assert guarded.ask("/api/state", Cookie=kept).status == 200


def test_a_link_with_the_token_opens_the_page_and_forgets_it(guarded):
    answer = guarded.ask(f"/?token={TOKEN}&lang=de")
    assert (answer.status, answer.headers["location"]) == (303, "/?lang=de")
    assert "set-cookie" in answer.headers
    assert guarded.ask("/?token=wrong-wrong-wrong-wrong").status == 401


def test_outside_this_machine_a_token_is_a_must():
    for host in ("0.0.0.0", "::", "192.168.1.7", "kiosk.example"):
        with pytest.raises(UsageError, match="without a token"):
            access_of(KioskSettings(host=host))
    for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        assert access_of(KioskSettings(host=host)).token == ""


@pytest.mark.parametrize("token", ["short", "x" * 15, "with blanks in the middle of it", "ümläüte-in-a-token-here"])
def test_a_weak_token_is_refused(token):
    with pytest.raises(ConfigError) as refused:
        Access(frozenset(), token)
    assert token not in str(refused.value)


def test_other_methods_are_refused_with_those_that_are_taken(open_stage):
    for method, path in (
        ("DELETE", "/"),
        ("PUT", "/api/state"),
        ("GET", "/api/predict"),
        ("BREW", "/healthz"),
        ("POST", "/api/stream"),
    ):
        answer = open_stage.ask(path, method)
        assert (answer.status, answer.headers["content-type"]) == (405, "application/problem+json")
        assert answer.headers["allow"]
    assert open_stage.ask("/token", "POST", b"").status == 404


@pytest.mark.parametrize("path", ["/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/assets/%2e%2e%2fapp.py", "/assets//etc/passwd", "/../../etc/passwd", "/assets/kiosk.js%00", "/assets/app.py", "/assets/kiosk.html"])  # fmt: skip
def test_nothing_but_the_pages_files_is_handed_out(open_stage, path):
    answer = open_stage.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def talk(port, data, seconds=20.0):
    """What the server says to some bytes until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as link:
        received = b""
        try:
            link.sendall(data)
            while part := link.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def test_a_large_head_is_refused(open_stage):
    for data in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 65536 + b"\r\n\r\n",
        b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"".join([b"GET / HTTP/1.1\r\nHost: localhost\r\n", *(b"X-%d: a\r\n" % each for each in range(8000)), b"\r\n"]),
    ):
        answer = talk(open_stage.server.port, data)
        assert answer == b"" or (answer.startswith(b"HTTP/1.1 431 ") and b"application/problem+json" in answer)


@pytest.mark.parametrize("data", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\0\x01\0\x01", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"])  # fmt: skip
def test_what_is_no_http_is_refused_in_words(open_stage, data):
    answer = talk(open_stage.server.port, data)
    assert re.match(rb"HTTP/1\.1 400 ", answer)
    assert b"application/problem+json" in answer


def test_a_smuggled_second_length_is_refused(open_stage):
    data = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    assert talk(open_stage.server.port, data).startswith(b"HTTP/1.1 400 ")


def test_half_open_connections_keep_nobody_waiting_and_are_dropped(monkeypatch):
    monkeypatch.setattr(connection, "REQUEST_S", 1.0)
    with stage([face()]) as running:
        links = [socket.create_connection(("127.0.0.1", running.server.port)) for _ in range(200)]
        for number, link in enumerate(links):
            if number % 2:
                link.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert running.ask("/api/state").status == 200
        for link in links:
            link.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                assert link.recv(10) == b""
            link.close()


def test_a_head_that_drips_is_dropped(monkeypatch):
    monkeypatch.setattr(connection, "REQUEST_S", 1.0)
    with stage(runs=False) as running, socket.create_connection(("127.0.0.1", running.server.port), timeout=20) as link:
        deadline = time.monotonic() + 20
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() < deadline:
                link.sendall(b"X")
                time.sleep(0.1)


def test_too_many_connections_push_out_the_oldest_that_asks_nothing(monkeypatch):
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 5)
    with stage([face()]) as running:
        links = [socket.create_connection(("127.0.0.1", running.server.port)) for _ in range(12)]
        assert running.ask("/api/state").status == 200
        links[0].settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert links[0].recv(10) == b""
        for link in links:
            link.close()


def test_a_reader_that_stops_reading_is_dropped_and_others_go_on(monkeypatch):
    monkeypatch.setattr(connection, "STUCK_S", 1.0)
    with stage([face()], every_s=0.005) as running:
        slow = socket.create_connection(("127.0.0.1", running.server.port))
        slow.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: running.hub.watchers == 1)
        before = running.hub.newest.number
        wait_for(lambda: running.hub.watchers == 0, 60)
        assert running.hub.newest.number > before
        assert running.ask("/api/state").status == 200
        slow.close()


def test_a_server_that_closes_hangs_up_on_a_reader_that_stopped_reading_too(monkeypatch):
    monkeypatch.setattr(connection, "_SEND_BUFFER", 4096)
    with stage([face()], every_s=0.005) as running:
        slow = socket.socket()
        slow.settimeout(20)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", running.server.port))
        slow.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: running.hub.watchers == 1)
        shown = running.hub.newest.number
        wait_for(lambda: running.hub.newest.number > shown + 200)  # more than both sides' buffers hold
    with contextlib.suppress(ConnectionResetError):
        while slow.recv(1 << 16):
            pass
    slow.close()


def test_a_taken_port_and_a_foreign_address_are_refused_in_words(open_stage):
    for host, port in (("127.0.0.1", open_stage.server.port), ("203.0.113.5", 8080), ("no such host", 80)):
        with pytest.raises(OutputError, match="port that is free"):
            listen(host, port)


def test_pages_ask_for_nothing_from_elsewhere_and_stay_small():
    weight = 0
    for name in (*(name for name in ASSETS if name not in ("tokens.css", "words.json")), "kiosk.html", "picture.html", "keeper.html", "token.html"):  # fmt: skip
        content = page_file(name)
        weight += len(content)
        found = re.findall(rb"(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]+", content)
        assert set(found) <= {b"http://www.w3.org"}, name
        assert b"style=" not in content.lower() or name.endswith((".js", ".svg")), name
        assert not re.search(rb"<script(?![^>]*src=)|\son\w+=", content), name
    assert weight < 150_000
