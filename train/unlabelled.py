"""Pictures without labels, as a student and its teachers see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.facesets import FaceSet, open_faces, read_unlabelled, with_size
from edge_runtime.labels import label_set
from train.errors import DataError
from train.faces import in_even_light, repeated_in, say_problems
from train.recipe import Recipe
from train.trainee import as_batch

__all__ = ["open_unlabelled"]


def open_unlabelled(
    path: Path, detector: str, recipe: Recipe, choosing: FaceSet, say: Callable[[str], None]
) -> NDArray[np.uint8]:
    """The faces of a folder of pictures, or those of a prepared .npz, whose labels are passed over.

    Args:
        path: a folder with pictures anywhere in it, or an .npz of `python -m train prepare`.
        detector: finds the faces in a folder's pictures; "none" takes the pictures as they are.
        recipe: of the student: size, colour and light.
        choosing: faces that nobody may learn from; those that are pixel for pixel among them are left out.
        say: called with lines for a person.

    Returns:
        uint8 (N, size, size, C).

    Raises:
        FaceSetError, DetectorError: no usable picture, or no such detector.
        DataError: none is left.
    """
    table = recipe.model
    if path.is_dir():
        faces = read_unlabelled(path, label_set(recipe.label_set), table.size, table.channels, detector)
    else:
        faces = with_size(open_faces(path), table.size, table.channels)
    say_problems(faces, say)
    faces = in_even_light(faces, table.illumination)
    repeated = repeated_in(faces, choosing)
    if repeated.any():
        say(f"{int(repeated.sum())} unlabelled faces are pixel for pixel among those to choose on, and are left out")
        faces = faces.where(~repeated)
    if not len(faces):
        raise DataError(f"{path}: no face that could be learnt from", "at least one", "name other pictures")
    return as_batch(faces)
