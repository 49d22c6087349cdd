"""Labelled faces: the public data sets of the field, FER+'s votes, folders of pictures, and prepared .npz files."""

from edge_runtime.facesets.affectnet import read_affectnet
from edge_runtime.facesets.base import FaceSet, Problem
from edge_runtime.facesets.ckplus import read_ckplus
from edge_runtime.facesets.emotionet import read_emotionet
from edge_runtime.facesets.fer2013 import read_fer2013
from edge_runtime.facesets.ferplus import majority_labels, read_votes, with_majority_labels, with_votes
from edge_runtime.facesets.folder import read_folder
from edge_runtime.facesets.formats import check_form, holds_pictures, open_faces
from edge_runtime.facesets.gather import Wanted
from edge_runtime.facesets.jaffe import read_jaffe
from edge_runtime.facesets.kdef import read_kdef
from edge_runtime.facesets.prepared import read_prepared, write_prepared
from edge_runtime.facesets.rafdb import read_rafdb
from edge_runtime.facesets.sfew import read_sfew
from edge_runtime.facesets.unlabelled import UNLABELLED, read_unlabelled
from edge_runtime.facesets.views import with_label_set, with_size

__all__ = [
    "UNLABELLED",
    "FaceSet",
    "Problem",
    "Wanted",
    "check_form",
    "holds_pictures",
    "majority_labels",
    "open_faces",
    "read_affectnet",
    "read_ckplus",
    "read_emotionet",
    "read_fer2013",
    "read_folder",
    "read_jaffe",
    "read_kdef",
    "read_prepared",
    "read_rafdb",
    "read_sfew",
    "read_unlabelled",
    "read_votes",
    "with_label_set",
    "with_majority_labels",
    "with_size",
    "with_votes",
    "write_prepared",
]
