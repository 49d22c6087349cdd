"""Every kind of arithmetic for trained models: what each costs, and whether a gate lets it pass, in one table.

    python -m benchmarks.conversion RUN… --data data/fer2013.csv [--split PublicTest] [--gate default] [--out FOLDER]

Each run's Keras model is converted to each kind by the commands that users have, then `convert parity` holds all of
them against the original. It calls each command as a program of its own: a converter that fails is a row of the table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.script import run_script
from convert.recipe import list_recipes, read_recipe
from train.terminal import table

MODEL = "model.keras"
HEAD = ("run", "kind", "bytes", "accuracy", "points", "alike", "largest |Δp|", "gate")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversion", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="finished run folders")
    parser.add_argument("--data", type=Path, required=True, help="faces to calibrate with and to judge on")
    parser.add_argument("--votes", type=Path, help="FER+'s, for models of its labels")
    parser.add_argument("--split", default="PublicTest", help="to judge on (default: PublicTest)")
    parser.add_argument("--gate", default="default", help="name or path (default: default)")
    parser.add_argument("--out", type=Path, default=Path("reports/conversion"), help="for models and reports")
    arguments = parser.parse_args(argv)
    unfinished = [run for run in arguments.runs if not (run / MODEL).is_file()]
    if unfinished:
        parser.error(f"{unfinished[0]}: no {MODEL} in it; expected a finished run folder; check the path")
    rows: list[Sequence[object]] = [HEAD]
    for run in arguments.runs:
        rows.extend(_judged(run, arguments))
    print(f"\n{table(rows)}")
    return 0


def _judged(run: Path, arguments: argparse.Namespace) -> list[Sequence[object]]:
    """A row for each kind of one run."""
    folder = arguments.out / run.name
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    rows: list[Sequence[object]] = []
    for kind in [*list_recipes(), "onnx"]:
        path, words = _conversion(run, kind, folder, arguments.data)
        code, said, took_s = _called(words)
        print(f"{run.name} {kind}: {'done' if code == 0 else f'exit {code}'} in {took_s:.0f} s", flush=True)
        if code == 0:
            made[kind] = path
        else:
            rows.append((run.name, kind, "", "", "", "", "", f"no file: {said}"))
    votes = [] if arguments.votes is None else ["--votes", str(arguments.votes)]
    candidates = [word for path in made.values() for word in ("--candidate", str(path))]
    code, said, took_s = _called(
        [
            "parity",
            "--reference",
            str(run / MODEL),
            *candidates,
            "--data",
            str(arguments.data),
            *votes,
            "--split",
            arguments.split,
            "--gate",
            arguments.gate,
            "--report",
            str(folder / "parity"),
            "--no-evidence",
        ]
    )
    print(f"{run.name} parity of {len(made) + 1} sides: exit {code} in {took_s:.0f} s", flush=True)
    try:
        report = json.loads((folder / "parity" / "report.json").read_bytes())
    except FileNotFoundError:
        return [*rows, *((run.name, kind, "", "", "", "", "", f"no report: {said}") for kind in made)]
    return [*_table(run.name, made, report), *rows]


def _conversion(run: Path, kind: str, folder: Path, data: Path) -> tuple[Path, list[str]]:
    """The file of a kind, and the command that makes it."""
    if kind == "onnx":
        path = folder / "model.onnx"
        return path, ["onnx", str(run / MODEL), "--out", str(path)]
    path = folder / f"{kind}.tflite"
    faces = ["--calibration", str(data)] if read_recipe(kind).calibrated else []
    return path, ["tflite", str(run / MODEL), "--recipe", kind, *faces, "--out", str(path)]


def _called(words: list[str]) -> tuple[int, str, float]:
    """Exit code, last line on standard error, and seconds."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "convert", *words], capture_output=True, text=True)
    return done.returncode, (done.stderr.strip().splitlines() or [""])[-1], time.monotonic() - began


def _table(run: str, made: dict[str, Path], report: dict[str, Any]) -> list[Sequence[object]]:
    found = {each["side"]["name"]: each for each in report["candidates"]}
    original = report["reference"]
    rows: list[Sequence[object]] = [
        (run, "Keras", f"{original['model']['size_bytes']:,}", _percent(original["accuracy"]), "", "", "", "reference")
    ]
    for kind, path in made.items():
        each = found.get(path.name)
        if each is None:
            refused = next((one["reason"] for one in report["refused"] if one["name"] == path.name), "not answered")
            rows.append((run, kind, "", "", "", "", "", f"refused: {refused}"))
            continue
        broken = [line["text"] for line in each["verdict"]["lines"] if line["outcome"] not in ("passed", "off")]
        rows.append(
            (
                run,
                kind,
                f"{each['side']['model']['size_bytes']:,}",
                _percent(each["side"]["accuracy"]),
                f"{each['paired']['difference_points']:+.2f}",
                _percent(each["agreement"]),
                f"{each['drift']['largest']:.2g}",
                "; ".join([each["verdict"]["outcome"], *broken]),
            )
        )
    return rows


def _percent(share: dict[str, Any]) -> str:
    return f"{100 * share['share']:.2f} %"


if __name__ == "__main__":
    raise SystemExit(run_script("conversion", main))
