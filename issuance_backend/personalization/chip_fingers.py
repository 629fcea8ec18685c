"""The fingerprints of a dossier as DG3: the two best, each compressed once (ICAO 9303-10, 4.7.3)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from issuance_backend.personalization.finger_pictures import PPI, encode_wsq, read_finger
from verification.errors import FingerImageUndecodable, LimitExceeded, SlapMiscounted
from verification.fingerprint.slap import fingers_of
from verification.lds.dg3 import WSQ, Dg3, FingerImage, FingerPosition, Impression, build_dg3
from verification.lds.finger_image import SLAPS
from verification.lds.image_header import image_kind
from verification.messages.asked_prints import SINGLE_FINGERS

FINGERS_ON_CHIP = 2
# What readers ask for first; of the others those that print largest.
_PREFERRED = (2, 7, 1, 6, 3, 8, 4, 9, 5, 10)
_UNJUDGED = 0
_RANDOM_OCTETS = 32

_GOOD_PLAIN = 40
"""The band from which on every score is above the 30 that BSI TR-03121-3-2 asks of plain prints."""

NO_PLAIN: Mapping[int, int | None] = MappingProxyType({})

logger = logging.getLogger(__name__)


def chip_fingers(
    prints: Mapping[int, str],
    quality: Mapping[int, int | None],
    read: Callable[[str], bytes],
    plain: Mapping[int, int | None] = NO_PLAIN,
) -> bytes:
    """DG3 of a dossier's prints, named by finger and slap; ``read`` gives a print as it was captured.

    ``quality`` are the bands of NFIQ 2 in which the centre judged the single prints, None for a finger in
    whose print no ridge was to be seen: that one is left out. ``plain`` are those of fingers in slaps: a
    good one, cut out of a slap without loss, goes before any rolled print. What does not decode or fit a
    chip gives its place to the next best. Without any, random octets take the place of fingers, so that
    the hash in EF.SOD does not tell. What ``read`` raises passes.
    """
    fingers: dict[int, FingerImage] = {}
    absent = frozenset(SINGLE_FINGERS).difference(prints)
    for position, slap in _best_first(prints, quality, plain):
        if position in fingers:
            continue
        try:
            captured = read(prints[position if slap is None else slap])
            finger = _rolled(position, captured) if slap is None else _plain(position, slap, captured, absent)
        except (FingerImageUndecodable, LimitExceeded, SlapMiscounted) as fault:
            logger.warning("print left off a chip", extra={"code": fault.code})
            continue
        if finger is not None:
            fingers[position] = finger
        if len(fingers) == FINGERS_ON_CHIP:
            break
    discretionary = b"" if fingers else secrets.token_bytes(_RANDOM_OCTETS)
    return build_dg3(Dg3(tuple(fingers.values()), discretionary))


def _best_first(
    prints: Mapping[int, str], quality: Mapping[int, int | None], plain: Mapping[int, int | None]
) -> list[tuple[int, int | None]]:
    """Fingers with the slap that they are cut from, and then rolled ones, by band."""
    slaps = {finger: int(slap) for slap, shown in SLAPS.items() if slap in prints for finger in shown}
    good = {each: band for each, band in plain.items() if band is not None and band >= _GOOD_PLAIN}
    judged = {each: quality.get(each, _UNJUDGED) for each in SINGLE_FINGERS if each in prints}
    readable = {position: band for position, band in judged.items() if band is not None}
    return [
        *((each, slaps[each]) for each in _ordered(good) if each in slaps and each in readable),
        *((each, None) for each in _ordered(readable)),
    ]


def _ordered(bands: Mapping[int, int]) -> list[int]:
    return sorted(bands, key=lambda each: (-bands[each], _PREFERRED.index(each)))


def _plain(position: int, slap: int, captured: bytes, absent: Collection[int]) -> FingerImage | None:
    """A finger cut out of a slap; none of one that was compressed: what is cut would be so once more."""
    if image_kind(captured) == WSQ:
        return None
    cut = fingers_of(read_finger(captured), slap, absent).get(position)
    if cut is None:
        return None
    return FingerImage.of(FingerPosition(position), encode_wsq(cut), ppi=PPI, impression=Impression.PLAIN)


def _rolled(position: int, captured: bytes) -> FingerImage:
    """What was captured as WSQ goes on the chip byte for byte: every lossy step costs ridges."""
    picture = read_finger(captured)
    image = captured if image_kind(captured) == WSQ else encode_wsq(picture)
    return FingerImage.of(FingerPosition(position), image, ppi=PPI, impression=Impression.ROLLED)
