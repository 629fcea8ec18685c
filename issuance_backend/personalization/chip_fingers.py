"""The fingerprints of a dossier as DG3: the two best, each compressed once (ICAO 9303-10, 4.7.3)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping

from issuance_backend.personalization.finger_pictures import PPI, encode_wsq, read_finger
from verification.errors import FingerImageUndecodable, LimitExceeded
from verification.lds.dg3 import WSQ, Dg3, FingerImage, FingerPosition, Impression, build_dg3
from verification.lds.image_header import image_kind
from verification.messages.asked_prints import SINGLE_FINGERS

FINGERS_ON_CHIP = 2
# What readers ask for first; of the others those that print largest.
_PREFERRED = (2, 7, 1, 6, 3, 8, 4, 9, 5, 10)
_UNJUDGED = 0
_RANDOM_OCTETS = 32

logger = logging.getLogger(__name__)


def chip_fingers(
    prints: Mapping[int, str], quality: Mapping[int, int | None], read: Callable[[str], bytes]
) -> bytes:
    """DG3 of a dossier's prints, named by finger; ``read`` gives a print as it was captured.

    ``quality`` are the bands of NFIQ 2 in which the centre judged them, None for a finger in whose
    print no ridge was to be seen: that one is left out, as is a print that does not fit a chip, and the
    next best takes its place. Without any, random octets take the place of fingers, so that the hash in
    EF.SOD does not tell. What ``read`` raises passes.
    """
    fingers: list[FingerImage] = []
    for position in _best_first(prints, quality):
        try:
            fingers.append(_finger(position, read(prints[position])))
        except (FingerImageUndecodable, LimitExceeded) as fault:
            logger.warning("print left off a chip", extra={"code": fault.code})
        if len(fingers) == FINGERS_ON_CHIP:
            break
    return build_dg3(Dg3(tuple(fingers), b"" if fingers else secrets.token_bytes(_RANDOM_OCTETS)))


def _best_first(prints: Mapping[int, str], quality: Mapping[int, int | None]) -> list[int]:
    judged = {each: quality.get(each, _UNJUDGED) for each in SINGLE_FINGERS if each in prints}
    readable = {position: band for position, band in judged.items() if band is not None}
    return sorted(readable, key=lambda each: (-readable[each], _PREFERRED.index(each)))


def _finger(position: int, captured: bytes) -> FingerImage:
    """What was captured as WSQ goes on the chip byte for byte: every lossy step costs ridges."""
    picture = read_finger(captured)
    image = captured if image_kind(captured) == WSQ else encode_wsq(picture)
    # Single fingers are rolled; the slaps are not cut for the chip.
    return FingerImage.of(FingerPosition(position), image, ppi=PPI, impression=Impression.ROLLED)
