"""Evidence of what went wrong with a candidate: small facts, gathered while the models are at hand, kept in the report.

`convert.parity.probes` gathers them, `convert.explain` weighs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from convert.parity.errors import ParityError

__all__ = [
    "ColourOrder",
    "Fed",
    "InputScale",
    "LabelOrder",
    "Match",
    "Probe",
    "Ranges",
    "Skipped",
    "TensorRange",
    "ZeroWeights",
    "probes_as_json",
    "probes_from_json",
]


@dataclass(frozen=True)
class Match:
    """How well two sides' answers agree on the same faces.

    Attributes:
        agreement: share of faces with the same answer, 0 to 1.
        distance: total variation between the probabilities, averaged over faces: 0 the same, 1 disjoint.
    """

    agreement: float
    distance: float

    def restored(self, after: Match) -> float:
        """Which share of the disagreement is gone in `after`, by the harder of both measures; 0 to 1."""
        shares = []
        for was, now in ((1 - self.agreement, 1 - after.agreement), (self.distance, after.distance)):
            shares.append((was - now) / was if was > 0 else 0.0)
        return max(0.0, min(shares))


@dataclass(frozen=True)
class LabelOrder:
    """The candidate's classes put in the order in which they follow the reference's best.

    Attributes:
        order: output `order[i]` of the candidate answers what output i of the reference does.
        plain, reordered: the candidate as it is, and with its outputs in that order.
    """

    kind: ClassVar[str] = "label order"
    order: tuple[int, ...]
    plain: Match
    reordered: Match


@dataclass(frozen=True)
class ColourOrder:
    """The candidate on faces with red and blue swapped, against the reference on faces as they are."""

    kind: ClassVar[str] = "colour order"
    faces: int
    plain: Match
    swapped: Match


@dataclass(frozen=True)
class Fed:
    """The reference on pixels scaled otherwise, against the candidate on pixels as they are."""

    scaling: str
    match: Match


@dataclass(frozen=True)
class InputScale:
    """Whether the candidate answers as the reference does when its pixels are scaled once too often, or not at all.

    Attributes:
        faces: how many were answered.
        plain: both on pixels as they are.
        fed: the reference on pixels scaled otherwise.
        spread_reference, spread_candidate: standard deviation of a class' probability over faces, averaged over classes.
    """

    kind: ClassVar[str] = "input scale"
    faces: int
    plain: Match
    fed: tuple[Fed, ...]
    spread_reference: float
    spread_candidate: float


@dataclass(frozen=True)
class ZeroWeights:
    """Weights of which each is zero.

    Attributes:
        layers: names of these tensors.
        weights: how many tensors of weights there are.
    """

    kind: ClassVar[str] = "zero weights"
    layers: tuple[str, ...]
    weights: int


@dataclass(frozen=True)
class TensorRange:
    """One quantized activation tensor, and how real faces fill its range.

    Attributes:
        name: of the tensor.
        low, high: the real values that its integers reach.
        saturated: share of its lively values that lie at the end of the range, beyond what its inputs bring along.
        used: share of the range that the faces use.
        calibrated: whether calibration set the range; the pixels', a softmax' and a ReLU6's are what they are.
    """

    name: str
    low: float
    high: float
    saturated: float
    used: float
    calibrated: bool = True


@dataclass(frozen=True)
class Ranges:
    """The quantized activations of a candidate, in the order in which they are computed."""

    kind: ClassVar[str] = "ranges"
    faces: int
    tensors: tuple[TensorRange, ...]


@dataclass(frozen=True)
class Skipped:
    """Evidence that could not be gathered."""

    kind: ClassVar[str] = "skipped"
    probe: str
    reason: str


Probe = LabelOrder | ColourOrder | InputScale | ZeroWeights | Ranges | Skipped


def probes_as_json(probes: Sequence[Probe]) -> list[dict[str, Any]]:
    """For `report.json`: a list of tables, each with its `kind`."""
    return [{"kind": probe.kind, **asdict(probe)} for probe in probes]


def probes_from_json(tables: Sequence[Mapping[str, Any]], where: str) -> tuple[Probe, ...]:
    """What `probes_as_json` wrote; kinds that this version does not know are left out.

    Raises:
        ParityError: a table that is damaged.
    """
    try:
        return tuple(_READERS[table["kind"]](table) for table in tables if table["kind"] in _READERS)
    except (KeyError, TypeError, ValueError) as error:
        raise ParityError(
            f"{where}: damaged evidence ({type(error).__name__}: {error})",
            "the probes that `python -m convert parity` wrote",
            "run parity again",
        ) from error


def _match(table: Mapping[str, Any]) -> Match:
    return Match(float(table["agreement"]), float(table["distance"]))


def _input_scale(table: Mapping[str, Any]) -> InputScale:
    return InputScale(
        int(table["faces"]),
        _match(table["plain"]),
        tuple(Fed(str(each["scaling"]), _match(each["match"])) for each in table["fed"]),
        float(table["spread_reference"]),
        float(table["spread_candidate"]),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Probe]] = {
    LabelOrder.kind: lambda table: LabelOrder(
        tuple(int(index) for index in table["order"]), _match(table["plain"]), _match(table["reordered"])
    ),
    ColourOrder.kind: lambda table: ColourOrder(int(table["faces"]), _match(table["plain"]), _match(table["swapped"])),
    InputScale.kind: _input_scale,
    ZeroWeights.kind: lambda table: ZeroWeights(tuple(map(str, table["layers"])), int(table["weights"])),
    Ranges.kind: lambda table: Ranges(int(table["faces"]), tuple(TensorRange(**each) for each in table["tensors"])),
    Skipped.kind: lambda table: Skipped(str(table["probe"]), str(table["reason"])),
}
