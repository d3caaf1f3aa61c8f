"""Who a drawn face is: the photograph's head in other proportions, colours, hair and glasses."""

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Person:
    """Proportions as factors of the photograph's (1 leaves them), colours as gains of RGB."""

    face_width: float = 1.0
    jaw_width: float = 1.0
    """Of the lower face, beside ``face_width``."""
    chin: float = 0.0
    """How far the chin lies lower, in pixels of the photograph."""
    eye_distance: float = 1.0
    eye_size: float = 1.0
    brow: float = 0.0
    """How far the brows lie higher, in pixels of the photograph."""
    nose_width: float = 1.0
    nose_length: float = 0.0
    """How far the nose's tip lies lower, in pixels of the photograph."""
    mouth_width: float = 1.0
    mouth_drop: float = 0.0
    """How far the mouth lies lower, in pixels of the photograph."""
    hair_volume: float = 1.0
    hair_length: float = 0.0
    """How far the hair's ends lie lower, in pixels of the photograph."""
    skin: Colour = (1.0, 1.0, 1.0)
    hair: Colour = (1.0, 1.0, 1.0)
    hair_grey: float = 0.0
    """0 keeps the hair's colour, 1 takes it all."""
    brows: float = 0.0
    """How dark the brows are drawn, 0–1."""
    beard: float = 0.0
    """How dark the beard is, 0–1."""
    moustache: float = 0.0
    glasses: float = 0.0
    """How opaque the rims are, 0 for none."""
