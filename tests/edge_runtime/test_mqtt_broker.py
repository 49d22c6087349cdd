"""A real Mosquitto: what an independent subscriber sees of a device that lives, dies, and loses its broker."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge_runtime.errors import ConfigError, UsageError
from edge_runtime.live.events import Event
from edge_runtime.live.state import LiveState, ShownFace
from edge_runtime.settings.outputs import MqttSettings
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt_link import PahoLink
from tests.support import ROOT, wait_for

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

paho = pytest.importorskip("paho.mqtt.client", reason='paho-mqtt is not installed: pip install -e ".[mqtt]"')
broker_needed = pytest.mark.skipif(MOSQUITTO is None, reason="no Mosquitto on this machine: sudo apt install mosquitto")


class Broker:
    """Mosquitto on a free port of this machine; it may be stopped and started again."""

    def __init__(self, folder, lines=("allow_anonymous true",)):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.config = folder / "mosquitto.conf"
        # As root, Mosquitto would give up its rights and could not read the tests' folder.
        own = ["user root"] if os.geteuid() == 0 else []
        self.config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *own, *lines, ""]))
        self.process = None

    def start(self):
        command = [MOSQUITTO, "-c", str(self.config)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.answers)

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def settings(self, **more):
        return MqttSettings(url=f"mqtt://127.0.0.1:{self.port}", device="hall", state_every_s=0.05, **more)


class Subscriber:
    """Somebody else who listens to everything."""

    def __init__(self, port):
        self.heard = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda client, data, message: self.heard.append((message.topic, message.payload))
        self.client.on_connect = lambda client, *rest: client.subscribe("#")
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def last(self, topic):
        return next((payload for heard, payload in reversed(self.heard) if heard == topic), None)

    def events(self):
        return [json.loads(payload)["label"] for topic, payload in self.heard if topic.endswith("/event")]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


def event(label):
    return Event("changed", 0.0, 1000.0, "aaaa", str(label), 0.5)


@broker_needed
def test_an_independent_subscriber_sees_discovery_state_events_and_the_end(broker):
    broker.start()
    subscriber = Subscriber(broker.port)
    try:
        with MqttSink(broker.settings(), PahoLink(broker.settings()), ("happy", "sad")) as sink:
            sink.show(LiveState((ShownFace("aaaa", "happy", 0.9),)))
            sink.put([event(number) for number in range(30)])
            wait_for(lambda: sink.state().sent == 30)
            wait_for(lambda: len(subscriber.events()) == 30)
            wait_for(lambda: subscriber.last("fer-edge/hall/state") is not None)
            assert json.loads(subscriber.last("fer-edge/hall/state"))["expression"] == "happy"
            assert subscriber.last("homeassistant/sensor/fer-edge-hall/expression/config")
            assert subscriber.last("fer-edge/hall/availability") == b"online"
        wait_for(lambda: subscriber.last("fer-edge/hall/availability") == b"offline")
        assert subscriber.events() == [str(number) for number in range(30)]
    finally:
        subscriber.close()


@broker_needed
def test_a_broker_down_at_start_and_in_the_middle_gets_every_event_that_fits(broker):
    settings = broker.settings(waiting_events=20)
    with MqttSink(settings, PahoLink(settings), ("happy",)) as sink:
        sink.put([event(number) for number in range(30)])
        wait_for(lambda: "cannot be reached" in sink.state().problem)
        assert sink.state().lost == 10
        broker.start()
        subscriber = Subscriber(broker.port)
        try:
            wait_for(lambda: sink.state().sent == 20)
            broker.stop()
            wait_for(lambda: not sink.state().connected)
            sink.put([event(number) for number in range(30, 45)])
            broker.start()
            wait_for(lambda: sink.state().sent == 35)
            wait_for(lambda: sink.state().waiting == 0)
            state = sink.state()
            assert (state.lost, state.connections) == (10, 2)
        finally:
            subscriber.close()


@broker_needed
def test_the_last_will_speaks_for_a_killed_process(broker):
    broker.start()
    subscriber = Subscriber(broker.port)
    code = (
        "import time; from edge_runtime.settings.outputs import MqttSettings\n"
        "from edge_runtime.sinks.mqtt import MqttSink; from edge_runtime.sinks.mqtt_link import PahoLink\n"
        f"settings = MqttSettings(url='mqtt://127.0.0.1:{broker.port}', device='hall')\n"
        "sink = MqttSink(settings, PahoLink(settings), ('happy',))\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        wait_for(lambda: subscriber.last("fer-edge/hall/availability") == b"online")
        process.send_signal(signal.SIGKILL)
        wait_for(lambda: subscriber.last("fer-edge/hall/availability") == b"offline")
    finally:
        process.kill()
        process.wait()
        subscriber.close()


@broker_needed
def test_a_password_is_read_from_its_file_and_a_wrong_one_is_said(tmp_path):
    passwords = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin")
    if tool is None:
        pytest.skip("no mosquitto_passwd on this machine")
    passwords.touch(mode=0o600)
    subprocess.run([tool, "-b", str(passwords), "fer", "right"], check=True, capture_output=True)
    broker = Broker(tmp_path, ("allow_anonymous false", f"password_file {passwords}"))
    broker.start()
    try:
        for written, connects in (("right", True), ("wrong", False)):
            secret = tmp_path / "secret"
            secret.write_text(f"{written}\n")
            settings = broker.settings(username="fer", password_file=str(secret))
            with MqttSink(settings, PahoLink(settings), ("happy",)) as sink:
                if connects:
                    wait_for(lambda: sink.state().connected)
                else:
                    wait_for(lambda: "uthori" in sink.state().problem)
                    assert not sink.state().connected
    finally:
        broker.stop()


def test_the_end_comes_in_time_while_a_connection_hangs():
    """A listener that never answers: the connection is made, and then nothing is said."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        settings = MqttSettings(url=f"mqtt://127.0.0.1:{deaf.getsockname()[1]}", device="hall")
        sink = MqttSink(settings, PahoLink(settings), ("happy",))
        sink.put([event(1)])
        began = time.monotonic()
        assert sink.close().lost == 1
        assert time.monotonic() - began < 5


def test_files_that_cannot_be_read_are_refused_before_anything_is_sent(tmp_path):
    for settings in (
        MqttSettings(url="mqtts://localhost", ca_file=str(tmp_path / "nowhere.pem")),
        MqttSettings(url="mqtt://localhost", username="fer", password_file=str(tmp_path / "nowhere")),
    ):
        with pytest.raises(ConfigError, match="nowhere"):
            PahoLink(settings)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "paho", None)
    monkeypatch.setitem(sys.modules, "paho.mqtt", None)
    with pytest.raises(UsageError, match=r"fer-edge\[mqtt\]"):
        PahoLink(MqttSettings(url="mqtt://localhost"))
