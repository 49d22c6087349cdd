"""A made-up FER2013 csv and its votes."""

from pathlib import Path

import pytest

from edge_runtime.facesets import (
    FaceSet,
    open_faces,
)
from tests.edge_runtime.made_faces import VOTES_HEADER, csv_of, pixels_of, words


@pytest.fixture
def six_rows() -> list[str]:
    usages = ["Training", "Training", "PublicTest", "PrivateTest", "Training", "PublicTest"]
    return [f"{row % 7},{words(pixels_of(row))},{usage}" for row, usage in enumerate(usages)]


@pytest.fixture
def fer2013_csv(tmp_path, six_rows) -> Path:
    return csv_of(tmp_path / "fer2013.csv", six_rows)


@pytest.fixture
def votes_csv(tmp_path) -> Path:
    rows = ["Training,a,6,2,1,0,0,0,0,0,1,0", "Training,b,0,0,0,0,4,4,2,0,0,0", "PublicTest,c,0,1,0,0,0,0,0,0,9,0"]
    rows += ["PrivateTest,,0,0,0,0,0,0,0,0,0,10", "Training,e,0,0,0,0,0,0,0,10,0,0", "PublicTest,f,1,0,9,0,0,0,0,0,0,0"]
    return csv_of(tmp_path / "fer2013new.csv", rows, VOTES_HEADER)


@pytest.fixture
def faces(fer2013_csv, votes_csv) -> FaceSet:
    return open_faces(fer2013_csv, votes_csv)
