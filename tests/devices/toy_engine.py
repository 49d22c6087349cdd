"""A loader for tests of accelerators: a model is its bytes, and its answer is the batch plus their number."""

import numpy as np


class ToyEngine:
    def __init__(self, model):
        self.model = model

    def run(self, batch):
        return (batch.astype(np.int32) + len(self.model)).astype(np.int16)


def load(model, threads, delegate):
    assert threads >= 1
    assert delegate is None
    return ToyEngine(model)
