"""Five points of a three-dimensional head (millimetres) as a camera sees them (pixels)."""

import numpy as np

HEADS = {
    "medium": [(-32, 0, 0), (32, 0, 0), (0, 34, 30), (-25, 66, 4), (25, 66, 4)],
    "long": [(-31, 0, 0), (31, 0, 0), (0, 38, 32), (-24, 72, 6), (24, 72, 6)],
    "broad": [(-34, 0, 0), (34, 0, 0), (0, 36, 28), (-29, 68, 2), (29, 68, 2)],
}
"""x to the picture's right, y down, z towards the camera; the axis of turning lies 90 mm behind."""


def points(head, yaw, pitch=0.0, roll=0.0, distance=1200.0, focal=1500.0, centre=(320, 240)):
    """Pixels (5, 2) after the head turned by angles in degrees: right, down, clockwise."""
    y, p, r = np.radians([yaw, pitch, roll])
    turned = []
    for x0, y0, z0 in HEADS[head]:
        z = z0 + 90.0
        x, z = x0 * np.cos(y) + z * np.sin(y), -x0 * np.sin(y) + z * np.cos(y)
        down, z = y0 * np.cos(p) + z * np.sin(p), -y0 * np.sin(p) + z * np.cos(p)
        x, down = x * np.cos(r) - down * np.sin(r), x * np.sin(r) + down * np.cos(r)
        depth = distance - (z - 90.0)
        turned.append((centre[0] + focal * x / depth, centre[1] + focal * down / depth))
    return np.array(turned)
