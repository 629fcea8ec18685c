"""Whether each finger's print is good enough, by the centre's own eyes, and of that finger alone (F02, F03).

Of a search a band of NFIQ 2 is recorded for each, never the score.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from issuance_backend.biometric_search.finger_modality import FINGER, SINGLE_FINGERS
from issuance_backend.dossiers.domain import DossierEvent
from verification.errors import FingerQualityInsufficient
from verification.fingerprint.minutiae import read_template
from verification.fingerprint.print_attempts import TWO_FINGERS
from verification.fingerprint.quality_limits import QualityLimits
from verification.fingerprint.slap import MISPLACED
from verification.fingerprint.ten_prints import Pair
from verification.messages.asked_prints import FINGERPRINTS, finger_item, fingers_sent_back
from verification.messages.biometric_search import SampleMessage
from verification.messages.enrollment import RecordedStep

ROLLED, PLAIN = "finger_quality", "plain_quality"
"""Under which names a search records the bands of single prints, and of fingers in slaps."""

UNREADABLE = "unreadable"
BELOW_LIMIT = "PRINT_BELOW_LIMIT"
_BAND, _BEST_BAND = 20, 80


def finger_quality(samples: Sequence[SampleMessage], taken: Collection[int]) -> dict[str, str]:
    """The bands of a dossier's prints, from the templates that were made of those that were ``taken``.

    Where no template of a finger was made, no engine here reads fingers: nothing is said of any.
    """
    bands = {sample.position: _band(sample.content) for sample in samples if sample.modality == FINGER}
    if not bands:
        return {}
    told = dict.fromkeys(SINGLE_FINGERS.intersection(taken), UNREADABLE) | bands
    return {ROLLED: _words(told)}


def plain_quality(templates: Mapping[int, bytes], proven: Collection[int]) -> dict[str, str]:
    """The bands of fingers in slaps, of those that are ``proven`` by their single prints."""
    told = {position: _band(template) for position, template in templates.items() if position in proven}
    return {PLAIN: _words(told)} if told else {}


def told_quality(detail: Mapping[str, str], of: str = ROLLED) -> dict[int, int | None]:
    """What was recorded with a search of prints of a kind: the lowest score of each band.

    None is unreadable.
    """
    words = (word.split(":") for word in detail.get(of, "").split())
    return {int(position): None if band == UNREADABLE else int(band) for position, band in words}


def prints_brought(steps: Iterable[RecordedStep]) -> RecordedStep | None:
    """The last capture that brought prints: the first one, or what answers a return of some of them."""
    found, are_asked = None, True
    for step in steps:
        if step.event == DossierEvent.RETURN:
            are_asked = bool(fingers_sent_back(step.detail.get("items", "").split(",")))
        elif step.event in {DossierEvent.RECEIVE, DossierEvent.CAPTURE} and are_asked:
            found = step
    return found


def _band(template: bytes) -> str:
    return str(min(read_template(template).quality // _BAND * _BAND, _BEST_BAND))


def _words(bands: Mapping[int, str]) -> str:
    return " ".join(f"{position:02}:{band}" for position, band in sorted(bands.items()))


def finger_templates(samples: Iterable[SampleMessage]) -> dict[int, bytes]:
    """The fingers' templates by position."""
    return {sample.position: sample.content for sample in samples if sample.modality == FINGER}


def quality_faults(
    templates: Mapping[int, bytes],
    taken: Collection[int],
    answered_for: Collection[int],
    limits: QualityLimits,
    age: int | None,
) -> dict[str, str]:
    """Fault codes by finger for prints below their limit, unless a supervisor answers for them.

    Where no ridge is to be seen there is no print to answer for: the finger has a reason of its own.
    """
    faults = {}
    for position in sorted(SINGLE_FINGERS.intersection(taken)):
        if position not in templates:
            faults[finger_item(position)] = FingerQualityInsufficient.code
        elif position not in answered_for and _is_poor(templates[position], limits.least_of(position, age)):
            faults[finger_item(position)] = BELOW_LIMIT
    return faults


def _is_poor(template: bytes, least: int) -> bool:
    return read_template(template).quality < least


def twin_faults(pairs: Iterable[Pair]) -> dict[str, str]:
    """The same for two prints of one finger: nobody knows which of them is the other finger's."""
    return {finger_item(position): TWO_FINGERS for pair in pairs for position in pair}


def misplaced_faults(positions: Iterable[int]) -> dict[str, str]:
    """The same for prints that the slaps show to be of another finger."""
    return {finger_item(position): MISPLACED for position in positions}


def slap_faults(uncut: Mapping[int, str]) -> dict[str, str]:
    """The same for slaps that cannot be cut into their fingers, each with its own code."""
    return {finger_item(position): code for position, code in uncut.items()}


def sent_back(faults: Mapping[str, str], taken: Collection[int]) -> tuple[str, ...]:
    """The fingers to take again, or all prints where none is right."""
    everything = {finger_item(position) for position in SINGLE_FINGERS.intersection(taken)}
    return (FINGERPRINTS,) if everything == faults.keys() else tuple(sorted(faults))


def are_unreadable(samples: Sequence[SampleMessage], taken: Collection[int]) -> bool:
    """Whether fingers were ``taken`` and not one of them gave a template."""
    return bool(SINGLE_FINGERS.intersection(taken)) and all(each.modality != FINGER for each in samples)
