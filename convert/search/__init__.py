"""The cheapest mixed-precision recipe that passes a gate: which layers must stay in float32, and no more of them.

    python -m convert search model.keras --calibration fer2013.csv --data fer2013.csv --split PublicTest \\
        --gate default --out searched

In Python, with a model that `read_keras` read, a calibration of `choose_calibration` and a task of `make_task`:

    from convert.search.strategy import Question, search

    found = search(Question(path, model, calibration, task, gate, sample=64, threads=2, latency_runs=50), progress)
    found.found.kept  # the names of units, or found.found is None

`fewest` and `sensitivity` are functions of names and of arrays, and need numpy alone.
"""
