"""The fewest units that must stay in float32: pure functions of an order and of a judge.

    fewest = find_fewest(order, judge)   # order: the most sensitive first; judge: whether these, kept, are enough

Halving, and leaving out each unit once, take for granted that keeping more never hurts. Quantization nearly keeps to that,
and the set that is found was judged itself in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["Judge", "find_fewest"]

Judge = Callable[[frozenset[str]], bool]
"""Whether a model passes that keeps these units, and no others, in float32."""


def find_fewest(order: Sequence[str], judge: Judge, least: int = 1, most: int | None = None) -> frozenset[str] | None:
    """A set that is enough and of which none can be left out; None where not even the first `most` are.

    Args:
        order: units, the most sensitive first.
        judge: asked at most once for a set.
        least: the smallest number that may be kept; fewer are known not to be enough, or not allowed.
        most: the largest; None for all of `order`.
    """
    most = len(order) if most is None else most
    asked: dict[frozenset[str], bool] = {}

    def enough(kept: frozenset[str]) -> bool:
        if kept not in asked:
            asked[kept] = judge(kept)
        return asked[kept]

    number = _shortest_prefix(order, enough, least, most)
    return None if number is None else _without_needless(order[:number], enough, least)


def _shortest_prefix(order: Sequence[str], enough: Judge, least: int, most: int) -> int | None:
    """How many of the first units are enough: by doubling, since few mostly are, and then by halving."""
    below, number = least - 1, least
    while number <= most and not enough(frozenset(order[:number])):
        below = number
        number = min(2 * number, most) if number < most else most + 1
    if number > most:
        return None
    while number - below > 1:
        middle = (number + below) // 2
        if enough(frozenset(order[:middle])):
            number = middle
        else:
            below = middle
    return number


def _without_needless(kept: Sequence[str], enough: Judge, least: int) -> frozenset[str]:
    """Backward elimination, the least sensitive first."""
    left = frozenset(kept)
    for name in reversed(kept):
        if len(left) > least and enough(left - {name}):
            left -= {name}
    return left
