"""Pairs are the cheapest that exist, held against every possible choice."""

import itertools
import math

import numpy as np

from edge_runtime.live.assignment import FORBIDDEN, assign


def best_of_all(costs):
    """(how many pairs, their sum) of the best choice, by trying all."""
    rows, columns = len(costs), len(costs[0])
    for count in range(min(rows, columns), -1, -1):
        sums = [
            sum(costs[row][column] for row, column in zip(chosen, order, strict=True))
            for chosen in itertools.combinations(range(rows), count)
            for order in itertools.permutations(range(columns), count)
        ]
        allowed = [total for total in sums if total != FORBIDDEN]
        if allowed:
            return count, min(allowed)
    raise AssertionError("no pair at all has a sum of 0")


def test_as_many_pairs_as_are_allowed_and_the_cheapest_of_those():
    random = np.random.default_rng(1)
    for _ in range(300):
        costs = random.normal(0, 5, random.integers(1, 6, 2))
        costs[random.random(costs.shape) < 0.3] = FORBIDDEN
        pairs = assign(costs.tolist())
        count, least = best_of_all(costs.tolist())
        assert len(pairs) == count
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == count
        assert math.isclose(sum(costs[pair] for pair in pairs), least, abs_tol=1e-9)


def test_nothing_is_paired_with_nothing():
    assert assign([]) == []
    assert assign([[], []]) == []
    assert assign([[FORBIDDEN]]) == []
