"""The cheapest mixed-precision recipe that passes a gate: which layers must stay in float32, and no more of them.

    python -m convert search model.keras --calibration fer2013.csv --data fer2013.csv --split PublicTest \\
        --gate default --out searched

In Python, with a model that `read_keras` read, a calibration of `choose_calibration` and a task of `make_task`:

    from convert.search.answered import Answered
    from convert.search.strategy import Question, search

    question = Question(path, model, calibration, task, gate, sample=64, threads=2, latency_runs=50)
    finding = search(question, Answered(folder), progress)
    finding.recipe.keep_layers  # or finding.recipe is None

`fewest` and `sensitivity` are functions of names and of arrays, and need numpy alone.
"""
