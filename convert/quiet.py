"""Keeps what TensorFlow says while it loads and converts (thousands of lines) away from the user's terminal."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator

__all__ = ["quiet_tensorflow"]


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Within the block, Python's stdout, all of file descriptor 2 and warnings are dropped. Errors still rise.

    What TensorFlow's C++ has to say about a failure is in the exception's text as well.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _no_descriptor_2():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _no_descriptor_2() -> Iterator[None]:
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # a service without a standard error has nothing to keep quiet
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)
