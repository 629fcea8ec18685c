"""The types of decoded pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""Rows, columns and the three colours blue, green, red, as OpenCV orders them."""

GreyPicture = npt.NDArray[np.uint8]
"""Rows and columns of brightness."""
