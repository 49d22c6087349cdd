"""One batch over several devices: `keras.distribution.DataParallel`, which Keras has on its JAX backend."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from train.errors import DeviceError

__all__ = ["data_parallel"]


@contextlib.contextmanager
def data_parallel(count: int | None, batch: int) -> Iterator[int]:
    """Within it, models that are built and fitted share each batch among devices; yields how many there are.

    Args:
        count: how many devices; None takes all GPUs or TPUs where there are several, and one device otherwise.
        batch: faces a step, which the devices share evenly.

    Raises:
        DeviceError: more devices than there are, another backend than JAX, or a batch that cannot be shared evenly.
    """
    backend = keras.backend.backend()
    if count is None:
        # By kind, JAX raises where a machine has none of it; of itself it lists the accelerators, or else the processors.
        found = keras.distribution.list_devices() if backend == "jax" else []
        wanted = sum(not name.startswith("cpu") for name in found)
        wanted = wanted if wanted and batch % wanted == 0 else 1
    else:
        wanted = count
    if wanted <= 1:
        yield 1
        return
    if backend != "jax":
        raise DeviceError(
            f"--devices {wanted} on the Keras backend {backend!r}",
            "the backend jax, which alone shares a batch",
            "pip install jax, set KERAS_BACKEND=jax, and run the same command",
        )
    there = keras.distribution.list_devices()
    if len(there) < wanted:
        raise DeviceError(f"--devices {wanted}", f"at most {len(there)}: {', '.join(there)}", "ask for fewer")
    if batch % wanted:
        raise DeviceError(
            f"schedule.batch {batch} over {wanted} devices", "a multiple of the devices", "change one of both"
        )
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=there[:wanted]))
    try:
        yield wanted
    finally:
        keras.distribution.set_distribution(before)
