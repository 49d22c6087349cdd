"""Ready-cropped, labelled faces: FER2013's csv, FER+'s votes, folders of pictures, and prepared .npz files."""

from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.fer2013 import read_fer2013
from edge_runtime.facesets.ferplus import majority_labels, read_votes, with_majority_labels, with_votes
from edge_runtime.facesets.folder import read_folder
from edge_runtime.facesets.formats import open_faces
from edge_runtime.facesets.prepared import read_prepared, write_prepared
from edge_runtime.facesets.views import with_label_set, with_size

__all__ = [
    "FaceSet",
    "Problem",
    "majority_labels",
    "open_faces",
    "read_fer2013",
    "read_folder",
    "read_prepared",
    "read_votes",
    "with_label_set",
    "with_majority_labels",
    "with_size",
    "with_votes",
    "write_prepared",
]
