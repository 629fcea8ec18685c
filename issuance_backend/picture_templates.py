"""Which engines of this machine make templates of pictures, for modalities that compare them."""

from __future__ import annotations

from pathlib import Path

from issuance_backend.biometric_search.face_modality import FACE, FaceModality
from issuance_backend.biometric_search.finger_modality import FINGER, FingerModality
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.dossiers.national_gallery import FaceMaker, FingerMaker
from issuance_backend.personalization.finger_pictures import read_finger
from issuance_backend.personalization.portrait_judge import installed_engine
from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from verification.face.picture import Picture
from verification.fingerprint.nbis_engine import NbisEngine


def face_maker(modalities: Modalities, model_dir: Path | None) -> FaceMaker | None:
    """The face engine whose models are in the folder, where its templates can be compared."""
    engine = installed_engine(model_dir) if model_dir else None
    face = modalities.named(FACE) if FACE in modalities.codes else None
    return FaceMaker(engine, face, _shown) if engine and isinstance(face, FaceModality) else None


def finger_maker(modalities: Modalities) -> FingerMaker | None:
    """The finger engine, where its templates can be compared."""
    finger = modalities.named(FINGER) if FINGER in modalities.codes else None
    return FingerMaker(NbisEngine(), finger, read_finger) if isinstance(finger, FingerModality) else None


def _shown(portrait: bytes) -> Picture:
    return bgr(card_picture(portrait))
