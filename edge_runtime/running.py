"""Runs one command and turns what it raises into one line and an exit code; shared by all of them."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from devices.errors import ExplainedError, one_line

__all__ = ["DONE", "FAILED", "INTERRUPTED", "WRONG_USE", "Command"]

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
_OURS = ("benchmarks", "boards", "convert", "devices", "edge_runtime", "release", "train")


@dataclass(frozen=True)
class Command:
    """A command with sub-commands in modules of their own: `run(arguments) -> exit code`.

    Attributes:
        name: before each message.
        extras: what `pip install` needs for it, such as "[train]"; empty for the board's install.
        failures: errors that mean "a check failed" (exit 1) instead of "wrong use or input" (exit 2).
        checking: looks at the arguments before that module is imported, where this takes long: it raises what the command
            itself would raise of them.
        importing: around the import of a sub-command's module.
    """

    name: str
    extras: str = ""
    failures: tuple[type[ExplainedError], ...] = ()
    checking: Callable[[argparse.Namespace], None] | None = None
    importing: AbstractContextManager[None] = field(default_factory=contextlib.nullcontext)

    def run(self, arguments: argparse.Namespace) -> int:
        """Imports `arguments.module` and runs it."""

        def work() -> int:
            if self.checking is not None:
                self.checking(arguments)
            with self.importing:
                module = importlib.import_module(arguments.module)
            code: int = module.run(arguments)
            return code

        return self.call(work)

    def call(self, work: Callable[[], int | None]) -> int:
        """Does the work, whose None is `DONE`. A user's mistake is one line on standard error, never a traceback."""
        try:
            code = work()
            sys.stdout.flush()
        except ExplainedError as error:
            return self._fail(error, FAILED if isinstance(error, self.failures) else WRONG_USE)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] in _OURS:
                raise
            mend = f"pip install -e .{self.extras}" if self.extras else "pip install fer-edge again"
            return self._fail(f"no package {error.name!r}; expected it beside fer-edge; {mend}", WRONG_USE)
        except BrokenPipeError:
            # The reader (`| head`) has what it wanted. Python would complain once more when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except OSError as error:
            place = error.filename or "a file"
            return self._fail(
                f"{place}: {error.strerror or error}; expected a usable file; check its place, permissions and free space",
                WRONG_USE,
            )
        except KeyboardInterrupt:
            return self._fail("interrupted", INTERRUPTED)
        return DONE if code is None else code

    def _fail(self, what: object, code: int) -> int:
        print(f"{self.name}: {one_line(str(what))}", file=sys.stderr)
        return code
