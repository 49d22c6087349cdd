"""The processor itself: LiteRT's own kernels, XNNPACK where the runtime has it."""

from __future__ import annotations

from dataclasses import dataclass

from devices.base import Engine, LoadEngine

__all__ = ["Cpu"]


@dataclass(frozen=True)
class CpuOptions:
    """What may stand behind "?".

    Attributes:
        threads: of the kernels.
    """

    threads: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 64:
            raise ValueError(f"threads={self.threads}: expected 1 to 64")


class Cpu:
    """Models run in this process, on `threads` threads."""

    Options = CpuOptions
    example = "cpu?threads=2"
    default_target = ""
    isolated = False

    def __init__(self, target: str = "", options: CpuOptions | None = None) -> None:
        self.name = "cpu"
        self.threads = (options or CpuOptions()).threads

    @staticmethod
    def check_target(target: str, options: CpuOptions) -> str:
        """Nothing. Raises ValueError for anything else."""
        if target:
            raise ValueError(f"cpu:{target}: expected cpu or cpu?threads=N")
        return target

    def present(self, runs: int) -> bool | None:
        return True

    def engine(self, model: bytes, load: LoadEngine, runs: int) -> Engine:
        return load(model, self.threads, None)
