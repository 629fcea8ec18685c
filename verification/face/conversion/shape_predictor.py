"""dlib's five-point shape predictor (CC0): regression trees, kept as plain arrays in an ``.npz``.

Fifteen cascades of 500 trees of depth four; a tree compares pixels at 800 points given relative to
five anchors (Kazemi and Sullivan, CVPR 2014).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from verification.errors import MalformedDocument
from verification.face.conversion.dlib_archive import DlibReader

CASCADES, TREES, SPLITS, PIXELS, POINTS = 15, 500, 15, 800, 5
_SIZES = {
    "mean_shape": (POINTS, 2),
    "first": (CASCADES, TREES, SPLITS),
    "second": (CASCADES, TREES, SPLITS),
    "threshold": (CASCADES, TREES, SPLITS),
    "leaf": (CASCADES, TREES, SPLITS + 1, 2 * POINTS),
    "anchor": (CASCADES, PIXELS),
    "offset": (CASCADES, PIXELS, 2),
}


def convert_shape_predictor(encoded: bytes) -> bytes:
    """The ``.npz`` of ``shape_predictor_5_face_landmarks.dat``; raises MalformedDocument."""
    reader = DlibReader(encoded)
    if reader.integer() != 1:
        raise MalformedDocument("shape predictor has an unknown version")
    mean_shape = reader.matrix()
    forests = [[_tree(reader) for _ in range(reader.integer())] for _ in range(reader.integer())]
    anchors = [[reader.integer() for _ in range(reader.integer())] for _ in range(reader.integer())]
    offsets = [
        [(reader.number(), reader.number()) for _ in range(reader.integer())] for _ in range(reader.integer())
    ]
    if not reader.at_end:
        raise MalformedDocument("shape predictor goes on after its end")
    return _write(
        {
            "mean_shape": np.array(mean_shape).reshape(-1, 2),
            "first": np.array([[tree.first for tree in forest] for forest in forests], np.int16),
            "second": np.array([[tree.second for tree in forest] for forest in forests], np.int16),
            "threshold": np.array([[tree.threshold for tree in forest] for forest in forests], np.float32),
            "leaf": np.array([[tree.leaf for tree in forest] for forest in forests], np.float32),
            "anchor": np.array(anchors, np.int16),
            "offset": np.array(offsets, np.float64),
        }
    )


class _Tree(NamedTuple):
    first: list[int]
    second: list[int]
    threshold: list[float]
    leaf: list[npt.NDArray[np.float64]]


def _tree(reader: DlibReader) -> _Tree:
    splits = [(reader.integer(), reader.integer(), reader.number()) for _ in range(reader.integer())]
    leaves = [reader.matrix() for _ in range(reader.integer())]
    return _Tree([s[0] for s in splits], [s[1] for s in splits], [s[2] for s in splits], leaves)


def _write(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """An uncompressed archive with fixed dates and system, so that its sha256 can be pinned."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, size in _SIZES.items():
            if arrays[name].shape != size:
                raise MalformedDocument(f"shape predictor part {name} has an unexpected size")
            member = io.BytesIO()
            np.lib.format.write_array(member, arrays[name], version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.create_system = 3
            archive.writestr(entry, member.getvalue())
    return out.getvalue()
