"""How a setting is declared: its default, what it means, and what it may be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["ConflictError", "Rule", "Settings", "rules_of", "setting"]

_RULE = "rule"


@dataclass(frozen=True)
class Rule:
    """What a setting means and may be.

    Attributes:
        text: one line for people, with the unit where there is one.
        low: the least number that is taken, itself included; None for no bound.
        high: the greatest, likewise.
        choices: the only texts that are taken; empty for any.
        secret: whether the value is masked wherever settings are shown.
    """

    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False

    def expected(self) -> str:
        """What may be written, in words; empty where anything of the right type may."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return "" if self.high is None else f"at most {self.high:g}"

    def allows(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (
                math.isfinite(value)
                and (self.low is None or value >= self.low)
                and (self.high is None or value <= self.high)
            )
        return True


def setting(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """A field of a `Settings` class, with its rule."""
    return dataclasses.field(default=default, metadata={_RULE: Rule(text, low, high, choices, secret)})


def rules_of(settings: type[Settings]) -> Iterator[tuple[str, Any, Rule]]:
    """(key, default, rule) of every setting of a class, in its order."""
    for field in dataclasses.fields(settings):
        yield field.name, field.default, field.metadata[_RULE]


class ConflictError(ValueError):
    """Two settings that are right by themselves and do not go together."""


@dataclass(frozen=True)
class Settings:
    """Base of every table of the configuration file; a value that breaks its rule is refused (ValueError)."""

    title: ClassVar[str] = ""
    """What the table is about, for people who read the file."""

    def __post_init__(self) -> None:
        for key, _, rule in rules_of(type(self)):
            value = getattr(self, key)
            if not rule.allows(value):
                raise ValueError(f"{key} = {value!r} is not {rule.expected()}")
