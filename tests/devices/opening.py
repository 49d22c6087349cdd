"""A camera by its spec, opened in this process."""

import time

from devices.base import Opening
from devices.camera_child import open_camera
from devices.spec import parse_source


def opened(text, **opening):
    return open_camera(parse_source(text), Opening(epoch_s=time.monotonic(), **opening))
