"""Settings of what is made of faces: who is who, which faces count, when a label is shown."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.settings.field import Settings, setting

__all__ = [
    "MOST_PITCH_DEG",
    "MOST_ROLL_DEG",
    "MOST_YAW_DEG",
    "QualitySettings",
    "SmoothingSettings",
    "TrackingSettings",
]

MOST_YAW_DEG = 50.0
"""The eyes are then seen 0.64 times as far apart as from the front, and the nose begins to cover the far half of the mouth."""

MOST_PITCH_DEG = 40.0
"""Brows and mouth, which expressions are told by, are then seen at 0.77 of their height, and a neutral face that looks down seems
to frown. The least of the three: five points tell a nod less well than a turn, as eyes and mouth lie in one plane."""

MOST_ROLL_DEG = 40.0
"""Detectors find faces up to about 45°, and their landmarks are worst there; training turns faces by 12° at most."""


@dataclass(frozen=True)
class TrackingSettings(Settings):
    """Who is who from frame to frame."""

    title = "who is who from frame to frame"

    forget_after_s: float = setting(
        1.0, "a face unseen for so many seconds is gone; if it comes back, it is somebody new", low=0.1, high=30
    )
    confirm_detections: int = setting(2, "a face counts as a person after so many detections", low=1, high=30)
    reach: float = setting(
        2.0, "how far a face may be from where its track expected it, in widths of the face", low=0.2, high=5
    )


@dataclass(frozen=True)
class SmoothingSettings(Settings):
    """From a probability a frame to a label that a person can read."""

    title = 'when a label is shown, and when the answer is "uncertain"'

    time_constant_s: float = setting(
        0.3, "seconds over which probabilities are averaged; longer is calmer and later", low=0.01, high=5
    )
    threshold: float = setting(0.4, "a label is shown from this averaged probability on", low=0, high=1)
    margin: float = setting(0.1, "and where it leads the second best by so much", low=0, high=1)
    hold: float = setting(0.1, "a shown label stays down to so much below the threshold", low=0, high=1)
    switch_lead: float = setting(0.2, "another label takes over once it leads the shown one by so much", low=0, high=1)
    uncertain_after_s: float = setting(
        0.5, 'a label that lost its ground for so many seconds gives way to "uncertain"', low=0, high=30
    )
    settle_s: float = setting(0.2, "a new face is looked at for so many seconds before its first label", low=0, high=10)


@dataclass(frozen=True)
class QualitySettings(Settings):
    """Which faces are good enough to count."""

    title = "faces that are too small, blurred or turned away do not count for a decision; 0 and 180 let all pass"

    least_size_px: float = setting(40.0, "shorter side of the face in the frame, in px", low=0, high=2000)
    least_sharpness: float = setting(
        0.03, "variance of the Laplacian of the face at 48 × 48 px and unit contrast", low=0, high=20
    )
    most_yaw_deg: float = setting(
        MOST_YAW_DEG, "turned left or right, in degrees, where the detector gives landmarks", low=0, high=180
    )
    most_pitch_deg: float = setting(MOST_PITCH_DEG, "looking up or down, in degrees, likewise", low=0, high=180)
    most_roll_deg: float = setting(MOST_ROLL_DEG, "head tilted to a shoulder, in degrees, likewise", low=0, high=180)
