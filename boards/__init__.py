"""Trials of the wheel where nobody has the board on the desk: other processors, runtimes and Pythons, on this machine.

    python -m boards arm64             # in an emulated aarch64 Debian; or: make test-arm64
    python -m boards tflite-runtime    # with the old runtime; or: make test-tflite-runtime
    python -m boards pythons           # on each Python that is here; or: make test-pythons

Each builds the wheel, installs it as a board would, asks the same questions there and here, and prints a table. What takes
long to make (an emulated Debian, environments) is kept in ~/.cache/fer-edge, whole or not at all.
"""
