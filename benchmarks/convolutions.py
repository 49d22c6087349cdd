"""What a convolution's step takes by Keras' layer, and by the one that nets learn with (`train/gemm.py`).

    python -m benchmarks.convolutions [--precision bfloat16|float32]

A step is the answer for 128 pictures and both gradients, on made-up pictures. oneDNN chooses by the processor:
on one with AMX, `ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16` shows what one without would do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.script import run_script

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

PICTURES = 128
RUNS = 9
SHAPES: tuple[tuple[int, int, int, tuple[int, int], int], ...] = (
    # side of the pictures, channels in, channels out, kernel, stride
    (24, 64, 256, (1, 1), 1),
    (16, 256, 512, (1, 1), 2),
    (8, 512, 128, (1, 1), 1),
    (4, 1024, 256, (1, 1), 1),
    (2, 512, 2048, (1, 1), 1),
    (12, 128, 128, (3, 3), 1),
    (8, 256, 256, (3, 3), 1),
    (6, 256, 256, (3, 3), 1),
    (5, 512, 512, (3, 3), 1),
    (4, 512, 512, (3, 3), 1),
    (3, 512, 512, (3, 3), 1),
    (2, 512, 512, (3, 3), 1),
    (6, 128, 160, (1, 7), 1),
    (4, 128, 160, (1, 7), 1),
    (2, 192, 224, (3, 1), 1),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutions", description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    precision = parser.parse_args(argv).precision

    import keras
    import numpy as np

    from train.gemm import GemmConv2D
    from train.terminal import table

    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    random = np.random.default_rng(1)
    rows: list[Sequence[object]] = [("pictures", "kernel", "stride", "Keras, ms", "here, ms", "ratio")]
    for side, channels, filters, kernel, stride in SHAPES:
        pictures = random.normal(size=(PICTURES, side, side, channels)).astype(np.float32)
        plain = keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, dtype=policy)
        keras_s, here_s = (
            _step_s(kind.from_config(plain.get_config()), pictures) for kind in (keras.layers.Conv2D, GemmConv2D)
        )
        shape = f"{side} x {side} x {channels}"
        size = f"{kernel[0]} x {kernel[1]} x {filters}"
        rows.append((shape, size, stride, f"{1000 * keras_s:.1f}", f"{1000 * here_s:.1f}", f"{keras_s / here_s:.2f}"))
    print(f"a step of {PICTURES} pictures, {precision}, the median of {RUNS}\n\n{table(rows)}")
    return 0


def _step_s(layer: Any, pictures: Any) -> float:
    """Median seconds of the layer's answer and its gradients."""
    import tensorflow as tf

    seen = tf.cast(pictures, layer.compute_dtype)
    upstream = tf.random.stateless_normal(layer(seen).shape, (1, 1), dtype=layer.compute_dtype)
    kernel = tf.cast(layer.kernel.numpy(), layer.compute_dtype)

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch((seen, kernel))
            answers = layer.convolution_op(seen, kernel)
        return answers, tape.gradient(answers, (seen, kernel), upstream)

    return _median_s(step)


def _median_s(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    raise SystemExit(run_script("convolutions", main))
