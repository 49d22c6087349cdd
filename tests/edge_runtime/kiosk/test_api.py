"""What programs get: state, events, pictures, health, and answers to pictures that they send."""

import re
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra [kiosk] is not installed")
pytest.importorskip("starlette", reason="the extra [kiosk] is not installed")

import http.client

from edge_runtime.kiosk.app import About
from edge_runtime.kiosk.openapi import openapi_document
from edge_runtime.kiosk.upload import MOST_BYTES
from edge_runtime.live.events import CHANGED, DEGRADED, Event
from edge_runtime.live.hub import Seen
from edge_runtime.live.state import LiveState
from edge_runtime.sinks.event_log import EventLog
from tests.edge_runtime.kiosk.stage import face, seen, stage
from tests.edge_runtime.test_metrics import samples
from tests.support import ROOT, wait_for

PORTRAIT = (ROOT / "edge_runtime" / "demo" / "astronaut.jpg").read_bytes()


@pytest.fixture(scope="module")
def running():
    with stage([face(), face("sad", 0.6, "b2")]) as running:
        wait_for(lambda: running.hub.newest.number > 3)
        yield running


@pytest.fixture
def still():
    """A server whose hub is filled by the test alone."""
    with stage(runs=False) as still:
        yield still


def holds(schema, value, where="answer"):
    """Whether a value is what a schema of our document says: the few words of JSON Schema that it uses."""
    if "$ref" in schema:
        schema = openapi_document(False)["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        assert value is None or holds(schema["anyOf"][0], value, where)
        return True
    if "enum" in schema:
        assert value in schema["enum"], where
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), (where, value)
    if schema.get("type") == "object" and "properties" in schema:
        assert set(value) == set(schema["required"]), where
        for name, part in schema["properties"].items():
            holds(part, value[name], f"{where}.{name}")
    for item in value if schema.get("type") == "array" and "items" in schema else ():
        holds(schema["items"], item, f"{where}[]")
    return True


def test_every_json_answer_is_what_the_document_says(running):
    document = running.ask("/openapi.json").json()
    asked = 0
    for path, item in document["paths"].items():
        content = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in content:
            answer = running.ask(path)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            holds(content["application/json"]["schema"], answer.json(), path)
            asked += 1
    assert asked >= 6
    for name in re.findall(r'#/components/schemas/(\w+)"', running.ask("/openapi.json").body.decode()):
        assert name in document["components"]["schemas"]


def test_the_state_tells_who_is_there(running):
    state = running.ask("/api/state").json()
    assert (state["expression"], [each["track"] for each in state["faces"]]) == ("happy", ["a1", "b2"])
    assert state["faces"][0]["box"] == {"left": 200.0, "top": 120.0, "right": 360.0, "bottom": 300.0}
    assert state["frame"] == {"width": 640, "height": 480}


def test_a_picture_is_answered_with_its_faces(running):
    answer = running.ask("/api/predict", "POST", PORTRAIT, Content_Type="image/jpeg")
    assert answer.status == 200
    found = answer.json()
    holds({"$ref": "#/components/schemas/Prediction"}, found)
    (one,) = found["faces"]
    assert one["box"]["left"] < one["box"]["right"] <= found["width"]
    assert sum(one["emotions"].values()) == pytest.approx(1, abs=0.01)


def form(*parts, boundary="xyz"):
    body = b""
    for name, filename, data in parts:
        shown = f'; filename="{filename}"' if filename else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def test_a_form_is_taken_as_browsers_send_it(running):
    body = form(("note", "", b"hello"), ("picture", "me.jpg", PORTRAIT))
    answer = running.ask("/api/predict", "POST", body, Content_Type="multipart/form-data; boundary=xyz")
    assert (answer.status, len(answer.json()["faces"])) == (200, 1)


def test_a_picture_without_a_face_is_an_answer(running):
    data = cv2.imencode(".png", np.full((60, 80, 3), 128, np.uint8))[1].tobytes()
    answer = running.ask("/api/predict", "POST", data, Content_Type="image/png")
    assert (answer.status, answer.json()["faces"], answer.json()["width"]) == (200, [], 80)


def png_that_claims(width, height):
    data = bytearray(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(data)


BAD = {
    "nothing": (b"", "image/jpeg", 400),
    "no picture": (b"hello world " * 10, "image/jpeg", 415),
    "text": (b"hello", "text/plain", 415),
    "curl's default": (PORTRAIT, "application/x-www-form-urlencoded", 415),
    "a kind that is not read": (b"GIF89a\x01\0\x01\0\0\0\0;", "image/gif", 415),
    "cut off": (PORTRAIT[: len(PORTRAIT) // 2], "image/jpeg", 422),
    "a forged size": (png_that_claims(60_000, 60_000), "image/png", 422),
    "a form without a boundary": (form(("a", "b", PORTRAIT)), "multipart/form-data", 400),
    "a form that is cut off": (form(("a", "b", PORTRAIT))[:-20], "multipart/form-data; boundary=xyz", 400),
    "a form with another boundary": (form(("a", "b", PORTRAIT)), "multipart/form-data; boundary=other", 400),
    "an empty form": (form(), "multipart/form-data; boundary=xyz", 400),
    "a part's endless headers": (
        b"--xyz\r\n" + b"X-A: " + b"a" * 100_000 + b"\r\n\r\nx\r\n--xyz--\r\n",
        "multipart/form-data; boundary=xyz",
        400,
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_picture_is_refused_in_words(running, what):
    body, kind, status = BAD[what]
    answer = running.ask("/api/predict", "POST", body, Content_Type=kind)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert "expected" in problem["detail"]
    assert "Traceback" not in problem["detail"]


def test_a_huge_upload_is_refused_before_it_is_sent(running):
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=20)
    connection.putrequest("POST", "/api/predict")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", "50000000")
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("connection")) == (413, "close")
    connection.close()


def test_a_huge_upload_without_a_length_is_cut_off(running):
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=20)
    chunks = (b"x" * 1_000_000 for _ in range(MOST_BYTES // 1_000_000 + 30))
    try:
        connection.request("POST", "/api/predict", chunks, {"Content-Type": "image/jpeg"}, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the sender was cut off before it looked for an answer
    finally:
        connection.close()


def read_until(port, path, wanted, seconds=20, headers=None):
    """What an endless answer says until a pattern is found in it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    assert answer.status == 200
    data, deadline = b"", time.monotonic() + seconds
    while not re.search(wanted, data):
        assert time.monotonic() < deadline, data[-500:]
        data += answer.read1(65536)
    connection.close()
    return data


def test_the_live_picture_is_jpeg_after_jpeg_with_boxes(running):
    data = read_until(running.server.port, "/api/stream", rb"(?s)(--fer-edge-frame.*){4}")
    heads = re.findall(rb"Content-Length: (\d+)\r\nX-Number: (\d+)\r\nX-Faces: (\[.*?\])\r\n\r\n\xff\xd8", data)
    assert len(heads) >= 3
    numbers = [int(number) for _, number, _ in heads]
    assert numbers == sorted(set(numbers))
    assert heads[0][2] == b'[["a1",0.3125,0.25,0.5625,0.625],["b2",0.3125,0.25,0.5625,0.625]]'


def test_a_frame_is_there_at_once_for_who_opens_the_page(still):
    still.hub.put(seen(0, [face()]))
    wait_for(lambda: still.ask("/api/state").json()["number"] == 1)
    assert b"\xff\xd8" in read_until(still.server.port, "/api/stream", rb"\xff\xd9\r\n")


def test_pictures_are_encoded_only_while_somebody_looks(running):
    wait_for(lambda: running.hub.watchers == 0)
    connection = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=20)
    connection.request("GET", "/api/stream")
    connection.getresponse().read1(1000)
    assert running.hub.watchers == 1
    connection.close()
    wait_for(lambda: running.hub.watchers == 0)


def test_head_of_a_stream_ends(running):
    answer = running.ask("/api/stream", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_events_come_once_and_are_made_up_for_after_a_break(still):
    still.hub.put(seen(), [Event(CHANGED, 1.0, 2.0, "a1", "happy", 0.5), Event(DEGRADED, 2.0, 3.0, label="camera")])
    wait_for(lambda: still.ask("/api/state").json()["number"] == 1)
    fresh = read_until(still.server.port, "/api/events", rb"event: state\ndata: .*\n\n")
    assert b"event: happened" not in fresh
    again = read_until(still.server.port, "/api/events", rb"event: state", headers={"Last-Event-ID": "1"})
    assert re.findall(rb"id: (\d+)", again) == [b"2"]
    earlier_run = read_until(still.server.port, "/api/events", rb"event: state", headers={"Last-Event-ID": "999"})
    assert b"id:" not in earlier_run


def test_the_state_is_sent_each_second_even_when_nothing_happens(still):
    began = time.monotonic()
    read_until(still.server.port, "/api/events", rb"(?s)(event: state.*){3}")
    assert time.monotonic() - began < 15


def test_a_lost_camera_and_a_silent_loop_are_named(still):
    def health():
        answer = still.ask("/healthz")
        return answer.status, answer.json()["status"], sorted(answer.json()["faults"])

    still.hub.put(seen())
    wait_for(lambda: health() == (200, "ok", []))
    still.hub.put(Seen(None, LiveState(faults={"camera": "no frame for 3 s"})))
    wait_for(lambda: health() == (200, "degraded", ["camera"]))
    wait_for(lambda: health() == (503, "failing", ["camera", "loop"]))
    still.hub.put(seen())
    wait_for(lambda: health() == (200, "ok", []))


def test_the_history_has_a_row_a_second_and_refuses_nonsense(running):
    wait_for(lambda: len(running.ask("/api/history").json()["rows"]) >= 2)
    found = running.ask("/api/history?seconds=1").json()
    assert len(found["rows"]) == 1
    row = dict(zip(found["columns"], found["rows"][-1], strict=True))
    assert (row["expression"], row["faces"]) == ("happy", 2)
    assert 10 < row["latency_ms"] < 40
    for wrong in ("0", "x", "-1", "901", "9" * 400):
        assert running.ask(f"/api/history?seconds={wrong}").status == 400


def test_metrics_are_the_loops(running):
    answer = running.ask("/metrics")
    assert samples(answer.body.decode())["fer_edge_faces"] == 2
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_the_log_is_handed_out_where_there_is_one(tmp_path):
    path = tmp_path / "events.db"
    log = EventLog(path)
    log.append([Event(CHANGED, 1.0, 2.0, "a1", "happy", 0.5)])
    log.close()
    with stage(runs=False, about=About(log=path)) as still:
        answer = still.ask("/api/log")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/jsonl")
        assert b'"label": "happy"' in answer.body
        path.write_bytes(b"no database at all, sorry" * 100)
        assert still.ask("/api/log").status == 404
    with stage(runs=False) as still:
        assert still.ask("/api/log").status == 404
