"""The rules by which operators are mapped to the Edge TPU, read from `rules.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from convert.errors import EdgeTpuError
from edge_runtime.tables import parse_table, read_table

__all__ = ["GENERAL", "RULES", "Cache", "Limit", "MostVersion", "Outside", "Rules", "Source", "read_rules"]

RULES = Path(__file__).parent / "rules.toml"

GENERAL = ("constant-size", "float-end", "data-type", "rank")
"""Limits that hold for every operator, in the order in which they are told."""


@dataclass(frozen=True)
class Source:
    """Where a rule stands: `url`, and what it `says` there in a line."""

    url: str
    says: str


@dataclass(frozen=True)
class Limit:
    """What keeps an operator on the CPU.

    Attributes:
        says: what is wrong with the operator; `{found}` is what was found.
        mend: what to do.
        status: the compiler's own text for it, empty where no published log shows one.
        source: the name of a source.
        inferred: it follows from sources, but no published log shows it.
    """

    says: str
    mend: str
    status: str
    source: str
    inferred: bool = False


@dataclass(frozen=True)
class MostVersion:
    """The highest `version` of an operator that the compiler parses."""

    version: int
    source: str


@dataclass(frozen=True)
class Cache:
    """How many `bytes` of a model's parameters the Edge TPU keeps; the rest is sent anew for each picture."""

    bytes: int
    source: str


@dataclass(frozen=True)
class Outside:
    """An operator that is known to be outside of the published list."""

    mend: str
    source: str


@dataclass(frozen=True)
class Rules:
    """The rules of one compiler.

    Attributes:
        compiler: its version.
        listed: the source of `operators`.
        chained: the source of one chain of operators on the Edge TPU, and no more.
        cache: the chip's memory for parameters.
        source, limit: by name.
        operators: the names of the limits of each supported operator, besides GENERAL.
        doubts: operators of which the list says that size decides, and its words.
        most_version, outside: by operator.
    """

    compiler: str
    listed: str
    chained: str
    cache: Cache
    source: dict[str, Source]
    limit: dict[str, Limit]
    operators: dict[str, tuple[str, ...]]
    doubts: dict[str, str] = field(default_factory=dict)
    most_version: dict[str, MostVersion] = field(default_factory=dict)
    outside: dict[str, Outside] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {
            self.listed,
            self.chained,
            self.cache.source,
            *(one.source for table in self._with_sources() for one in table.values()),
        }
        if not named <= self.source.keys():
            raise ValueError(f"no source {sorted(named - self.source.keys())[0]!r}")
        if unused := self.source.keys() - named:
            raise ValueError(f"source {sorted(unused)[0]!r} of no rule")
        limits = {*GENERAL, "known-version", *(name for names in self.operators.values() for name in names)}
        if limits != self.limit.keys():
            raise ValueError(f"limit {sorted(limits ^ self.limit.keys())[0]!r} is used or defined, but not both")
        if both := self.operators.keys() & self.outside.keys():
            raise ValueError(f"{sorted(both)[0]} is both supported and outside of the list")
        if not self.doubts.keys() <= self.operators.keys():
            raise ValueError(
                f"doubts of {sorted(self.doubts.keys() - self.operators.keys())[0]}, which is not supported"
            )

    def _with_sources(self) -> tuple[dict[str, Limit], dict[str, MostVersion], dict[str, Outside]]:
        return self.limit, self.most_version, self.outside


def read_rules(path: Path = RULES) -> Rules:
    """The rules that the project brings, or others of the same form.

    Raises:
        EdgeTpuError: no such file, no TOML, an unknown key, or a rule without its source.
    """
    file = read_table(path, None, "rules", EdgeTpuError)
    return parse_table(Rules, file.table, path.name, EdgeTpuError)
