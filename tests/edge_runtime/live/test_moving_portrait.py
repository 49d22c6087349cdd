"""The promise that the shipped fake camera, given the demo's portrait, yields faces."""

from pathlib import Path

import edge_runtime
from devices.base import Opening
from devices.camera_child import open_camera
from devices.spec import parse_source
from edge_runtime.detectors import open_detector

PORTRAIT = str(Path(edge_runtime.__file__).parent / "demo/astronaut.jpg")


def test_the_moving_portrait_has_a_face_wherever_it_is():
    opening = Opening(picture=PORTRAIT, picture_reader="edge_runtime.pictures:read_picture")
    detector = open_detector("haar")
    places = set()
    with open_camera(parse_source("synthetic?fps=0"), opening) as camera:
        for number in range(121):
            frame = camera.read()
            if number % 40 == 0:
                face = max(detector.detect(frame.image), key=lambda face: face.box.right - face.box.left)
                places.add(round(face.box.left))
    assert len(places) > 2
