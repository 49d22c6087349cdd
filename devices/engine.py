"""A model on an accelerator that may hang, crash or vanish: killed in time, replaced, and the processor answers meanwhile.

engine = SupervisedEngine("edgetpu:usb:0", model=for_the_tpu, cpu_model=for_the_cpu,
                          loader="edge_runtime.interpreter:load_engine")
output = engine.run(batch)      # always an answer
engine.state                    # from where, and why
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from devices.backoff import Backoff
from devices.base import Engine
from devices.child import Child, Message, unnamed_file
from devices.engine_child import OUTPUT_AT, find_loader, make_accelerator, read_array, write_array
from devices.errors import AcceleratorError
from devices.spec import Spec, parse_accelerator

__all__ = ["MOST_FAILURES", "EngineDeadlines", "EngineState", "SupervisedEngine"]

_log = logging.getLogger("fer_edge.accelerator")
MOST_FAILURES = 3
"""After so many failures within its time of rest an accelerator is left alone."""


@dataclass(frozen=True)
class EngineDeadlines:
    """In seconds.

    Attributes:
        load_s: starting a process and loading a model in it.
        run_s: one batch.
        stop_s: ending it.
        rest_s: how long an accelerator is left alone after several failures within that time.
        look_s: how often one that is absent is looked for.
    """

    load_s: float = 10.0
    run_s: float = 2.0
    stop_s: float = 1.0
    rest_s: float = 600.0
    look_s: float = 1.0

    def __post_init__(self) -> None:
        for name in ("load_s", "run_s", "stop_s", "rest_s", "look_s"):
            if not 0 < getattr(self, name) <= 86_400:
                raise ValueError(f"{name} = {getattr(self, name)}: expected more than 0 and at most 86400 seconds")


@dataclass(frozen=True)
class EngineState:
    """Where batches are answered now. Any thread may look at it.

    Attributes:
        wanted: the accelerator that was asked for.
        running_on: its name, or "cpu".
        fault: why it is not the one that was asked for; empty while all is well.
        mend: what to do about it.
        failures: hangs, crashes, refusals and errors so far.
        replaced: how often a new process took over.
        fallbacks: batches that the processor answered instead.
    """

    wanted: str
    running_on: str
    fault: str = ""
    mend: str = ""
    failures: int = 0
    replaced: int = 0
    fallbacks: int = 0


class SupervisedEngine:
    """A model that always answers. For one thread; `state` may be read by any.

    The first batch waits until the accelerator is ready. Afterwards no batch waits longer than `run_s`: what the
    accelerator does not answer, the processor does, and a new process is made ready in the background.

    Args:
        accelerator: a spec, parsed or as text.
        model: bytes of the model for it.
        loader: "module:function", a `devices.base.LoadEngine`.
        cpu_model: bytes of the model for the processor, where that is another one (the Edge TPU compiler's is); None for the same.
        threads: of the processor, where it stands in.
        most_failures: after so many within `rest_s` the accelerator is left alone for as long.

    Raises:
        SpecError: the spec cannot be read.
    """

    def __init__(
        self,
        accelerator: str | Spec,
        model: bytes,
        loader: str,
        cpu_model: bytes | None = None,
        threads: int = 1,
        deadlines: EngineDeadlines | None = None,
        most_failures: int = MOST_FAILURES,
    ) -> None:
        self.spec = parse_accelerator(accelerator) if isinstance(accelerator, str) else accelerator
        self.deadlines = deadlines or EngineDeadlines()
        self._accelerator = make_accelerator(self.spec)
        self._loader, self._threads = loader, threads
        self._model, self._cpu_model = model, model if cpu_model is None else cpu_model
        self._cpu: Engine | None = None
        self._child: Child | None = None
        self._memory = self._stored = -1
        self._ready = self._waited = self._closed = False
        self._runs = 0
        self._failed_at_s: deque[float] = deque(maxlen=most_failures)
        self._backoff = Backoff()
        self._retry_at_s = self._started_at_s = time.monotonic()
        self._absent = False
        self.state = EngineState(self._accelerator.name, self._accelerator.name)
        if self._accelerator.isolated:
            self._memory, self._stored = unnamed_file("tensors"), unnamed_file("model")
            with open(os.dup(self._stored), "wb") as file:
                file.write(model)
            if self._accelerator.present(0) is False:
                self._fail(f"{self._accelerator.name}: not there", "plug it in")
            else:
                self._start()
        else:
            self._cpu = self._accelerator.engine(model, find_loader(loader), 0)

    def run(self, batch: NDArray[Any]) -> NDArray[Any]:
        """The output of one batch, as stored, wherever it comes from.

        Raises:
            InterpreterError and others of the loader: the processor cannot run it either.
        """
        if self._closed:
            raise AcceleratorError(f"{self.spec.shown}: run after close", "an open engine", "open it again")
        if self._memory < 0 and self._cpu is not None:
            self._runs += 1
            return self._cpu.run(batch)
        self._tend()
        try:
            if self._ready:
                output = self._ask(batch)
                if output is not None:
                    return output
            self.state = replace(self.state, fallbacks=self.state.fallbacks + 1)
            return self._on_cpu(batch)
        finally:
            self._runs += 1

    def interrupt(self) -> None:
        """Ends a wait for the accelerator, from any thread: its process is killed, and the processor answers that batch."""
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        """Ends its process. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._child is not None and not self._child.end(self.deadlines.stop_s):
            _log.warning("accelerator %s: process %d cannot be killed", self.spec.shown, self._child.pid)
        self._child = None
        if self._memory >= 0:
            os.close(self._memory)
            os.close(self._stored)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What drives it

    def _on_cpu(self, batch: NDArray[Any]) -> NDArray[Any]:
        if self._cpu is None:
            self._cpu = find_loader(self._loader)(self._cpu_model, self._threads, None)
        return self._cpu.run(batch)

    def _ask(self, batch: NDArray[Any]) -> NDArray[Any] | None:
        """The accelerator's answer, or None where it has none."""
        assert self._child is not None
        self._child.send({"batch": write_array(self._memory, batch, 0)})
        try:
            answer = self._child.receive(self.deadlines.run_s)
        except EOFError:
            self._child.gone(1.0)
            self._fail(f"its process ended with {self._child.ending()}", "plug it in again")
            return None
        if answer is None:
            self._fail(f"no answer within {self.deadlines.run_s:g} s", "plug it in again")
            return None
        if "output" not in answer:
            self._fail(str(answer.get("failed")), "plug it in again")
            return None
        return read_array(self._memory, answer["output"], OUTPUT_AT)

    def _tend(self) -> None:
        """Hears what a starting process says, and starts one when it is time."""
        now = time.monotonic()
        if self._child is not None and not self._ready:
            left_s = self._started_at_s + self.deadlines.load_s - now
            self._hear(0 if self._waited else max(0.0, left_s), left_s <= 0)
            self._waited = True
        elif self._child is None and now >= self._retry_at_s:
            if self._absent and self._accelerator.present(self._runs) is False:
                self._retry_at_s = now + self.deadlines.look_s
            else:
                self._start()

    def _hear(self, timeout_s: float, late: bool) -> None:
        assert self._child is not None
        try:
            message: Message | None = self._child.receive(timeout_s)
        except EOFError:
            self._child.gone(1.0)
            self._fail(f"its process ended with {self._child.ending()} while loading", "plug it in again")
            return
        if message is None:
            if late or not self._waited:
                self._fail(f"no model loaded within {self.deadlines.load_s:g} s", "plug it in again")
        elif "ready" in message:
            self._come_up()
        else:
            received, _, mend = message["error"]
            self._fail(received, mend)

    def _start(self) -> None:
        self._started_at_s = time.monotonic()
        self._ready = False
        arguments = {
            "accelerator": self.spec.text,
            "loader": self._loader,
            "model": self._stored,
            "model_bytes": len(self._model),
            "memory": self._memory,
            "runs": self._runs,
        }
        try:
            self._child = Child("devices.engine_child:main", arguments, (self._stored, self._memory))
        except OSError as error:
            self._fail(f"no process for it: {error.strerror}", "close other programs")

    def _come_up(self) -> None:
        if self.state.fault:
            _log.warning("accelerator %s back", self.spec.shown)
            self.state = replace(self.state, replaced=self.state.replaced + 1)
        self._ready, self._absent = True, False
        self._backoff.reset()
        self.state = replace(self.state, running_on=self._accelerator.name, fault="", mend="")

    def _fail(self, fault: str, mend: str) -> None:
        now = time.monotonic()
        if self._child is not None:
            self._child.kill()
            self._child.gone(2.0)
        self._child, was_ready, self._ready = None, self._ready, False
        self._absent = self._accelerator.present(self._runs) is False
        if self._absent:  # nothing that trying again could mend, and no failure of its own
            self._retry_at_s = now + self.deadlines.look_s
        else:
            self._failed_at_s.append(now)
            self._retry_at_s = now if was_ready else now + self._backoff.next_s()
        if len(self._failed_at_s) == self._failed_at_s.maxlen and now - self._failed_at_s[0] < self.deadlines.rest_s:
            count = f"{self._failed_at_s.maxlen} failure{'s' * (self._failed_at_s.maxlen != 1)}"
            fault = f"{fault}; {count}, so the processor takes over for {self.deadlines.rest_s:g} s"
            self._retry_at_s = now + self.deadlines.rest_s
            self._failed_at_s.clear()
        if not self.state.fault or not self._absent:
            _log.warning("accelerator %s lost: %s; the processor answers; %s", self.spec.shown, fault, mend)
        failures = self.state.failures + (not self._absent)
        self.state = replace(self.state, running_on="cpu", fault=fault, mend=mend, failures=failures)
