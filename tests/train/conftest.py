"""One tiny run, trained once by the command, for the tests that look at what it left or evaluate it."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_runtime.facesets import FaceSet, write_prepared
from tests.train.made import tiny_faces, toml
from tests.train.taught import teacher
from train.cli import main
from train.teachers import Teacher


@dataclass(frozen=True)
class TinyRun:
    folder: Path
    data: Path
    recipe: Path
    code: int

    def command(self) -> list[str]:
        return ["fit", "--recipe", str(self.recipe), "--data", str(self.data), "--out", str(self.folder)]


@pytest.fixture(scope="session", autouse=True)
def sketches():
    """Figures are drawn coarsely, without fitting their parts to each other, but where a test asks for `drawn_well`."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", _coarse(Figure.savefig))
        yield


@pytest.fixture
def drawn_well(sketches, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", Figure.savefig.well)


def _coarse(well):
    def save(figure, path, **options):
        figure.set_layout_engine("none")
        well(figure, path, **{**options, "dpi": 20})

    save.well = well
    return save


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> TinyRun:
    folder = tmp_path_factory.mktemp("tiny")
    write_prepared(tiny_faces(), folder / "faces.npz")
    recipe = toml(folder / "tiny.toml", stages="[{ epochs = 2 }]")
    run = TinyRun(folder / "run", folder / "faces.npz", recipe, -1)
    return TinyRun(run.folder, run.data, run.recipe, main(run.command()))


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return tiny_faces()


@pytest.fixture(scope="module")
def wise() -> Teacher:
    return teacher()


@pytest.fixture(scope="module")
def eagerly():
    """Steps are run as they are written: to make graphs of them takes longer than the few that are wanted."""
    with _steps(eager=True):
        yield


@pytest.fixture
def in_graphs(eagerly):
    """One test of such a module whose steps become graphs, as in a real run."""
    with _steps(eager=False):
        yield


@contextmanager
def _steps(*, eager: bool):
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(eager)
    yield
    tf.config.run_functions_eagerly(before)
