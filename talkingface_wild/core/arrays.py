"""The arrays that rooms pass to one another; shapes stand where each is used."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pictures = npt.NDArray[np.uint8]
"""Pixels of one picture or many, 0 to 255."""
Samples = npt.NDArray[np.int16]
"""Mono sound."""
