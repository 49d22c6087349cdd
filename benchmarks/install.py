"""What a board's install costs: the wheel in a fresh environment, its size, import time, first result and memory.

    python -m benchmarks.install

Builds the wheel, makes an environment in a temporary folder, and installs with pip from wherever pip is set up to look.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import venv
from pathlib import Path
from statistics import median

from benchmarks.environments import ROOT, built_wheel, size_mb
from benchmarks.script import run_script

RUNS = 7
HEAVY = ("tensorflow", "keras", "torch", "jax", "pandas", "mediapipe")
IMPORT = "import time; began = time.perf_counter(); import edge_runtime; print(time.perf_counter() - began)"
LOADED = (
    "import importlib.util, sys; from edge_runtime.cli import main; main(['predict', sys.argv[1]]); "
    f"print([name for name in {HEAVY!r} if name in sys.modules or importlib.util.find_spec(name)], file=sys.stderr)"
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wheel = built_wheel(place)
        venv.create(place / "venv", with_pip=True)
        began = time.monotonic()
        subprocess.run([place / "venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
        installed_s = time.monotonic() - began
        python, photo = place / "venv/bin/python", ROOT / "edge_runtime/demo/astronaut.jpg"
        command: list[str | Path] = [place / "venv/bin/fer-edge", "predict", photo]
        imports = [
            float(subprocess.run([python, "-c", IMPORT], check=True, capture_output=True, text=True, cwd=place).stdout)
            for _ in range(RUNS)
        ]
        firsts, peaks = zip(*(_first_result(command, place) for _ in range(RUNS)), strict=True)
        heavy = subprocess.run(
            [python, "-c", LOADED, photo], check=True, capture_output=True, text=True, cwd=place
        ).stderr.splitlines()[-1]
        print(f"install                     {installed_s:8.1f} s (pip, downloads included)")
        print(f"environment on disk         {size_mb(place / 'venv'):8.0f} MB, pip included")
        print(f"wheel                       {wheel.stat().st_size / 1e6:8.2f} MB")
        print(f"import edge_runtime         {median(imports):8.3f} s")
        print(f"predict, first face printed {median(firsts):8.3f} s after the start of the process")
        print(f"predict, peak RSS           {median(peaks):8.1f} MB")
        print(f"frameworks importable or imported: {heavy}")


def _first_result(command: list[str | Path], place: Path) -> tuple[float, float]:
    """Seconds until the first face's record is on standard output, and the process's peak RSS in MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=place)
    assert process.stdout is not None
    for line in process.stdout:
        if '"box"' in line:
            break
    took = time.monotonic() - began
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return took, usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    raise SystemExit(run_script("install", main))
