"""YuNet detector and SFace recogniser, used when a site supplies both files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from verification.face.alignment import crop_to
from verification.face.engine import DetectedFace, Template, Thresholds
from verification.face.inference import Network
from verification.face.model_file import model_digests
from verification.face.overlap import without_overlaps
from verification.face.picture import Picture

Floats = npt.NDArray[np.float32]

_STRIDES = (8, 16, 32)
_BLOCK = 32  # both sides of the detector's input are multiples of this
_LONGEST = 320
_MIN_SCORE = 0.8
_OVERLAP = 0.3
_CROP = 112
# ArcFace's five points in a crop of 112: eyes, nose tip, mouth corners, in the picture's order.
_TEMPLATE_POINTS = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)


class YunetSfaceEngine:
    """The engine for a production site until a vendor's engine is bought."""

    id: ClassVar[str] = "yunet_sface"
    smaller_is_closer: ClassVar[bool] = False
    # Cosines. The maker's 0.363 is known to be too loose (FACE, 6.3); to be calibrated by the site.
    thresholds: ClassVar[Thresholds] = Thresholds(accept=0.50, review=0.40, single=0.55)
    turn_offset: ClassVar[float] = 0.14

    def __init__(self, models: Mapping[str, bytes]) -> None:
        self._detector = YunetDetector(models["detector"])
        self._recogniser = Network(models["recogniser"], compact=True)

    @property
    def model_digests(self) -> tuple[str, ...]:
        """The sha256 of the two files."""
        return model_digests(self.id)

    def detect(self, picture: Picture) -> list[DetectedFace]:
        """Faces, the best score first."""
        return self._detector.detect(picture)

    def embed(self, picture: Picture, face: DetectedFace) -> Template:
        """128 numbers of length one."""
        crop = crop_to(picture, face.landmarks, _TEMPLATE_POINTS, _CROP)
        values = crop[:, :, ::-1].transpose(2, 0, 1)[None]
        template = self._recogniser.run(np.ascontiguousarray(values, np.float32))[0]
        return np.asarray(template / max(float(np.linalg.norm(template)), 1e-9), np.float32)

    def compare(self, one: Template, other: Template) -> float:
        """Cosine of the angle between the templates."""
        lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
        return float(one @ other) / max(lengths, 1e-9)


class YunetDetector:
    """Boxes and five points for every face, by strides of 8, 16 and 32 pixels."""

    def __init__(self, model: bytes) -> None:
        self._network = Network(model)

    def detect(self, picture: Picture) -> list[DetectedFace]:
        """Faces, the best score first."""
        values, scale = _as_input(picture)
        outputs = self._network.run_all(values)
        found = [np.hstack(part) for part in self._decode(outputs, values.shape[3])]
        rows = np.concatenate(found) / np.array([scale] * 14 + [1.0])
        rows = rows[rows[:, 14] >= _MIN_SCORE]
        kept = without_overlaps(rows[:, :4], rows[:, 14], _OVERLAP) if len(rows) else []
        return [_face(rows[index]) for index in kept]

    def _decode(
        self, outputs: Mapping[str, Floats], width: int
    ) -> Iterator[tuple[npt.NDArray[np.float64], ...]]:
        for stride in _STRIDES:
            kinds = ("cls", "obj", "bbox", "kps")
            cls, obj, box, points = (outputs[f"{kind}_{stride}"][0].astype(np.float64) for kind in kinds)
            rows, columns = np.divmod(np.arange(len(cls)), width // stride)
            cell = np.stack([columns, rows], 1)
            centre, size = (cell + box[:, :2]) * stride, np.exp(box[:, 2:]) * stride
            placed = (points.reshape(-1, 5, 2) + cell[:, None]) * stride
            score = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))
            yield centre - size / 2, centre + size / 2, placed.reshape(-1, 10), score


def _as_input(picture: Picture) -> tuple[Floats, float]:
    """The picture at most 320 pixels long, padded, and its scale."""
    scale = min(_LONGEST / max(picture.shape[:2]), 1.0)
    small = (
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    )
    height, width = (-(-side // _BLOCK) * _BLOCK for side in small.shape[:2])
    padded = np.zeros((height, width, 3), np.float32)
    padded[: small.shape[0], : small.shape[1]] = small
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None]), scale


def _face(row: npt.NDArray[np.float64]) -> DetectedFace:
    left, top, right, bottom = (float(value) for value in row[:4])
    points = row[4:14].reshape(5, 2)
    eyes = (float(points[0, 0]), float(points[0, 1])), (float(points[1, 0]), float(points[1, 1]))
    nose = float(points[2, 0]), float(points[2, 1])
    return DetectedFace(left, top, right, bottom, float(row[14]), eyes, nose, points)
