"""What holds for every test of a run."""

import gc


def pytest_collection_finish():
    """TensorFlow and thousands of tests are there to stay: each full collection of garbage would look through them again."""
    gc.collect()
    gc.freeze()
