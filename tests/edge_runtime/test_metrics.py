"""What Prometheus reads: held against the format's grammar here, and against Prometheus' own parser where it is installed."""

import re
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from edge_runtime.errors import OutputError
from edge_runtime.live.metrics import LiveMetrics
from edge_runtime.metrics import CONTENT_TYPE, Registry
from edge_runtime.sinks.background import Delivery
from edge_runtime.sinks.metrics_server import MetricsServer
from edge_runtime.sinks.mqtt import Delivered
from tests.support import ROOT

VALUE = r"(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(rf"([a-zA-Z_]\w*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? ({VALUE})")


def samples(text):
    """{name and labels: value}, after each line was held against the grammar of the text format 0.0.4."""
    found, typed = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("#"):
            word, name, rest = line[2:].split(" ", 2)
            assert word in ("HELP", "TYPE")
            if word == "TYPE":
                assert name not in typed, "each type is said once, before its samples"
                typed[name] = rest
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in typed else name
        assert family in typed, line
        key = f"{name}{{{labels}}}" if labels else name
        assert key not in found, "no sample twice"
        found[key] = float(value)
    return found


def filled():
    metrics = LiveMetrics('b"un\\dle\n', "ab12", "haar")
    for _ in range(3):
        metrics.frame({"detect": 0.004, "classify": 0.0007}, 0.03, 2)
    metrics.drops(3, 1)
    metrics.label_changed("happy")
    metrics.status({"camera": "no frame"}, "cpu", 61.5)
    metrics.deliveries(Delivery(5, 1, 2, ""), Delivered(True, 7, 0, 0, 1, ""))
    return metrics


def test_every_line_follows_the_grammar_and_says_what_was_counted():
    found = samples(filled().registry.render())
    assert found['fer_edge_frames_total{result="processed"}'] == 3
    assert found['fer_edge_frames_total{result="dropped"}'] == 4
    assert found["fer_edge_faces"] == 2
    assert found['fer_edge_degraded{subject="camera"}'] == 1
    assert found["fer_edge_temperature_celsius"] == 61.5
    assert found['fer_edge_log_events_total{result="lost"}'] == 1
    assert found['fer_edge_mqtt_events_total{result="sent"}'] == 7
    assert found['fer_edge_stage_seconds_bucket{stage="detect",le="0.0025"}'] == 0
    assert found['fer_edge_stage_seconds_bucket{stage="detect",le="0.005"}'] == 3
    assert found['fer_edge_stage_seconds_bucket{stage="detect",le="+Inf"}'] == 3
    assert found['fer_edge_stage_seconds_sum{stage="detect"}'] == pytest.approx(0.012)
    assert any(r"b\"un\\dle\n" in key for key in found)


def test_prometheus_own_parser_reads_the_same():
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")
    text = filled().registry.render()
    theirs = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert len(theirs) == len(samples(text))
    assert theirs["fer_edge_frames_total", (("result", "processed"),)] == 3
    assert dict(next(labels for name, labels in theirs if name == "fer_edge_info"))["bundle"] == 'b"un\\dle\n'


def test_a_fault_that_is_over_is_gone():
    metrics = filled()
    metrics.status({}, "edgetpu:usb:0")
    found = samples(metrics.registry.render())
    assert not [key for key in found if key.startswith("fer_edge_degraded{")]
    assert [key for key in found if key.startswith("fer_edge_accelerator{")] == [
        'fer_edge_accelerator{name="edgetpu:usb:0"}'
    ]


def test_misuse_is_refused():
    registry = Registry()
    counter = registry.counter("a_total", "text", ("kind",))
    counter.set(5, "x")
    for wrong in (
        lambda: counter.add(-1, "x"),
        lambda: counter.set(4, "x"),
        lambda: counter.add(1),
        lambda: registry.counter("a_total", "again"),
        lambda: registry.counter("without_its_ending", "text"),
        lambda: registry.gauge("1st", "text"),
        lambda: registry.histogram("h", "text", (2, 1)),
    ):
        with pytest.raises(ValueError, match="expected"):
            wrong()


def test_counts_of_many_threads_add_up():
    counter = Registry().counter("a_total", "text")
    threads = [threading.Thread(target=lambda: [counter.add(1) for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(counter.render())[-1] == "a_total 8000"


def test_every_metric_stands_in_the_document_and_no_other():
    named = set(re.findall(r"`(fer_edge_\w+)`", (ROOT / "docs" / "outputs.md").read_text()))
    assert named == set(LiveMetrics().registry.names())


def fetch(port, path="/metrics", host=None, data=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data)
    if host:
        request.add_header("Host", host)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def test_the_page_is_served_to_this_machine_and_to_nobody_else():
    with MetricsServer(0, lambda: filled().registry.render()) as server:
        text, kind = fetch(server.port)
        assert samples(text)["fer_edge_faces"] == 2
        assert kind == CONTENT_TYPE
        for options, code in (({"path": "/"}, 404), ({"host": "evil.example:80"}, 403), ({"data": b"x"}, 501)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                fetch(server.port, **options)
            assert refused.value.code == code
            refused.value.close()
        assert server._server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_refused_and_a_silent_client_keeps_nobody_waiting_for_long():
    with MetricsServer(0, lambda: "") as server:
        with pytest.raises(OutputError, match=r"another metrics\.port"):
            MetricsServer(server.port, lambda: "")
        with socket.create_connection(("127.0.0.1", server.port)):
            assert fetch(server.port)[0] == ""
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 5
