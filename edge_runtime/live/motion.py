"""Where a face is going: a Kalman filter with constant velocity, in seconds instead of frames."""

from __future__ import annotations

import math

from edge_runtime.geometry import Box

__all__ = ["Motion"]

MEASURED = 0.05
"""How far a detector's box is off, as a share of the face's size (SORT's successors use 1/20: Wojke et al. 2017)."""

MEASURED_SIZE = 0.1
"""The same of its width and height: a detector that searches in steps of scale jumps by as much."""

ACCELERATION = 8.0
"""Spectral density of a head's acceleration, in sizes² / s³: in half a second its velocity changes by about two sizes a second."""

GROWTH = 0.2
"""The same of its size, which is a random walk, in sizes² / s: a constant velocity would shrink an unseen face to nothing."""

FIRST_SPEED = 2.0
"""How fast a new face may already be, in sizes a second."""


class Motion:
    """One face's place and velocity, from its boxes.

    Both coordinates of the centre have the same noise and so share one covariance; so do width and height. Noise grows
    with elapsed time (white-noise acceleration: Bar-Shalom et al. 2001, 6.2.2), so frames may come irregularly.

    Args:
        box: where the face was first seen, with a positive size.
        time_s: when, in seconds.
    """

    def __init__(self, box: Box, time_s: float) -> None:
        self._time_s = time_s
        (self._x, self._y), self._width, self._height = box.center, box.width, box.height
        self._speed_x = self._speed_y = 0.0
        noise = (MEASURED * self.size) ** 2
        # Covariance of place and velocity: place, both, velocity; then of the size. All in px.
        self._place, self._both, self._speed = noise, 0.0, (FIRST_SPEED * self.size) ** 2
        self._extent = (MEASURED_SIZE * self.size) ** 2

    @property
    def size(self) -> float:
        """The face's size in px: the geometric mean of width and height, at least 1."""
        return max(1.0, math.sqrt(max(0.0, self._width * self._height)))

    def expected(self, time_s: float) -> Box:
        """Where the face is at `time_s`, if it goes on as before. Changes nothing."""
        ahead = max(0.0, time_s - self._time_s)
        x, y = self._x + ahead * self._speed_x, self._y + ahead * self._speed_y
        width, height = max(1.0, self._width), max(1.0, self._height)
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def surprise(self, box: Box, time_s: float) -> tuple[float, float]:
        """How badly `box` fits: the squared Mahalanobis distance (four degrees of freedom), and minus twice its log-likelihood.

        The distance alone would prefer the track that knows least; the likelihood does not.
        """
        place, _, _, extent = self._noise(time_s)
        place, extent = place + (MEASURED * self.size) ** 2, extent + (MEASURED_SIZE * self.size) ** 2
        expected = self.expected(time_s)
        (x, y), (found_x, found_y) = expected.center, box.center
        distance = ((found_x - x) ** 2 + (found_y - y) ** 2) / place
        distance += ((box.width - expected.width) ** 2 + (box.height - expected.height) ** 2) / extent
        return distance, distance + 2 * math.log(place) + 2 * math.log(extent)

    def correct(self, box: Box, time_s: float) -> None:
        """Takes in where the face was found at `time_s`."""
        expected = self.expected(time_s)
        self._place, self._both, self._speed, self._extent = self._noise(time_s)
        self._time_s = max(self._time_s, time_s)
        noise = (MEASURED * self.size) ** 2
        gain, speed_gain = self._place / (self._place + noise), self._both / (self._place + noise)
        (x, y), (found_x, found_y) = expected.center, box.center
        off_x, off_y = found_x - x, found_y - y
        self._x, self._y = x + gain * off_x, y + gain * off_y
        self._speed_x += speed_gain * off_x
        self._speed_y += speed_gain * off_y
        self._speed -= speed_gain * self._both
        self._place, self._both = (1 - gain) * self._place, (1 - gain) * self._both
        gain = self._extent / (self._extent + (MEASURED_SIZE * self.size) ** 2)
        self._width += gain * (box.width - self._width)
        self._height += gain * (box.height - self._height)
        self._extent *= 1 - gain

    def _noise(self, time_s: float) -> tuple[float, float, float, float]:
        """The covariance at `time_s`: of the place, of both, of the velocity, of the size."""
        ahead = max(0.0, time_s - self._time_s)
        push = ACCELERATION * self.size**2
        return (
            self._place + 2 * ahead * self._both + ahead**2 * self._speed + push * ahead**3 / 3,
            self._both + ahead * self._speed + push * ahead**2 / 2,
            self._speed + push * ahead,
            self._extent + GROWTH * self.size**2 * ahead,
        )
