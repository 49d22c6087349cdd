"""How calm shown labels are on a steady face, and how soon a real change is shown, on simulated faces.

    python -m benchmarks.decisions

A steady face wavers between two expressions that lie close together; a change goes from one clear expression to another.
Noise on the logits lasts about a tenth of a second. "irregular" draws the gaps between frames at random.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from numpy.typing import NDArray

from benchmarks.script import run_script
from edge_runtime.labels import FER2013
from edge_runtime.live.smoothing import UNCERTAIN, Smoother

FIRST, SECOND = FER2013.index("happy"), FER2013.index("neutral")
NOISE_LASTS_S = 0.1


def frame_times(random: np.random.Generator, fps: int, seconds: float, irregular: bool) -> NDArray[np.float64]:
    count = round(fps * seconds)
    return np.cumsum(random.exponential(1 / fps, count) if irregular else np.full(count, 1 / fps))


def probabilities(
    random: np.random.Generator, times: NDArray[np.float64], logits: NDArray[np.float64], deviation: float
) -> NDArray[np.float64]:
    """Softmax of logits (frames, 7) with noise that is correlated over time."""
    noise = random.normal(0, deviation, logits.shape)
    for index in range(1, len(times)):
        kept = np.exp(-(times[index] - times[index - 1]) / NOISE_LASTS_S)
        noise[index] = kept * noise[index - 1] + np.sqrt(1 - kept**2) * noise[index]
    powers = np.exp(logits + noise)
    return np.asarray(powers / powers.sum(1, keepdims=True))


def shown(rows: NDArray[np.float64], times: NDArray[np.float64]) -> list[str]:
    smoother = Smoother(FER2013.names)
    return [smoother.update(row, float(time)).label for row, time in zip(rows, times, strict=True)]


def changes(labels: list[str]) -> int:
    return sum(before != after for before, after in itertools.pairwise(labels))


def steady(fps: int, irregular: bool, runs: int) -> tuple[int, int, float]:
    """Changes of the raw and of the shown label in a minute a run, and the share of frames that were uncertain."""
    raw = calm = unsure = frames = 0
    for seed in range(runs):
        random = np.random.default_rng([fps, irregular, seed])
        times = frame_times(random, fps, 60, irregular)
        logits = np.zeros((len(times), len(FER2013)))
        logits[:, FIRST], logits[:, SECOND] = 2.4, 2.0
        rows = probabilities(random, times, logits, 0.6)
        labels = shown(rows, times)
        raw += changes([str(index) for index in rows.argmax(1)])
        calm += changes(labels)
        unsure += labels.count(UNCERTAIN)
        frames += len(labels)
    return raw, calm, unsure / frames


def delays(fps: int, irregular: bool, runs: int) -> list[float]:
    """From the first frame of a new expression to its label, in seconds."""
    found = []
    for seed in range(runs):
        random = np.random.default_rng([fps, irregular, seed, 1])
        times = frame_times(random, fps, 6, irregular)
        logits = np.zeros((len(times), len(FER2013)))
        logits[times < 3, SECOND] = logits[times >= 3, FIRST] = 3.0
        labels = shown(probabilities(random, times, logits, 0.4), times)
        begins = times[times >= 3][0]
        late = (time for time, label in zip(times, labels, strict=True) if time >= begins and label == "happy")
        found.append(next(late, np.inf) - begins)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="minutes of a steady face, and changes, a row")
    arguments = parser.parse_args()
    print(
        f"{'frames/s':<20}{'raw changes':>12}{'shown':>8}{'rarer':>8}{'uncertain':>11}{'change shown after: median':>28}{'worst':>8}"
    )
    for irregular, fps in itertools.product((False, True), (10, 15, 30)):
        raw, calm, unsure = steady(fps, irregular, arguments.runs)
        late = delays(fps, irregular, arguments.runs)
        name = f"{fps}{', irregular' if irregular else ''}"
        rarer = f"{raw / max(1, calm):.0f} ×"
        print(f"{name:<20}{raw:>12}{calm:>8}{rarer:>8}{unsure:>11.1%}{np.median(late):>26.2f} s{max(late):>6.2f} s")


if __name__ == "__main__":
    raise SystemExit(run_script("decisions", main))
