"""Pictures with known faces: what trains, calibrates and judges a face detector.

from edge_runtime.framesets import judge, read_frame_set

frames = read_frame_set(Path("frames.npz"))
found = [detector.find(frames.image(index), threshold=0.02) for index in range(len(frames))]
print(judge(found, frames.marks, smallest_px=16).average_precision)
"""

from edge_runtime.framesets.frameset import FrameSet, is_frame_set, read_frame_set, write_frame_set
from edge_runtime.framesets.judgement import Curve, Judgement, average_precisions, judge, judge_matches
from edge_runtime.framesets.marks import Marks, Scene
from edge_runtime.framesets.matching import Matches, match

__all__ = [
    "Curve",
    "FrameSet",
    "Judgement",
    "Marks",
    "Matches",
    "Scene",
    "average_precisions",
    "is_frame_set",
    "judge",
    "judge_matches",
    "match",
    "read_frame_set",
    "write_frame_set",
]
