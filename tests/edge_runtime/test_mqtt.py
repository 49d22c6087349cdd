"""MQTT: every event is sent, waiting or counted as lost, whatever the broker does; state is the newest; offline is said."""

import json
import time

import pytest

from edge_runtime.live.events import Event
from edge_runtime.live.state import LiveState, ShownFace
from edge_runtime.settings.outputs import MqttSettings
from edge_runtime.sinks.home_assistant import Topics, discovery
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt_link import FakeLink
from tests.support import wait_for

LABELS = ("happy", "sad", "neutral")
SETTINGS = MqttSettings(url="mqtt://localhost", device="hall", waiting_events=50, state_every_s=0.05)


def event(label):
    return Event("changed", 0.0, 1000.0, "aaaa", str(label), 0.5)


def events_of(link):
    return [json.loads(message.payload)["label"] for message in link.received if message.topic == "fer-edge/hall/event"]


def shown(link):
    return json.loads(link.retained.get("fer-edge/hall/state", b"{}")).get("expression")


@pytest.fixture
def link():
    return FakeLink()


@pytest.fixture
def sink(link):
    with MqttSink(SETTINGS, link, LABELS) as sink:
        yield sink


def test_a_device_introduces_itself_and_is_online(sink, link):
    wait_for(lambda: link.retained.get("fer-edge/hall/availability") == b"online")
    config = json.loads(link.retained["homeassistant/sensor/fer-edge-hall/expression/config"])
    assert config["options"] == ["happy", "sad", "neutral", "uncertain", "nobody"]
    assert config["availability_topic"] == "fer-edge/hall/availability"
    assert config["json_attributes_topic"] == "fer-edge/hall/attributes"
    assert sink.state().connected


def test_state_is_what_a_new_subscriber_gets_with_people_and_problems_as_attributes(sink, link):
    face = ShownFace("aaaa", "happy", 0.876, "", {"happy": 0.876})
    sink.show(LiveState((face,), 14.8, {"accelerator": "lost; the CPU computes"}, "cpu"))
    wait_for(lambda: shown(link) == "happy")
    state = json.loads(link.retained["fer-edge/hall/state"])
    assert state == {"expression": "happy", "score": 0.88, "faces": 1, "frames_per_second": 15, "problem": "ON"}
    attributes = json.loads(link.retained["fer-edge/hall/attributes"])
    assert attributes["people"][0]["track"] == "aaaa"
    assert attributes["problems"] == {"accelerator": "lost; the CPU computes"}
    sink.show(LiveState())
    wait_for(lambda: shown(link) == "nobody")


def test_states_are_sent_no_faster_than_asked_and_the_last_one_wins(link):
    settings = MqttSettings(url="mqtt://localhost", device="hall", state_every_s=0.2)
    with MqttSink(settings, link, LABELS) as sink:
        began = time.monotonic()
        for number in range(300):
            sink.show(LiveState((ShownFace("aaaa", "happy", number / 1000),)))
            time.sleep(0.001)
        sink.show(LiveState((ShownFace("aaaa", "sad", 0.9),)))
        wait_for(lambda: shown(link) == "sad")
        sent = sum(message.topic == "fer-edge/hall/state" for message in link.received)
        assert 2 <= sent <= 2 + (time.monotonic() - began) / 0.2


def test_an_unchanged_state_is_not_sent_again(sink, link):
    for _ in range(5):
        sink.show(LiveState())
        time.sleep(0.06)
    assert sum(message.topic == "fer-edge/hall/state" for message in link.received) == 1


def test_events_arrive_in_order_and_are_counted_once_acknowledged(sink, link):
    sink.put([event(number) for number in range(45)])
    wait_for(lambda: sink.state().sent == 45)
    assert events_of(link) == [str(number) for number in range(45)]


def test_a_broker_that_is_down_at_start_gets_what_waited_and_losses_are_counted():
    link = FakeLink(up=False)
    with MqttSink(SETTINGS, link, LABELS) as sink:
        sink.put([event(number) for number in range(120)])
        wait_for(lambda: "cannot be reached" in sink.state().problem)
        before = sink.state()
        assert (before.sent, before.lost, before.waiting, before.connected) == (0, 70, 50, False)
        link.come_up()
        wait_for(lambda: sink.state().sent == 50)
        assert events_of(link) == [str(number) for number in range(70, 120)]
        assert sink.state().problem == ""


def test_a_broker_that_goes_away_in_the_middle_loses_nothing_that_fits(sink, link):
    sink.show(LiveState((ShownFace("aaaa", "happy", 0.9),)))
    wait_for(lambda: shown(link) == "happy")
    link.acknowledge(False)
    sink.put([event(number) for number in range(10)])
    wait_for(lambda: sink.state().waiting == 10)
    link.go_down()
    assert link.retained["fer-edge/hall/availability"] == b"offline", "the last will"
    wait_for(lambda: not sink.state().connected)
    sink.put([event(number) for number in range(10, 20)])
    sink.show(LiveState((ShownFace("aaaa", "sad", 0.9),)))
    link.retained.clear()
    link.acknowledge(True)
    link.come_up()
    wait_for(lambda: sink.state().sent == 20)
    wait_for(lambda: shown(link) == "sad")
    assert sorted(set(events_of(link)), key=int) == [str(number) for number in range(20)]
    assert link.retained["fer-edge/hall/availability"] == b"online"
    assert "homeassistant/sensor/fer-edge-hall/faces/config" in link.retained
    assert sink.state().connections == 2


def test_a_broker_that_takes_everything_and_answers_nothing_fills_no_memory(sink, link):
    link.acknowledge(False)
    for number in range(300):
        sink.put([event(number)])
        time.sleep(0.0005)
    state = sink.state()
    assert state.sent + state.lost + state.waiting == 300
    assert state.waiting <= 50 + 20


def test_a_broker_that_forgot_everything_is_told_the_state_again(sink, link):
    sink.show(LiveState((ShownFace("aaaa", "happy", 0.9),)))
    wait_for(lambda: shown(link) == "happy")
    link.go_down()
    link.retained.clear()
    link.come_up()
    wait_for(lambda: shown(link) == "happy")


def test_a_state_that_waits_for_a_broker_wakes_nobody_up():
    with MqttSink(SETTINGS, FakeLink(up=False), LABELS) as sink:
        sink.show(LiveState())
        assert sink._patience_s() == 60


def test_home_assistant_that_starts_anew_is_told_again(sink, link):
    wait_for(lambda: sink.state().connected)
    wait_for(lambda: link.retained.get("fer-edge/hall/availability") == b"online")
    link.retained.clear()
    link.say("homeassistant/status", b"online")
    wait_for(lambda: "homeassistant/sensor/fer-edge-hall/expression/config" in link.retained)
    assert link.subscriptions == ("homeassistant/status",)


def test_the_end_sends_what_waits_and_says_offline(link):
    sink = MqttSink(SETTINGS, link, LABELS)
    sink.put([event(number) for number in range(40)])
    sink.show(LiveState((ShownFace("aaaa", "happy", 0.9),)))
    end = sink.close()
    assert (end.sent, end.lost, end.waiting) == (40, 0, 0)
    assert link.retained["fer-edge/hall/availability"] == b"offline"
    assert shown(link) == "happy"
    assert link.stopped
    sink.put([event("late")])
    assert sink.close().lost == 1


def test_the_end_comes_in_time_without_a_broker():
    for link in (FakeLink(up=False), FakeLink()):
        link.acknowledge(False)
        sink = MqttSink(SETTINGS, link, LABELS)
        sink.put([event(number) for number in range(40)])
        began = time.monotonic()
        end = sink.close(timeout_s=0.3)
        assert time.monotonic() - began < 2
        assert (end.lost, end.waiting) == (40, 0)


def test_topics_of_a_strange_name_are_what_home_assistant_takes():
    topics = Topics.of(MqttSettings(url="mqtt://localhost", device="Halle 3 (Süd)"))
    for message in discovery(topics, LABELS):
        node = message.topic.split("/")[2]
        assert node.isascii()
        assert node.replace("-", "").replace("_", "").isalnum()
        assert json.loads(message.payload)["device"]["name"] == "Halle 3 (Süd)"


def test_discovery_can_be_left_out(link):
    settings = MqttSettings(url="mqtt://localhost", device="hall", discovery=False)
    with MqttSink(settings, link, LABELS):
        wait_for(lambda: "fer-edge/hall/availability" in link.retained)
    assert not any(topic.startswith("homeassistant") for topic in link.retained)
    assert link.subscriptions == ()
