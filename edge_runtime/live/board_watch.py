"""Is the board too hot, or held back? Asked now and then in a thread of its own, for asking may take seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.board import Board, read_board

__all__ = ["HOT_C", "BoardWatch", "trouble_of"]

HOT_C = 80.0
"""A Raspberry Pi begins to slow down its processor here (Raspberry Pi documentation, "Frequency management and thermal control")."""

COOL_C = 75.0
"""A board that was too hot counts as such until here: one report, not one at each degree."""

EVERY_S = 10.0
_PAST = "occurred"


class BoardWatch:
    """The newest facts of the board. `board` and `trouble` may be read by any thread.

    Args:
        read: asks the board.
        every_s: between two questions.

    Attributes:
        board: None until the first answer.
        trouble: why the board is slower than it could be, now; empty where it is not, or does not say.
    """

    def __init__(self, read: Callable[[], Board] = read_board, every_s: float = EVERY_S) -> None:
        self._read, self._every_s = read, every_s
        self._ended = threading.Event()
        self.board: Board | None = None
        self.trouble = ""
        self._thread = threading.Thread(target=self._work, name="board", daemon=True)
        self._thread.start()

    @property
    def temperature_c(self) -> float | None:
        return None if self.board is None else self.board.temperature_c

    def close(self, timeout_s: float = 0.2) -> None:
        """Ends the thread; one that waits for an answer is left behind. May be called twice."""
        self._ended.set()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while True:
            board = self._read()
            self.trouble = trouble_of(board, bool(self.trouble))
            self.board = board
            if self._ended.wait(self._every_s):
                return


def trouble_of(board: Board, before: bool = False) -> str:
    """Why a board is slower than it could be; what only happened earlier is no trouble now.

    Args:
        before: whether it was in trouble when it was last asked.
    """
    reasons = [reason for reason in board.throttling or () if not reason.endswith(_PAST)]
    if board.temperature_c is not None and board.temperature_c >= (COOL_C if before else HOT_C):
        reasons.append(f"{board.temperature_c:.0f} °C")
    return ", ".join(reasons)
