"""Small made-up copies of the public data sets, in their published layouts, and a detector that knows where faces are.

Every picture has a grey square for a face, at `FACE` of a larger picture or all over a cropped one. Its grey says what was
drawn, so that a test can tell which picture became which face.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.detectors import Detection
from edge_runtime.geometry import Box
from edge_runtime.preprocess import Framing

FACE = Box(10, 5, 30, 25)
SIZE = (48, 40)
BACKGROUND = 40
BASIC = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


class FoundFaces:
    """A detector that finds the face where it was drawn, and none in a black picture."""

    name = "found"
    framing = Framing("width", 1.0)

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        self.asked += 1
        return [Detection(FACE, 1.0)] if image.max() > 0 else []


def larger(path: Path, grey: int) -> Path:
    """A picture of 48 × 40 px with a face in it; grey -1 makes it all black."""
    width, height = SIZE
    image = np.full((height, width, 3), 0 if grey < 0 else BACKGROUND, np.uint8)
    if grey >= 0:
        image[int(FACE.top) : int(FACE.bottom), int(FACE.left) : int(FACE.right)] = grey
    return _write(path, image)


def cropped(path: Path, grey: int, side: int = 20) -> Path:
    """A picture that is all face."""
    return _write(path, np.full((side, side, 3), grey, np.uint8))


def _write(path: Path, image: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in (".jpg", ".jpeg"):
        path.write_bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes())
    else:
        path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def kdef(folder: Path, people: tuple[str, ...] = ("F01", "M02"), angles: tuple[str, ...] = ("S", "HL")) -> Path:
    """Session A of KDEF. The grey of a face is 100 + 10 × the place of its code among AF AN DI HA NE SA SU."""
    for person in people:
        for place, code in enumerate(("AF", "AN", "DI", "HA", "NE", "SA", "SU")):
            for angle in angles:
                larger(folder / f"A{person}" / f"A{person}{code}{angle}.JPG", 100 + 10 * place)
    return folder


def jaffe(folder: Path) -> Path:
    for person in ("KA", "YM"):
        for place, code in enumerate(("AN", "DI", "FE", "HA", "NE", "SA", "SU")):
            larger(folder / f"{person}.{code}1.{place + 39}.tiff", 100 + 10 * place)
    (folder / "README_FIRST.txt").write_text("JAFFE")
    return folder


def sfew(folder: Path) -> Path:
    for split, film in (("Train", "Airheads"), ("Val", "Harry_Potter_1")):
        for place, name in enumerate(("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")):
            larger(folder / split / name / f"{film}_00051924{place}_00000005.png", 100 + 10 * place)
    larger(folder / "Test" / "Airheads_000519249_00000005.png", 100)
    return folder


def rafdb(folder: Path) -> Path:
    """RAF-DB's seven codes in each split; the grey of a face is 100 + 10 × its code."""
    lines = []
    for split in ("test", "train"):
        for code in range(1, 8):
            name = f"{split}_{code:05}"
            lines.append(f"{name}.jpg {code}")
            cropped(folder / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", 100 + 10 * code)
    (folder / "basic" / "EmoLabel").mkdir()
    (folder / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return folder


def ckplus(folder: Path) -> Path:
    """A sequence of six frames for each code 1 to 7, and one without a code; the grey is 100 + 10 × code + frame."""
    for code in range(8):
        person, sequence = ("S005" if code < 4 else "S010"), f"{code + 1:03}"
        name = f"{person}_{sequence}"
        for frame in range(1, 7):
            larger(
                folder / "cohn-kanade-images" / person / sequence / f"{name}_{frame:08}.png", 100 + 10 * code + frame
            )
        (folder / "Emotion" / person / sequence).mkdir(parents=True)
        if code:
            file = folder / "Emotion" / person / sequence / f"{name}_00000006_emotion.txt"
            file.write_text(f"   {code:.7e}\n")
    return folder


AFFECTNET_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)


def affectnet_row(name: str, code: int, box: str = "10,5,20,20") -> str:
    return f"{name},{box},1.5;2.5;3.5;4.5,{code},0.1,-0.2"


def affectnet_lists(folder: Path) -> Path:
    """Codes 0 to 10 in training, 0 to 7 in validation; the grey of a face is 100 + 10 × its code."""
    lists = folder / "Manually_Annotated_file_lists"
    lists.mkdir(parents=True)
    for split, codes in (("training", range(11)), ("validation", range(8))):
        rows = [AFFECTNET_HEADER]
        for code in codes:
            name = f"{code}/{split}{code}.png"
            rows.append(affectnet_row(name, code))
            larger(folder / "Manually_Annotated_Images" / name, 100 + 10 * code)
        (lists / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return folder


def affectnet_annotations(folder: Path) -> Path:
    """Codes 0 to 7 in each set: digits as text in train_set, as a number in val_set."""
    for name in ("train_set", "val_set"):
        (folder / name / "annotations").mkdir(parents=True)
        for code in range(8):
            cropped(folder / name / "images" / f"{code + 5}.jpg", 100 + 10 * code)
            value = np.array(str(code)) if name == "train_set" else np.array([code])
            np.save(folder / name / "annotations" / f"{code + 5}_exp.npy", value)
            np.save(folder / name / "annotations" / f"{code + 5}_val.npy", np.array("0.1"))
    return folder


def emotionet(folder: Path, header: str = "path,emotion,split,subject") -> Path:
    rows = [header]
    for place, name in enumerate(("Happy", "sadness", "fearful", "Angrily surprised", "awed", "disgusted")):
        larger(folder / "n1" / f"{place}.png", 100 + 10 * place)
        rows.append(f"n1/{place}.png,{name},{'Training' if place % 2 else 'PublicTest'},p{place}")
    (folder / "emotions.csv").write_text("\n".join(rows) + "\n")
    return folder / "emotions.csv"
