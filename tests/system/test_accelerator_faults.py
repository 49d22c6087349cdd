"""Promises of an accelerator that hangs, crashes, refuses or vanishes: the shipped fake does all of it."""

import os
import time

import numpy as np
import pytest

from devices.engine import EngineDeadlines, SupervisedEngine
from devices.errors import AcceleratorError
from edge_runtime.bundle import read_bundle
from edge_runtime.interpreter import Model
from tests.support import TINY_GREY

LOADER = "tests.devices.toy_engine:load"
BATCH = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
QUICK = EngineDeadlines(run_s=0.5, rest_s=60, look_s=0.1)


def engine(spec, **options):
    return SupervisedEngine(spec, b"12345", LOADER, **{"deadlines": QUICK, **options})


def answers(supervised, runs, pause_s=0.0):
    """Runs that many batches, each answered rightly; returns (where, seconds) of each."""
    found = []
    for _ in range(runs):
        began = time.monotonic()
        output = supervised.run(BATCH)
        found.append((supervised.state.running_on, time.monotonic() - began))
        assert output.dtype == np.int16
        assert (output == BATCH.astype(np.int16) + 5).all()
        time.sleep(pause_s)
    return found


def until(supervised, running_on, within_s):
    """Runs batches until they are answered there."""
    began = time.monotonic()
    while supervised.state.running_on != running_on and time.monotonic() - began < within_s:
        answers(supervised, 1, 0.02)
    assert supervised.state.running_on == running_on
    return time.monotonic() - began


@pytest.mark.parametrize("fault", ["hang", "crash", "fail"])
def test_an_accelerator_that_hangs_or_crashes_is_replaced_within_five_seconds_and_every_batch_is_answered(fault):
    with engine(f"fake?fault={fault}@5:1", deadlines=EngineDeadlines()) as supervised:
        assert {where for where, _ in answers(supervised, 5)} == {"fake"}
        began = time.monotonic()
        ((where, took_s),) = answers(supervised, 1)
        assert where == "cpu"
        assert took_s < 4
        assert supervised.state.fault
        until(supervised, "fake", 10)
        assert time.monotonic() - began < 5
        state = supervised.state
        assert (state.failures, state.replaced, state.fault) == (1, 1, "")


def test_after_three_failures_the_processor_takes_over_and_the_state_says_so(caplog):
    with engine("fake?fault=crash@3") as supervised:
        answers(supervised, 3)
        began = time.monotonic()
        while supervised.state.failures < 3 and time.monotonic() - began < 15:
            answers(supervised, 1, 0.02)
        children = supervised._child
        assert {where for where, _ in answers(supervised, 30, 0.01)} == {"cpu"}
        assert supervised._child is children is None
        assert "3 failures" in supervised.state.fault
        assert supervised.state.mend
    assert "3 failures" in caplog.text


def test_an_accelerator_that_was_rested_is_tried_again():
    with engine("fake?fault=crash@2:3", deadlines=EngineDeadlines(run_s=0.5, rest_s=20, look_s=0.1)) as supervised:
        answers(supervised, 2)
        while supervised.state.failures < 3:
            supervised._runs = min(supervised._runs, 4)  # the script goes by runs, and waiting for a process takes many
            answers(supervised, 1, 0.02)
        supervised._runs = 10
        supervised._retry_at_s = time.monotonic()
        until(supervised, "fake", 10)


def test_an_absent_accelerator_leaves_the_work_to_the_processor_and_is_taken_when_it_comes():
    with engine("fake?fault=absent@0:10") as supervised:
        assert {where for where, _ in answers(supervised, 9)} == {"cpu"}
        assert "not there" in supervised.state.fault
        assert supervised.state.failures == 0
        until(supervised, "fake", 10)
        assert supervised.state.fault == ""


def test_an_accelerator_that_refuses_the_model_is_named():
    with engine("fake?fault=refuse@0") as supervised:
        answers(supervised, 1)
        assert supervised.state.running_on == "cpu"
        assert "refuses" in supervised.state.fault


def test_a_slow_accelerator_is_not_taken_for_a_hung_one():
    with engine("fake?fault=slow@1:1&slow_s=0.2") as supervised:
        places = answers(supervised, 3)
        assert [where for where, _ in places] == ["fake"] * 3
        assert places[1][1] >= 0.2


def test_no_process_or_descriptor_stays_over_faults():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with engine("fake?fault=crash@1:1") as supervised:
            answers(supervised, 2)
            until(supervised, "fake", 10)
    supervised.close()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    with pytest.raises(AcceleratorError, match="run after close"):
        supervised.run(BATCH)


def test_the_processor_needs_no_process_of_its_own():
    with engine("cpu?threads=2") as supervised:
        assert {where for where, _ in answers(supervised, 3)} == {"cpu"}
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def test_a_real_model_gives_the_same_bits_in_the_child_process_as_here():
    content = read_bundle(TINY_GREY).model
    model = Model(content)
    batch = np.random.default_rng(3).integers(0, 256, model.input.shape).astype(model.input.dtype)
    with SupervisedEngine("fake", content, "edge_runtime.interpreter:load_engine") as supervised:
        assert (supervised.run(batch) == model.run(batch)).all()
        assert supervised.state.running_on == "fake"


def test_without_an_edge_tpu_the_processor_answers_and_says_why():
    content = read_bundle(TINY_GREY).model
    model = Model(content)
    batch = np.zeros(model.input.shape, model.input.dtype)
    with SupervisedEngine("edgetpu:usb:7", content, "edge_runtime.interpreter:load_engine") as supervised:
        assert (supervised.run(batch) == model.run(batch)).all()
        assert supervised.state.running_on == "cpu"
        assert "edgetpu:usb:7: not there" in supervised.state.fault
