"""An installed fer-edge is asked as a user would ask it; environments and Pythons are taken only where they work."""

import stat
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from boards.cli import main
from boards.comparison import compare
from boards.environment import make_environment
from boards.errors import BoardsError, MissingError, ProgramError
from boards.faces import write_faces
from boards.head import head
from boards.machine import Facts, Here, ask_facts
from boards.programs import Done, call, must
from boards.pythons import find_python, needed_by_tests
from boards.subjects import find_subjects
from boards.table import table
from boards.trial import FACES, ask, ask_all, ask_stages, set_out
from boards.wheel import ROOT, build_wheel, read_wheel
from edge_runtime.errors import BundleError
from edge_runtime.facesets import open_faces
from edge_runtime.members import FACE_DETECTOR, shipped_bundles
from tests.support import BRIGHT_INT8, TINY_COLOUR, TINY_GREY

FACTS = Facts("3.11.2", "aarch64", "glibc 2.36", {"numpy": "2.4.6", "ai_edge_litert": "2.3.0"}, 1)


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "dist" / "made-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made-1.0.dist-info/METADATA", "Name: made\nVersion: 1.0\nRequires-Dist: numpy>=1.26\n")
    return read_wheel(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """This machine, with this checkout in the place of an installed wheel."""
    shared = tmp_path / "shared"
    shared.mkdir()
    return Here(shared, {"PYTHONPATH": str(ROOT)})


class Open(Here):
    """Isolated as `inside.py` is run, it would not see this checkout: a Python that is not stands in for an environment."""

    def call(self, words, what, deadline_s):
        return super().call([word for word in words if word != "-I"], what, deadline_s)


def test_bundles_are_asked_and_answer_the_same_twice(here, wheel):
    here = Open(here.shared, here.env)
    subjects = find_subjects([str(TINY_GREY), str(TINY_COLOUR), str(BRIGHT_INT8)])
    moved = set_out(here.shared, wheel, subjects)
    assert moved.path.parent == here.shared
    write_faces(5, here.shared / FACES)
    first = ask(here, sys.executable, subjects, "one")
    second = ask(here, sys.executable, subjects, "two", crops_of="one")
    assert [each.passed for each in first] == [True] * 3
    assert [each.probabilities is None for each in first] == [False, False, True]
    assert first[0].probabilities.shape == (5, 7)
    compared = [compare(*pair) for pair in zip(first, second, strict=True)]
    assert [each.verdict for each in compared] == ["bit-exact", "bit-exact", "self-test passed"]


@dataclass
class Counted:
    """A machine on which nothing loads. `asked`: of all machines, what was begun; `busy`: how many were asked at a time."""

    shared: Path
    name: str
    asked: list
    busy: list
    now: set

    def seen(self, path):
        return str(path)

    def call(self, words, what, deadline_s):
        self.asked.append(words[-1])
        self.now.add(threading.get_ident())
        time.sleep(0.05)
        self.busy.append(len(self.now))
        self.now.discard(threading.get_ident())
        if self.name == "broken":
            raise ProgramError("it", "an end", "wait")
        return Done(2, "", f"{self.name} {Path(words[-1]).name}")


def test_machines_are_asked_at_once_and_each_answer_is_with_its_machine_and_bundle(tmp_path):
    subjects = find_subjects([str(TINY_GREY), str(TINY_COLOUR), str(BRIGHT_INT8)])
    asked, busy, now = [], [], set()
    machines = [Counted(tmp_path, name, asked, busy, now) for name in ("one", "two")]
    answers = ask_all(machines, "python", subjects, "here", 4)
    assert max(busy) > 1
    wanted = {name: [f"{name} {each.folder.name}" for each in subjects] for name in ("one", "two")}
    assert {name: [each.selftest for each in of_one] for name, of_one in answers.items()} == wanted


def test_nothing_more_is_asked_after_a_machine_that_cannot_answer(tmp_path):
    subjects = find_subjects([str(TINY_GREY), str(TINY_COLOUR), str(BRIGHT_INT8)])
    asked = []
    machines = [Counted(tmp_path, name, asked, [], set()) for name in ("broken", "two")]
    with pytest.raises(ProgramError):
        ask_all(machines, "python", subjects, "here", 1)
    assert len(asked) < 4


def test_a_damaged_bundle_does_not_load_there_and_its_reason_is_kept(here, wheel):
    (subject,) = find_subjects([str(TINY_GREY)])
    set_out(here.shared, wheel, [subject])
    write_faces(2, here.shared / FACES)
    model = here.shared / "bundles" / "tiny_grey" / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1])
    (answer,) = ask(here, sys.executable, [subject], "out")
    assert (answer.loads, answer.passed, answer.probabilities) == (False, False, None)
    assert "model.tflite" in answer.selftest


def test_stages_are_of_given_crops_and_plain_kernels_answer_nearly_alike(here, wheel):
    (subject,) = find_subjects([str(TINY_GREY)])
    set_out(here.shared, wheel, [subject])
    write_faces(3, here.shared / FACES)
    machine = Open(here.shared, here.env)
    (answer,) = ask(machine, sys.executable, [subject], "out")
    assert (answer.stages.crops.shape, answer.stages.crops.dtype) == ((3, 48, 48, 1), np.uint8)
    assert (answer.stages.logits.dtype, answer.stages.answers.dtype) == (np.int8, np.float32)
    assert np.abs(answer.stages.answers - answer.probabilities).max() < 1e-6
    (archive,) = here.shared.glob("out/*-stages.npz")
    np.savez(archive, crops=255 - answer.stages.crops)
    given = ask_stages(machine, sys.executable, subject, "other", crops_of="out")
    assert (given.crops == answer.stages.crops).all()
    assert (given.logits != answer.stages.logits).any()
    plain = ask_stages(machine, sys.executable, subject, "plain", xnnpack=False)
    assert np.abs(plain.logits.astype(int) - answer.stages.logits).max() < 40
    assert ask_stages(machine, "/bin/true", subject, "nothing") is None


def test_made_up_faces_are_the_same_each_time_and_no_two_are_alike(tmp_path):
    for name in ("one.npz", "two.npz"):
        write_faces(12, tmp_path / name)
    one, two = open_faces(tmp_path / "one.npz"), open_faces(tmp_path / "two.npz")
    assert one.sha256() == two.sha256()
    assert len(np.unique(one.pixels.reshape(12, -1), axis=0)) == 12
    with pytest.raises(BoardsError, match="0 faces"):
        write_faces(0, tmp_path / "none.npz")


def test_without_names_all_shipped_bundles_are_asked_and_wrong_names_refused():
    subjects = find_subjects([])
    assert {each.name for each in subjects if each.shipped} == {*shipped_bundles(), *shipped_bundles(FACE_DETECTOR)}
    assert any(each.detector for each in subjects)
    with pytest.raises(BundleError, match="no_such"):
        find_subjects(["no_such"])


class Scripted:
    """A machine on which venv and pip are remembered, and pip refuses when told to."""

    name = "scripted"

    def __init__(self, shared):
        self.shared, self.calls, self.refuses = shared, [], False

    def seen(self, path):
        return str(path)

    def call(self, words, what, deadline_s):
        self.calls.append(list(words))
        if what == "venv":
            Path(words[-1]).mkdir(parents=True)
        if what == "pip" and self.refuses:
            return Done(1, "", "WARNING: x\nERROR: No matching distribution found for numpy\nhint")
        return Done(0, "", "")


def test_an_environment_is_kept_for_the_same_packages_and_made_again_for_others_or_where_half_made(tmp_path, wheel):
    machine, folder = Scripted(tmp_path), tmp_path / "kept"

    def make(*packages, wheel=wheel):
        machine.calls.clear()
        make_environment(machine, "python3", folder, str(folder), wheel, packages, [])
        return sum("venv" in words for words in machine.calls)

    assert make(str(wheel.path)) == 1
    elsewhere = replace(wheel, path=tmp_path / "other" / wheel.path.name)
    assert make(str(elsewhere.path), wheel=elsewhere) == 0
    assert "--force-reinstall" in machine.calls[-1]  # the code of today all the same
    assert make("numpy<2") == 1
    assert make("numpy<2", wheel=replace(wheel, requires=("numpy>=3",))) == 1
    machine.refuses = True
    with pytest.raises(ProgramError, match="No matching distribution found for numpy"):
        make("numpy==0")
    machine.refuses = False
    assert make("numpy==0") == 1


def test_a_python_is_found_only_where_it_runs_and_is_of_that_version(tmp_path, monkeypatch):
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    shim = tmp_path / f"python{version}"
    shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2; exit 127\n")
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find_python(version) == sys.executable
    assert find_python("3.99") is None
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    assert find_python(version) == str(shim)
    shim.unlink()
    kept = tmp_path / "pyenv/versions/any/bin" / f"python{version}"
    kept.parent.mkdir(parents=True)
    kept.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    kept.chmod(0o755)
    assert find_python(version) == str(kept)


def test_nothing_to_try_is_one_line_and_exit_2(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("boards.pythons.find_python", lambda version: None)
    monkeypatch.setattr("boards.old_runtime.find_python", lambda version: None)
    for words, said in (
        (["pythons"], "no Python that works"),
        (["pythons", "tests/none"], "which is not in"),
        (["tflite-runtime"], "no python3.11"),
        (["arm64", "--suite"], None),
    ):
        if said is None:
            with pytest.raises(SystemExit) as stop:
                main(words)
            assert stop.value.code == 2
            continue
        assert main([*words, "--cache", str(tmp_path)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert said in err


def test_what_the_tests_need_is_what_the_extra_asks_for():
    wanted = needed_by_tests()
    assert [each.partition(">")[0] for each in wanted] == [
        "pytest",
        "pytest-xdist",
        "hypothesis",
        "pillow",
        "prometheus-client",
    ]


def test_a_program_that_fails_or_hangs_is_one_line(tmp_path):
    log = tmp_path / "logs" / "x.log"
    with pytest.raises(ProgramError, match=r"it: exit code 3 \(b, all of it in .*x\.log\)"):
        must(
            [sys.executable, "-c", "print('a'); import sys; print('b', file=sys.stderr); sys.exit(3)"],
            "it",
            20.0,
            log=log,
        )
    assert log.read_text() == "a\nb\n"
    with pytest.raises(ProgramError, match=r"it: no end after 0 s"):
        call([sys.executable, "-c", "import time; time.sleep(30)"], "it", 0.2)
    with pytest.raises(ProgramError, match="No such file"):
        call([tmp_path / "none"], "it", 1.0)


def test_environments_say_what_they_are(here, wheel):
    set_out(here.shared, wheel, [])
    facts = ask_facts(here, sys.executable)
    assert facts.packages["numpy"] == np.__version__
    assert facts.bytes > 1_000_000
    with pytest.raises(ProgramError, match="its versions"):
        ask_facts(here, "/bin/true")


def test_tables_and_heads_can_be_put_into_a_page(wheel):
    assert table(("a", "b"), [(1, "x|y")]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
    said = head("python -m boards arm64", wheel, 200, {"emulated": FACTS, "time": "1 s"})
    assert "`python -m boards arm64`, 20" in said
    assert "- emulated: aarch64, Python 3.11.2, glibc 2.36, ai-edge-litert 2.3.0, numpy 2.4.6" in said
    assert "- faces: 200 made-up ones" in said


def test_a_checkout_that_builds_no_wheel_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr("boards.wheel.ROOT", tmp_path)
    with pytest.raises(MissingError, match="no wheel"):
        build_wheel(tmp_path / "dist")
