"""Which of the mesh's 468 points are the face's outline, the lips and the 68 points of iBUG.

Indices are those of MediaPipe's published topology (``face_mesh_connections``). Pure tables and
arithmetic on points.
"""

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face's outline, in order around it, from the middle of the forehead clockwise."""
OUTER_LIPS = (
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
)
"""The outer edge of the lips, in order around it, from the corner at the picture's left."""
_JAW = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
_BROWS = (71, 63, 105, 66, 107, 336, 296, 334, 293, 301)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_MOUTH = (
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
IBUG_68 = (*_JAW, *_BROWS, *_NOSE, *_EYES, *_MOUTH)
"""The mesh's point nearest to each of the 68 of the iBUG scheme: jaw 0–16, brows 17–26, nose 27–35,
eyes 36–47, outer lips 48–59, inner lips 60–67; each pair of sides mirrors the other."""
BROWS_AND_NOSE = (slice(17, 22), slice(22, 27), slice(27, 36))
"""Of the 68: the brow at the picture's left, the other one, and the nose."""


def in_crop(points_T: npt.ArrayLike, left: float, top: float, scale: float) -> Floats:
    """Points (…, 2) or (…, 3) in source pixels as (…, 2) in pixels of the finished crop.

    ``left`` and ``top`` are the crop's corner in the source, ``scale`` its pixels for each of the
    source. The picture's first pixel reaches from 0 to 1 in both.
    """
    source = np.asarray(points_T, dtype=np.float64)[..., :2]
    return np.asarray((source - np.array([left, top])) * scale, dtype=np.float64)
