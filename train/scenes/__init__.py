"""Pictures with known faces, for training and judging a face detector.

    python -m train scenes prepare --faces portraits/ --backgrounds places/ --teacher yunet.onnx --out scenes.npz
    python -m train scenes show scenes.npz --out sheet.png

`open_source` gives scenes from what was prepared, or from photographs annotated as WIDER FACE is. The same seeds give the
same scene.
"""

from edge_runtime.framesets.marks import Marks, Scene
from train.scenes.source import SceneSource, open_source

__all__ = ["Marks", "Scene", "SceneSource", "open_source"]
