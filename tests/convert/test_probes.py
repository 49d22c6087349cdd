"""Evidence of what is broken, gathered from two models' answers."""

import numpy as np
import pytest

from convert.parity.evidence import (
    Match,
    Skipped,
)
from convert.parity.probes import gather_probes, label_order, match
from edge_runtime.facesets import FaceSet
from edge_runtime.labels import FER2013
from tests.convert.parity_made import labels_of, side


def answers_at_random(count=600, classes=7):
    logits = np.random.default_rng(1).normal(0, 2, (count, classes))
    logits[:, 1] -= 3  # a class that is seldom the surest, as disgust is
    raised = np.exp(logits)
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (0, 1, 2, 4, 3, 5, 6), (1, 2, 0, 5, 6, 3, 4)]
)
def test_a_permutation_of_labels_is_found_with_rare_classes(order):
    one = answers_at_random()
    noisy = np.clip(one + np.random.default_rng(2).normal(0, 0.01, one.shape), 0, 1).astype(np.float32)
    other = np.empty_like(noisy)
    other[:, list(order)] = noisy
    found = label_order(one, other)
    assert found.order == order
    assert found.reordered.agreement > 0.9


def test_a_constant_answer_is_no_permutation():
    one = answers_at_random()
    other = np.tile(one[:1], (len(one), 1))
    found = label_order(one, other)
    assert found.plain.restored(found.reordered) < 0.5


def test_matches_run_from_the_same_to_disjoint():
    one = np.eye(3, dtype=np.float32)
    assert match(one, one) == Match(1.0, 0.0)
    assert match(one, one[[1, 2, 0]]) == Match(0.0, 1.0)
    assert Match(0.5, 0.4).restored(Match(0.75, 0.1)) == 0.5
    assert Match(1.0, 0.0).restored(Match(1.0, 0.0)) == 0.0


def test_what_cannot_be_gathered_is_named_and_stops_nothing(tmp_path):
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    labels = labels_of(14)
    faces = FaceSet(np.zeros((14, 48, 48), np.uint8), labels, np.full(14, "a"), np.arange(14), FER2013)
    one = side(labels)
    probes = gather_probes(None, tmp_path / "broken.tflite", one, one, faces)
    assert [probe.kind for probe in probes] == ["label order", "skipped"]
    assert "no TFLite model" in probes[1].reason
    record = gather_probes(None, None, one, one, faces)
    assert record[-1] == Skipped("model", "the candidate is a record: its model is not here")
