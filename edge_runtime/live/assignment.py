"""The cheapest way to pair rows with columns (the assignment problem), for the few faces of a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["FORBIDDEN", "assign"]

FORBIDDEN = math.inf
"""The cost of a pair that must not be made."""


def assign(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column), each row and column once at most: as many as are allowed, and of those the cheapest in sum.

    The Hungarian method with potentials and shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987), in
    rows² × columns steps.

    Args:
        costs: one list of costs a row, finite or FORBIDDEN.
    """
    if not costs or not costs[0]:
        return []
    if len(costs) > len(costs[0]):
        turned = [list(column) for column in zip(*costs, strict=True)]
        return sorted((row, column) for column, row in assign(turned))
    finite = [cost for row in costs for cost in row if cost != FORBIDDEN]
    # One forbidden pair must cost more than any choice of allowed ones could save.
    spread = (max(finite) - min(finite) if finite else 0.0) + 1.0
    dear = (max(finite) if finite else 0.0) + spread * (len(costs) + 1)
    filled = [[dear if cost == FORBIDDEN else cost for cost in row] for row in costs]
    owner = _cheapest(filled)
    return sorted((row, column) for column, row in owner.items() if costs[row][column] != FORBIDDEN)


def _cheapest(costs: Sequence[Sequence[float]]) -> dict[int, int]:
    """Column → row, where there are no more rows than columns and every cost is finite."""
    columns = range(len(costs[0]))
    row_price = [0.0] * len(costs)
    column_price = [0.0] * len(columns)
    owner: dict[int, int] = {}
    for start in range(len(costs)):
        # Dijkstra over columns, from `start` to the nearest column that nobody owns.
        distance = [math.inf] * len(columns)
        came_from: list[int | None] = [None] * len(columns)
        done: set[int] = set()
        row, last, reached = start, None, 0.0
        while True:
            nearest, best = -1, math.inf
            for column in columns:
                if column in done:
                    continue
                through = reached + costs[row][column] - row_price[row] - column_price[column]
                if through < distance[column]:
                    distance[column], came_from[column] = through, last
                if distance[column] < best:
                    nearest, best = column, distance[column]
            done.add(nearest)
            reached, last = best, nearest
            if nearest not in owner:
                break
            row = owner[nearest]
        row_price[start] += reached
        for column in done - {last}:
            row_price[owner[column]] += reached - distance[column]
            column_price[column] -= reached - distance[column]
        column_now: int | None = last
        while column_now is not None:
            before = came_from[column_now]
            owner[column_now] = start if before is None else owner[before]
            column_now = before
    return owner
