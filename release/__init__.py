"""A bundle from labelled faces by one command: teachers, student, temperature, conversion, gate, bundle.

    python -m release release.toml     # or: make release FILE=release.toml

Each step is a command that users have, run as a program of its own; the steps meet in the files of one folder. What was
done stays done: after an interruption the same command goes on. A model that fails its gate is not packed.
"""
