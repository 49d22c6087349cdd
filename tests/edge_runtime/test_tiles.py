"""Large frames searched in parts: small faces are found, each once, in the frame's own pixels."""

import json

import cv2
import numpy as np
import pytest

from edge_runtime.cli import main
from edge_runtime.detectors import Detection, open_detector
from edge_runtime.detectors.tiles import MOST_DETAIL, TiledSearch, tiles
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box
from edge_runtime.pipeline import load
from edge_runtime.preprocess import Framing
from tests.support import BRIGHT_INT8, TINY_GREY

SIZE = (160, 128)


class Squares:
    """Finds bright squares that are 10 px and more once the frame is scaled to SIZE, as a net would; 8 is too small."""

    name, framing = "squares", Framing("width", 1.0)

    def __init__(self):
        self.looked = []

    def detect(self, image):
        height, width = image.shape[:2]
        self.looked.append((width, height))
        scale = min(SIZE[0] / width, SIZE[1] / height)
        _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 128).astype(np.uint8))
        boxes = [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in stats[1:] if min(w, h) * scale >= 10]
        return [Detection(Box(*box), 0.9) for box in boxes]


def frame_with(*squares, size=(640, 512)):
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, side in squares:
        frame[top : top + side, left : left + side] = 255
    return frame


def boxes(found):
    return sorted(each.box.as_tuple() for each in found)


def test_a_face_too_small_for_the_whole_frame_is_found_in_a_part_where_it_lies_in_the_frame():
    frame = frame_with((500, 400, 30), (20, 30, 100))
    assert boxes(TiledSearch(Squares(), SIZE, 1).detect(frame)) == [(20, 30, 120, 130)]
    assert boxes(TiledSearch(Squares(), SIZE, 2).detect(frame)) == [(20, 30, 120, 130), (500, 400, 530, 430)]


@pytest.mark.parametrize("detail", [2, 3, 4])
def test_a_face_in_several_parts_or_cut_by_their_borders_is_given_once_and_whole(detail):
    for side in (20, 40, 90, 300):
        for left in range(0, 640 - side, 41):
            frame = frame_with((left, 150, side))
            found = TiledSearch(Squares(), SIZE, detail).detect(frame)
            assert boxes(found) in ([], [(left, 150, left + side, 150 + side)])
            assert found or side == 20


def test_frames_that_hardly_exceed_the_input_are_searched_once():
    for size in (SIZE, (120, 90), (180, 140)):
        squares = Squares()
        TiledSearch(squares, SIZE, MOST_DETAIL).detect(frame_with(size=size))
        assert squares.looked == [size]


@pytest.mark.parametrize(
    ("width", "height"), [(200, 150), (640, 480), (1920, 1080), (1080, 1920), (4000, 3000), (9, 5000)]
)
def test_parts_cover_the_frame_and_whatever_is_smaller_than_their_overlap_is_whole_in_one(width, height):
    before: list[Box] = []
    for detail in (2, 3, 4):
        parts = tiles(width, height, SIZE, detail)
        assert parts[: len(before)] == before
        step, before = parts[len(before) :], parts
        assert all(0 <= part.left < part.right <= width and 0 <= part.top < part.bottom <= height for part in step)
        for axis, side in ((0, width), (1, height)) if step else ():
            face = max(1, int(0.35 * (step[0].width, step[0].height)[axis]))
            for start in np.linspace(0, side - min(face, side), 200):
                assert any(
                    part.as_tuple()[axis] <= start + 1 and start + face <= part.as_tuple()[axis + 2] + 1
                    for part in step
                )


def test_no_part_is_enlarged_and_the_searches_are_few():
    for size in ((500, 375), (1920, 1080), (4000, 3000)):
        for detail, most in ((2, 6), (3, 30), (4, 90)):
            parts = tiles(*size, SIZE, detail)
            assert len(parts) <= most
            assert all(part.width >= SIZE[0] - 1 or part.height >= SIZE[1] - 1 for part in parts)


def test_the_largest_hundred_are_kept_and_the_others_counted():
    squares = [(40 * column, 40 * row, 30) for column in range(16) for row in range(12)]
    search = TiledSearch(Squares(), SIZE, 2)
    found = search.detect(frame_with(*squares))
    assert (len(found), search.left_out) == (100, 92)


@pytest.mark.parametrize("detail", [0, 5, -1])
@pytest.mark.parametrize("spec", ["haar", f"tflite:{BRIGHT_INT8}"])
def test_another_detail_is_refused_with_the_range(spec, detail, capsys):
    with pytest.raises(DetectorError, match="1 to 4"):
        open_detector(spec, detail)
    assert main(["predict", "any.jpg", "--detail", str(detail), "--detector", spec, "--bundle", str(TINY_GREY)]) == 2
    assert "detail" in capsys.readouterr().err


def test_detectors_that_search_frames_as_they_are_have_no_parts():
    assert not isinstance(open_detector("haar", 3), TiledSearch)


def test_pictures_are_searched_in_parts_unless_somebody_says_otherwise_and_the_header_says_so(tmp_path, capsys):
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), frame_with((404, 302, 16)))  # 4 px once the whole is scaled, 6 in a part
    spec = f"tflite:{BRIGHT_INT8}"
    heads = []
    for options in ([], ["--detail", "1"]):
        main(["predict", str(path), "--detector", spec, "--bundle", str(TINY_GREY), *options])
        heads.append(json.loads(capsys.readouterr().out.splitlines()[0]))
    assert [head["detail"] for head in heads] == [2, 1]
    assert [load(TINY_GREY, spec).detail, load(TINY_GREY, spec, detail=1).detail] == [2, 1]


def test_a_live_header_says_how_closely_the_detector_searches_not_what_was_asked_of_it(tmp_path, capfd):
    cv2.imwrite(str(tmp_path / "small.png"), frame_with((404, 302, 16)))
    heads = []
    for spec in (f"tflite:{BRIGHT_INT8}", "haar"):
        words = ["--source", f"folder:{tmp_path}", "--detector", spec, "--detail", "3", "--bundle", str(TINY_GREY)]
        assert main(["run", *words, "--no-display"]) == 0
        heads.append(json.loads(capfd.readouterr().out.splitlines()[0]))
    assert [head["detail"] for head in heads] == [3, 1]
