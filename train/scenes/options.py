"""The table `[scenes]` of a detector's recipe: what composed scenes are like."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SceneOptions"]


@dataclass(frozen=True)
class SceneOptions:
    """Each distortion is drawn anew for every scene or face.

    Attributes:
        smallest_px, largest: heights of pasted faces, drawn evenly on a logarithmic scale: from pixels to a share of the
            scene's height.
        smallest_taught_px: faces that end up smaller are ignored.
        empty: share of scenes into which no face is pasted.
        crowd: the most faces that are pasted into one scene.
        people: share of scenes about a face that the teacher saw in the place itself.
        hard: share of scenes about a place where an earlier model fired, once such places were mined.
        rotation_deg: standard deviation of a face's rotation; turned: share of faces turned evenly up to
            `turned_deg` either way instead.
        enlarged: how many times as high as it is kept a face is shown, where a scene asks for so large a one.
        body: share of pasted things with a drawn head and shoulders behind them.
        occlusion: share of pasted faces with something before them.
        light: share of pasted things lit from one side.
        distractors: how many other things are pasted for each face, by the same steps; emblems: share of these that are
            drawn badges and lettering.
        portraits: share of scenes that are one picture of a face, as large as it is scaled into a detector's input.
        blur, noise, jpeg, coarse: shares of scenes that are blurred, noisy, compressed, or made small and large again.
        grey: share of colour scenes that lose their colour; grey faces are tinted in the others.
    """

    smallest_px: float = 12.0
    largest: float = 0.9
    smallest_taught_px: float = 9.0
    empty: float = 0.1
    crowd: int = 16
    people: float = 0.35
    hard: float = 0.25
    rotation_deg: float = 10.0
    turned: float = 0.25
    turned_deg: float = 45.0
    enlarged: float = 1.5
    body: float = 0.5
    occlusion: float = 0.2
    light: float = 0.4
    distractors: float = 1.0
    emblems: float = 0.0
    portraits: float = 0.0
    blur: float = 0.35
    noise: float = 0.4
    jpeg: float = 0.4
    coarse: float = 0.1
    grey: float = 0.3

    def __post_init__(self) -> None:
        for name in ("empty", "people", "hard", "turned", "body", "occlusion", "light", "blur", "noise", "jpeg"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} {value}, a share from 0 to 1")
        for name in ("coarse", "grey", "emblems", "portraits"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)}, a share from 0 to 1")
        if not (4 <= self.smallest_taught_px <= self.smallest_px and 0.1 <= self.largest <= 1.5):
            raise ValueError(
                f"faces from {self.smallest_px} px (taught from {self.smallest_taught_px}) to {self.largest} of the height"
            )
        if self.enlarged < 1:
            raise ValueError(f"enlarged {self.enlarged}, at least 1")
        if self.crowd < 1 or self.distractors < 0 or self.rotation_deg < 0 or not 0 <= self.turned_deg <= 180:
            raise ValueError("crowd is at least 1, distractors and rotations are not negative")
