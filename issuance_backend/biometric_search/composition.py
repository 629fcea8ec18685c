"""The parts of the search, put together out of a folder of keys and the engines of this machine."""

from __future__ import annotations

from collections.abc import Iterable

from issuance_backend.biometric_search.calibration import shipped
from issuance_backend.biometric_search.face_modality import FaceModality, Measure
from issuance_backend.biometric_search.finger_modality import FingerModality
from issuance_backend.biometric_search.further_modalities import further_modalities
from issuance_backend.biometric_search.modality import Modalities, Modality
from issuance_backend.store_profile import DEMO
from verification.fingerprint.nbis_engine import NbisEngine

FACE_DIMENSION = 128
FACES_OF_GALLERIES = "cc0"
"""The face engine of which it is known what its scores mean: comparing takes none of its models."""


def compared_modalities(further: str = "", profile: str = DEMO) -> Modalities:
    """What lies in galleries and can be compared on any machine.

    With the kinds of :mod:`further_modalities`; raises ConfigurationFault for one that is not installed.
    """
    return installed_modalities(FACES_OF_GALLERIES, further_modalities(further, profile))


def installed_modalities(face_engine: str | None, further: Iterable[Modality] = ()) -> Modalities:
    """Fingers, faces where an engine is here of which it is known what its scores mean, and further kinds."""
    plugins: list[Modality] = [FingerModality(NbisEngine())]
    if face_engine is not None and _is_calibrated(f"face-{face_engine}"):
        measure = Measure.DISTANCE if face_engine == "cc0" else Measure.COSINE
        plugins.append(FaceModality(face_engine, FACE_DIMENSION, measure))
    return Modalities((*plugins, *further))


def _is_calibrated(calibration: str) -> bool:
    try:
        shipped(calibration)
    except KeyError:
        return False
    return True
