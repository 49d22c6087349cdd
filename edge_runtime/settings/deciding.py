"""Settings of what is made of faces: who is who, which faces count, when a label is shown."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.settings.field import Settings, setting

__all__ = ["QualitySettings", "SmoothingSettings", "TrackingSettings"]


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
        50.0, "turned left or right, in degrees, where the detector gives landmarks", low=0, high=180
    )
    most_pitch_deg: float = setting(40.0, "looking up or down, in degrees, likewise", low=0, high=180)
    most_roll_deg: float = setting(40.0, "head tilted to a shoulder, in degrees, likewise", low=0, high=180)
