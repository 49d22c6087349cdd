"""How long to wait before the next attempt: 1 s at first, twice as long each time, 30 s at most, never all at the same moment."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Waits between attempts.

    Args:
        first_s: the first wait.
        most_s: no wait is longer.
        jitter: each wait is spread by this share, downwards as much as up, but stays within `first_s` and `most_s`.
        spread: a number from 0 to 1; another one for tests.
    """

    def __init__(
        self,
        first_s: float = 1.0,
        most_s: float = 30.0,
        jitter: float = 0.2,
        spread: Callable[[], float] = random.random,
    ) -> None:
        if not 0 < first_s <= most_s or not 0 <= jitter < 1:
            raise ValueError(f"back-off from {first_s} to {most_s} s with jitter {jitter}: expected 0 < first <= most")
        self._first_s, self._most_s, self._jitter, self._spread = first_s, most_s, jitter, spread
        self._plain_s = first_s
        self.last_s = 0.0

    def next_s(self) -> float:
        """The wait before the next attempt."""
        wait_s = self._plain_s * (1 + self._jitter * (2 * self._spread() - 1))
        self._plain_s = min(self._plain_s * 2, self._most_s)
        self.last_s = min(max(wait_s, self._first_s), self._most_s)
        return self.last_s

    def reset(self) -> None:
        """After a success that lasted."""
        self._plain_s = self._first_s
        self.last_s = 0.0
