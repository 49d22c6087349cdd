"""Counters, gauges and histograms, and Prometheus' text format 0.0.4 of them.

    registry = Registry()
    frames = registry.counter("fer_edge_frames_total", "Frames of the camera.", ("result",))
    frames.add(1, "processed")
    registry.render()

An own hundred lines instead of prometheus_client: that one keeps a registry for the whole process, starts collectors when
it is imported, and is ten times as large. Its parser reads this output in the tests.
"""

from __future__ import annotations

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["CONTENT_TYPE", "Counter", "Gauge", "Histogram", "Registry"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class _Metric:
    """A name with label names, and one value a combination of label values."""

    kind = ""

    def __init__(self, name: str, text: str, labels: Sequence[str], lock: threading.Lock) -> None:
        if not all(_NAME.fullmatch(part) for part in (name, *labels)):
            raise ValueError(f"metric {name} with labels {list(labels)}: expected letters, digits and _")
        self.name, self.text, self.labels = name, text, tuple(labels)
        self._lock = lock

    def render(self) -> Iterator[str]:
        yield f"# HELP {self.name} {_escaped(self.text)}"
        yield f"# TYPE {self.name} {self.kind}"
        yield from self._samples()

    def _samples(self) -> Iterator[str]:
        raise NotImplementedError

    def _key(self, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name}{list(values)}: expected a value for each of {list(self.labels)}")
        return values

    def _line(self, suffix: str, values: tuple[str, ...], value: float, *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, values, strict=True), *more]
        inside = ",".join(f'{label}="{_escaped(text, quotes=True)}"' for label, text in pairs)
        return f"{self.name}{suffix}{f'{{{inside}}}' if inside else ''} {_number(value)}"


class Gauge(_Metric):
    """A value that goes up and down."""

    kind = "gauge"

    def __init__(self, name: str, text: str, labels: Sequence[str], lock: threading.Lock) -> None:
        super().__init__(name, text, labels, lock)
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def set(self, value: float, *labels: str) -> None:
        with self._lock:
            self._values[self._key(labels)] = float(value)

    def clear(self) -> None:
        """Forgets every combination of labels, such as faults that are over."""
        with self._lock:
            self._values = {} if self.labels else {(): 0.0}

    def _samples(self) -> Iterator[str]:
        for values, value in sorted(self._values.items()):
            yield self._line("", values, value)


class Counter(Gauge):
    """A count that only grows."""

    kind = "counter"

    def add(self, amount: float, *labels: str) -> None:
        """Raises ValueError for a negative amount: Prometheus would take the fall for a restart."""
        if amount < 0:
            raise ValueError(f"{self.name}: {amount} added; expected 0 or more")
        with self._lock:
            self._values[self._key(labels)] = self._values.get(labels, 0.0) + amount

    def set(self, value: float, *labels: str) -> None:
        """Takes over a count that is kept elsewhere; a smaller one than before is refused (ValueError)."""
        if value < self._values.get(labels, 0.0):
            raise ValueError(f"{self.name}: {value} after {self._values[labels]}; expected a count that grows")
        super().set(value, *labels)


class Histogram(_Metric):
    """How often values fell below each of some bounds, their number and their sum."""

    kind = "histogram"

    def __init__(
        self, name: str, text: str, labels: Sequence[str], lock: threading.Lock, bounds: Sequence[float]
    ) -> None:
        super().__init__(name, text, labels, lock)
        if not bounds or list(bounds) != sorted(set(bounds)) or not all(math.isfinite(bound) for bound in bounds):
            raise ValueError(f"{name}: bounds {list(bounds)}; expected finite ones that rise")
        self._bounds = tuple(float(bound) for bound in bounds)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, value: float, *labels: str) -> None:
        with self._lock:
            counts = self._counts.setdefault(self._key(labels), [0] * (len(self._bounds) + 1))
            counts[bisect_left(self._bounds, value)] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + value

    def total(self, *labels: str) -> tuple[int, float]:
        """How many values were observed, and their sum."""
        with self._lock:
            return sum(self._counts.get(self._key(labels), ())), self._sums.get(labels, 0.0)

    def _samples(self) -> Iterator[str]:
        for values, counts in sorted(self._counts.items()):
            below = 0
            for bound, count in zip((*self._bounds, math.inf), counts, strict=True):
                below += count
                yield self._line("_bucket", values, below, ("le", _number(bound)))
            yield self._line("_sum", values, self._sums[values])
            yield self._line("_count", values, below)


_AnyMetric = TypeVar("_AnyMetric", bound=_Metric)


class Registry:
    """The metrics of one run. Any thread may count and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: dict[str, _Metric] = {}

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A new counter; its name ends in `_total`. A name that is taken is refused (ValueError)."""
        if not name.endswith("_total"):
            raise ValueError(f"counter {name}: expected a name that ends in _total")
        return self._add(Counter(name, text, labels, self._lock))

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return self._add(Gauge(name, text, labels, self._lock))

    def histogram(self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """A new histogram; `bounds` rise, and one of infinity is added."""
        return self._add(Histogram(name, text, labels, self._lock, bounds))

    def names(self) -> list[str]:
        return list(self._metrics)

    def render(self) -> str:
        """All of them at one moment, as Prometheus reads them."""
        with self._lock:
            return "".join(f"{line}\n" for metric in self._metrics.values() for line in metric.render())

    def _add(self, metric: _AnyMetric) -> _AnyMetric:
        if metric.name in self._metrics:
            raise ValueError(f"metric {metric.name} twice: expected a name of its own")
        self._metrics[metric.name] = metric
        return metric


def _escaped(text: str, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
