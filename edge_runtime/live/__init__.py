"""The live loop: a camera's newest frame, its people over time, and everyone who is told.

`stream.py` is the loop; `source.py` its camera, `pipeline.py` one frame's people, `outputs.py` whom it tells, `health.py` whether all
is well. None of them makes the camera wait.
"""
