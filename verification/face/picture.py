"""The type of a decoded picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""Rows, columns and the three colours blue, green, red, as OpenCV orders them."""
