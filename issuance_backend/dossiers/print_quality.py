"""How good each finger's print was, as it is recorded of a search: a band of NFIQ 2, never the score."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from issuance_backend.biometric_search.finger_modality import FINGER, SINGLE_FINGERS
from verification.fingerprint.minutiae import read_template
from verification.messages.biometric_search import SampleMessage

UNREADABLE = "unreadable"
_BAND, _BEST_BAND = 20, 80


def finger_quality(samples: Sequence[SampleMessage], taken: Collection[int]) -> dict[str, str]:
    """The bands of a dossier's prints, from the templates that were made of those that were ``taken``.

    Where no template of a finger was made, no engine here reads fingers: nothing is said of any.
    """
    bands = {
        sample.position: str(min(read_template(sample.content).quality // _BAND * _BAND, _BEST_BAND))
        for sample in samples
        if sample.modality == FINGER
    }
    if not bands:
        return {}
    told = dict.fromkeys(SINGLE_FINGERS.intersection(taken), UNREADABLE) | bands
    return {"finger_quality": " ".join(f"{position:02}:{band}" for position, band in sorted(told.items()))}


def are_unreadable(samples: Sequence[SampleMessage], taken: Collection[int]) -> bool:
    """Whether fingers were ``taken`` and not one of them gave a template."""
    return bool(SINGLE_FINGERS.intersection(taken)) and all(each.modality != FINGER for each in samples)
