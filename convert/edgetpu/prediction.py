"""Which operators the compiler maps: each by its rules, and then the one chain that runs on the Edge TPU."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from convert.edgetpu.limits import BREACHES, Site
from convert.edgetpu.log import MAPPED, STRANDED, UNSUPPORTED, Row
from convert.edgetpu.rules import GENERAL, Rules, Source
from convert.graph import Graph

__all__ = ["Fate", "Prediction", "predict"]

_UNKNOWN = "Unknown to the rules"
_UNKNOWN_MEND = "look for it in the list, or let edgetpu_compiler say; then put it into rules.toml with its source"


@dataclass(frozen=True)
class Fate:
    """What becomes of one operator.

    Attributes:
        place: in the order of the graph, from 0.
        operator: its name.
        output: the name of the tensor that it gives.
        mapped: whether it runs on the Edge TPU.
        status: in the compiler's words where a log shows them, otherwise ours.
        rule: the limit that it breaks, "not listed" or "unknown"; empty where it is mapped or stranded by another.
        reason, mend: why it is not mapped by itself, and what to do; empty likewise.
        source: where the rule stands.
        inferred: no published log shows this rule at work.
    """

    place: int
    operator: str
    output: str
    mapped: bool
    status: str
    rule: str = ""
    reason: str = ""
    mend: str = ""
    source: Source | None = None
    inferred: bool = False


@dataclass(frozen=True)
class Prediction:
    """What becomes of a model's operators.

    Attributes:
        fates: of each, in the graph's order.
        refused: the compiler refuses the model as a whole, and compiles none of it.
        notes: what may turn out otherwise, in a sentence each.
        compiler: the version that the rules are of.
    """

    fates: tuple[Fate, ...]
    refused: bool
    notes: tuple[str, ...]
    compiler: str

    @property
    def whole(self) -> bool:
        """All operators run on the Edge TPU."""
        return all(fate.mapped for fate in self.fates)

    @property
    def breakers(self) -> tuple[Fate, ...]:
        """The operators that cannot be mapped by themselves, in the graph's order."""
        return tuple(fate for fate in self.fates if fate.rule)

    @property
    def first(self) -> Fate | None:
        """The first of them; where a version makes the compiler refuse the model, the first such one."""
        refusing = [fate for fate in self.breakers if fate.rule == "known-version"]
        return next(iter(refusing or self.breakers), None)

    @property
    def stranded(self) -> int:
        """How many operators stay on the CPU although they could be mapped."""
        return sum(not fate.mapped and not fate.rule for fate in self.fates)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The same as a compiler's table: operator, count, status; in the order of first appearance."""
        counts = Counter((fate.operator, fate.status) for fate in self.fates)
        return tuple(Row(operator, count, status) for (operator, status), count in counts.items())


def predict(graph: Graph, rules: Rules) -> Prediction:
    """Predicts what the compiler maps.

    Each operator is judged by the rules alone. Then the operators are put into sets as a delegate of TensorFlow Lite
    gets them (`PartitionGraphIntoIndependentNodeSubsets`): as many as can run one after another on one side, then the
    other. The compiler takes the first set that it can map; operators of later sets stay on the CPU.
    """
    alone = [_alone(graph, place, rules) for place in range(len(graph.nodes))]
    refused = any(fate.rule == "known-version" for fate in alone)
    kept = set() if refused else _first_set(graph, [not fate.rule for fate in alone])
    fates = tuple(fate if fate.rule or fate.place in kept else _stranded(fate) for fate in alone)
    mapped = {fate.operator for fate in fates if fate.mapped}
    notes = [
        f"{name}: {words} ({rules.source[rules.listed].url})" for name, words in rules.doubts.items() if name in mapped
    ]
    if graph.size_bytes > rules.cache.bytes:
        notes.append(
            f"{graph.size_bytes:,} bytes: parameters beyond some {rules.cache.bytes:,} are sent to the Edge TPU for each"
            f" picture ({rules.source[rules.cache.source].url})"
        )
    return Prediction(fates, refused, tuple(notes), rules.compiler)


def _alone(graph: Graph, place: int, rules: Rules) -> Fate:
    """The fate of an operator for itself: mapped, or kept on the CPU by a rule."""
    node = graph.nodes[place]
    site = Site(
        node,
        tuple(graph.tensors[index] for index in node.inputs),
        tuple(graph.tensors[index] for index in node.outputs),
    )
    name, output = node.operator, site.outputs[0].name if site.outputs else ""
    most = rules.most_version.get(name)
    if most is not None and node.version > most.version:
        return _broken(place, name, output, "known-version", str(node.version), rules, rules.source[most.source])
    listed = rules.operators.get(name)
    for limit in (*GENERAL, *(listed or ())):
        # An operator outside of the list is told as such, whatever types it works on; only open sizes come before.
        if listed is None and limit != "constant-size":
            break
        found = BREACHES[limit](site)
        if found:
            return _broken(place, name, output, limit, found, rules)
    if listed is not None:
        return Fate(place, name, output, True, MAPPED)
    # Logs say so of DEQUANTIZE and of custom operators, and "Operation not supported" of the others.
    status = rules.limit["data-type"].status if BREACHES["data-type"](site) else UNSUPPORTED
    outside = rules.outside.get(name)
    if outside is not None:
        reason, source = "not in the list of supported operators", rules.source[outside.source]
        return Fate(place, name, output, False, status, "not listed", reason, outside.mend, source)
    reason = "unknown to the rules: neither in the list of supported operators nor known to be outside of it"
    source = rules.source[rules.listed]
    return Fate(place, name, output, False, _UNKNOWN, "unknown", reason, _UNKNOWN_MEND, source)


def _broken(
    place: int, operator: str, output: str, limit: str, found: str, rules: Rules, source: Source | None = None
) -> Fate:
    rule = rules.limit[limit]
    says = rule.says.format(found=found)
    return Fate(
        place,
        operator,
        output,
        False,
        rule.status or says,
        limit,
        says,
        rule.mend,
        source or rules.source[rule.source],
        rule.inferred,
    )


def _stranded(fate: Fate) -> Fate:
    return Fate(fate.place, fate.operator, fate.output, False, STRANDED)


def _first_set(graph: Graph, mappable: list[bool]) -> set[int]:
    """The places of the first set of mappable operators that run without one on the CPU between them."""
    given = {index for node in graph.nodes for index in node.outputs}
    ready = {index for index in range(len(graph.tensors)) if index not in given}
    waiting = list(range(len(graph.nodes)))
    while waiting:
        side: bool | None = None
        now: list[int] = []
        moved = True
        while moved:
            moved = False
            for place in list(waiting):
                node = graph.nodes[place]
                if not ready.issuperset(node.inputs) or (side is not None and mappable[place] != side):
                    continue
                side = mappable[place]
                now.append(place)
                waiting.remove(place)
                ready.update(node.outputs)
                moved = True
        if side or not now:
            return set(now)
    return set()
