"""What all live cameras share: a `with` block, iteration, and no answer to whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from devices.base import Deadlines, Frame, Opening

__all__ = ["Source"]


class Source:
    """Base of the cameras with a line in `devices.registry`; `devices.base.Camera` says what each attribute is."""

    default_target: str | None = None
    deadlines = Deadlines()
    retries = True
    checks = True
    live = True
    name: str
    fps: float | None = None

    @classmethod
    def prepare(cls, opening: Opening) -> None:
        """What may take long and is no matter of the device, such as imports; before the clock of the source starts."""

    @classmethod
    def present(cls, target: str, options: Any, epoch_s: float) -> bool | None:
        """Whether the camera is where it was, without opening it; None where that cannot be told."""
        return None

    def read(self) -> Frame | None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.read()) is not None:
            yield frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
