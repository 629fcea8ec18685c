"""What is fuzzed: every parser of bytes that a stranger hands us, and a reader before a card gone mad.

A target takes any bytes. It returns, or raises an error of ours, within 200 ms; all else is a finding.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from tests.fuzz import seeds
from tests.support import pki
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader, ReadPolicy
from verification.encoding.der_scan import scan
from verification.encoding.mrz import parse_mrz
from verification.encoding.tlv import read_tlv
from verification.errors import VerificationError
from verification.identity.card_qr import parse_card_qr
from verification.inspection.inspect import inspect
from verification.lds.card_security import parse_card_security
from verification.lds.card_verifiable import parse_cv_certificate
from verification.lds.common_data import parse_common_data
from verification.lds.dg1 import parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg3 import parse_dg3
from verification.lds.dg13 import parse_dg13
from verification.lds.dg15 import parse_dg15
from verification.lds.ef_cvca import parse_ef_cvca
from verification.lds.files import LdsFile
from verification.lds.image_header import read_image_header
from verification.lds.security_infos import parse_card_access, parse_dg14
from verification.lds.security_object import parse_security_object
from verification.pki.certificate import parse_certificate
from verification.pki.master_list import parse_master_list
from verification.pki.public_keys import load_public_key
from verification.pki.revocation import parse_revocation_list

MAX_SECONDS = 0.2

Run = Callable[[bytes], object]


class TooSlow(AssertionError):
    """An input that costs more processor time than a counter can spare."""


@dataclass(frozen=True)
class Target:
    """Something that takes bytes, and inputs to begin with."""

    run: Run
    seeds: Callable[[], list[bytes]]
    longest: int = 4096

    def __call__(self, data: bytes) -> None:
        """Run once; raises what must not happen."""
        began = time.thread_time()
        with suppress(VerificationError):
            self.run(data)
        if time.thread_time() - began > MAX_SECONDS:
            raise TooSlow(f"{time.thread_time() - began:.3f} s for {len(data)} octets")


def _text(parse: Callable[[str], object]) -> Run:
    return lambda data: parse(data.decode("utf-8", "replace"))


class ReplayedAnswers:
    """A card whose answers are the input cut in pieces: a length octet before each, then silence."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def transmit(self, _command: bytes) -> bytes:
        length = 2 + (self._data[0] if self._data else 0)
        answer, self._data = self._data[1 : 1 + length], self._data[1 + length :]
        return answer if len(answer) >= 2 else b"\x6a\x82"


class AlteredAnswers:
    """A genuine card with some octets of its answers changed: three octets of the input say which."""

    def __init__(self, data: bytes) -> None:
        self._card = seeds.genuine_chip()
        self._card.power_on()
        self._changes = {data[at]: (data[at + 1], data[at + 2]) for at in range(0, len(data) - 2, 3)}
        self._index = 0

    def transmit(self, command: bytes) -> bytes:
        answer = bytearray(self._card.transmit(command))
        position, mask = self._changes.get(self._index, (0, 0))
        answer[position % len(answer)] ^= mask
        self._index += 1
        return bytes(answer)


def _read_card(transport: ReplayedAnswers | AlteredAnswers, secret: Can | MrzKey) -> None:
    drawn = random.Random(7)  # noqa: S311 - the same run for the same input
    reader = DocumentReader(transport, drawn.randbytes, policy=ReadPolicy(allow_bac_fallback=True))
    reader.open(secret)
    files = reader.read_files()
    if LdsFile.DG14 in files:
        reader.authenticate_chip(files[LdsFile.DG14])


def _inspect_file(file: LdsFile) -> Run:
    def run(data: bytes) -> None:
        # Inspection never raises for a bad document, not even an error of ours.
        try:
            inspect({**pki.quick_card().files, file: data}, _trust(), pki.NOW)
        except VerificationError as fault:
            raise AssertionError(f"inspect raised {fault.code}") from fault

    return run


@cache
def _trust() -> pki.TrustStore:
    return pki.trust_store(pki.quick_issuer())


TARGETS: Mapping[str, Target] = {
    "tlv": Target(read_tlv, seeds.all_files),
    "der_scan": Target(scan, seeds.all_files),
    "mrz": Target(_text(parse_mrz), seeds.zones),
    "qr": Target(_text(parse_card_qr), seeds.qr_codes),
    "com": Target(parse_common_data, seeds.file(LdsFile.COM)),
    "dg1": Target(parse_dg1, seeds.file(LdsFile.DG1)),
    "dg2": Target(parse_dg2, seeds.portraits, longest=65_535),
    "dg3": Target(parse_dg3, seeds.fingers, longest=65_535),
    "dg13": Target(parse_dg13, seeds.file(LdsFile.DG13)),
    "dg14": Target(parse_dg14, seeds.file(LdsFile.DG14)),
    "dg15": Target(parse_dg15, seeds.file(LdsFile.DG15)),
    "image": Target(read_image_header, seeds.images, longest=65_535),
    "card_access": Target(parse_card_access, seeds.file(LdsFile.CARD_ACCESS)),
    "card_security": Target(parse_card_security, seeds.card_security),
    "ef_cvca": Target(parse_ef_cvca, seeds.ef_cvca),
    "sod": Target(parse_security_object, seeds.file(LdsFile.SOD)),
    "sod_inspected": Target(_inspect_file(LdsFile.SOD), seeds.file(LdsFile.SOD)),
    "dg13_inspected": Target(_inspect_file(LdsFile.DG13), seeds.file(LdsFile.DG13)),
    "certificate": Target(parse_certificate, seeds.certificates),
    "public_key": Target(load_public_key, seeds.public_keys),
    "crl": Target(parse_revocation_list, seeds.revocation_lists),
    "master_list": Target(parse_master_list, seeds.master_lists, longest=65_535),
    "cvc": Target(parse_cv_certificate, seeds.cv_certificates),
    "apdu_responses": Target(lambda data: _read_card(ReplayedAnswers(data), seeds.CAN), seeds.answers),
    "card_answers_altered": Target(
        lambda data: _read_card(AlteredAnswers(data), seeds.genuine_secret()), seeds.changes, longest=96
    ),
}
