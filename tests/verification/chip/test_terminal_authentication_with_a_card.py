"""Terminal authentication against the software chip, which has its own code for its side."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, MRZ_INFORMATION, Interposed, dg14, filled, image
from tests.support.terminal_pki import ECDSA_SHA256, Party, cvca, issue, link, terminal_chain
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.chip.terminal_authentication import Terminal
from verification.errors import (
    SecureMessagingFailed,
    TerminalAuthenticationFailed,
    TerminalNotTrusted,
    VerificationError,
)
from verification.lds.card_verifiable import CV_ALGORITHMS, HolderAuthorization, HolderRole
from verification.lds.card_verifiable_path import EffectiveRights
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.ef_cvca import parse_ef_cvca
from verification.lds.files import LdsFile

DG3, DG4 = LdsFile.DG3, LdsFile.DG4
FILES = {DG4: filled(DG4, 600)}


def card_trusting(*roots: Party, **changes: Any) -> VirtualCard:
    files = FILES | changes.pop("files", {})
    made = image(files=files, trust_points=tuple(root.certificate.encoded for root in roots), **changes)
    groups = tuple(file for file in made.files if file.is_data_group)
    files = {**made.files, LdsFile.COM: build_common_data(CommonData("0107", "040000", groups))}
    return VirtualCard(msgspec.structs.replace(made, files=files, locked=frozenset({DG3, DG4})))


def terminal_of(own: Party, *others: Party) -> Terminal:
    return Terminal((*(party.certificate for party in others), own.certificate), own.sign)


def groups_opened(reader: DocumentReader) -> dict[LdsFile, bytes]:
    return {file: content for file, content in reader.read_locked().items() if file.is_data_group}


def opened(card: Any, secret: Any = Can(CAN)) -> tuple[DocumentReader, dict[LdsFile, bytes]]:  # noqa: B008
    reader = DocumentReader(card, os.urandom)
    reader.open(secret)
    files = reader.read_files()
    assert set(reader.locked) == {DG3, DG4}
    assert not {DG3, DG4} & files.keys()
    reader.authenticate_chip(files[LdsFile.DG14])
    return reader, files


@pytest.mark.parametrize("algorithm", sorted(CV_ALGORITHMS))
def test_the_chip_opens_what_the_rights_allow(algorithm: str) -> None:
    root, verifier, own = terminal_chain(algorithm)
    card = card_trusting(root)
    reader, _ = opened(card)
    reader.authenticate_terminal(terminal_of(own, root, verifier))
    assert reader.terminal_rights == EffectiveRights(0b01)
    assert groups_opened(reader) == {DG3: image().files[DG3]}
    assert reader.locked == [DG4]


@pytest.mark.parametrize("curve", ["secp224r1", "secp384r1", "secp521r1", "brainpoolP512r1"])
def test_on_other_curves(curve: str) -> None:
    root, verifier, own = terminal_chain(ECDSA_SHA256, curve)
    reader, _ = opened(card_trusting(root))
    reader.authenticate_terminal(terminal_of(own, verifier))
    assert DG3 in groups_opened(reader)


def test_after_bac_the_chip_is_named_by_its_document_number() -> None:
    root, verifier, own = terminal_chain()
    without_pace = {LdsFile.DG14: dg14(pace=())}
    card = card_trusting(root, pace=False, files=without_pace, without=(LdsFile.CARD_ACCESS,))
    reader, _ = opened(card, MrzKey(MRZ_INFORMATION))
    assert reader.access is not None
    assert reader.access.method == "BAC"
    reader.authenticate_terminal(terminal_of(own, root, verifier))
    assert DG3 in groups_opened(reader)


@pytest.mark.parametrize(
    ("rights", "expected"), [(0b00, set()), (0b01, {DG3}), (0b10, {DG4}), (0b11, {DG3, DG4})]
)
@pytest.mark.parametrize("holder", ["root", "verifier", "terminal"])
def test_rights_on_both_sides_are_the_same(holder: str, rights: int, expected: set[LdsFile]) -> None:
    given = {"root": 0b11, "verifier": 0b11, "terminal": 0b11, holder: rights}
    oid = cvca().certificate.authorization.oid
    root = cvca(authorization=HolderAuthorization(oid, HolderRole.CVCA, given["root"]))
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, rights=given["verifier"])
    own = issue(verifier, "VNIS00001", HolderRole.IS, rights=given["terminal"])
    reader, _ = opened(card_trusting(root))
    reader.authenticate_terminal(terminal_of(own, root, verifier))
    assert groups_opened(reader).keys() == expected
    # What the terminal was told and what the chip does are the same, also for the rest.
    reader.terminal_rights = EffectiveRights(0b11)
    assert groups_opened(reader) == {}


def test_a_link_moves_the_trust_point_and_the_next_session_needs_none() -> None:
    old = cvca("VNCVCA00001", effective=date(2024, 1, 1))
    new = cvca("VNCVCA00002", curve="secp384r1")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    own = issue(verifier, "VNIS00001", HolderRole.IS)
    between = link(old, new)
    terminal = Terminal((between, verifier.certificate, own.certificate), own.sign)
    card = card_trusting(old)
    for _ in range(2):
        reader, _ = opened(card)
        reader.authenticate_terminal(terminal)
        assert groups_opened(reader).keys() == {DG3, DG4}
        references = parse_ef_cvca(card.trust.ef_cvca())
        assert references == ("VNCVCA00002", "VNCVCA00001")


def test_a_session_lost_after_a_link_is_opened_again_with_all_rights() -> None:
    """The chip that took the new key in refuses the link a second time."""
    old = cvca("VNCVCA00001", effective=date(2024, 1, 1))
    new = cvca("VNCVCA00002")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    own = issue(verifier, "VNIS00001", HolderRole.IS)
    terminal = Terminal((link(old, new), verifier.certificate, own.certificate), own.sign)
    reader, _ = opened(card_trusting(old))
    reader.authenticate_terminal(terminal)
    session = reader.channel.secure_messaging
    assert session is not None
    session.is_alive = False
    assert groups_opened(reader).keys() == {DG3, DG4}


def test_a_chip_of_another_state_is_left_alone() -> None:
    root, verifier, own = terminal_chain()
    reader, _ = opened(card_trusting(cvca("DECVCA00001")))
    before = reader.channel.apdu_count
    with pytest.raises(TerminalNotTrusted):
        reader.authenticate_terminal(terminal_of(own, root, verifier))
    # EF.CVCA was read; no certificate was shown.
    assert reader.channel.apdu_count - before <= 3
    assert reader.terminal_rights is None
    assert groups_opened(reader) == {}


def test_an_expired_terminal_is_refused_by_the_chip() -> None:
    root = cvca()
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC)
    yesterday = root.certificate.effective - timedelta(1)
    own = issue(verifier, "VNIS00001", HolderRole.IS, effective=yesterday, expiration=yesterday)
    reader, _ = opened(card_trusting(root))
    with pytest.raises(TerminalAuthenticationFailed):
        reader.authenticate_terminal(terminal_of(own, root, verifier))


def test_a_terminal_with_another_key_is_refused_and_the_session_goes_on() -> None:
    root, verifier, own = terminal_chain()
    thief = issue(verifier, own.name, HolderRole.IS)
    reader, files = opened(card_trusting(root))
    stolen = Terminal((verifier.certificate, own.certificate), thief.sign)
    with pytest.raises(TerminalAuthenticationFailed):
        reader.authenticate_terminal(stolen)
    assert reader.read_files()[LdsFile.DG1] == files[LdsFile.DG1]
    assert DG3 in reader.locked


def test_without_chip_authentication_nothing_is_tried() -> None:
    root, verifier, own = terminal_chain()
    reader = DocumentReader(card_trusting(root), os.urandom)
    reader.open(Can(CAN))
    with pytest.raises(TerminalAuthenticationFailed, match="chip authentication"):
        reader.authenticate_terminal(terminal_of(own, root, verifier))


def test_an_answer_without_protection_is_no_refusal() -> None:
    root, verifier, own = terminal_chain()
    reading = True

    def strip(_: int, command: bytes, answer: bytes) -> bytes:
        return b"\x69\x82" if not reading and command[1] == 0x2A else answer

    reader, _ = opened(Interposed(card_trusting(root), strip))
    reading = False
    with pytest.raises((SecureMessagingFailed, TerminalAuthenticationFailed)):
        reader.authenticate_terminal(terminal_of(own, root, verifier))


@pytest.mark.parametrize("step", range(6))
def test_an_altered_answer_at_any_step_opens_nothing(step: int) -> None:
    root, verifier, own = terminal_chain()
    terminal = terminal_of(own, root, verifier)
    begun: list[int] = []

    def alter(index: int, _: bytes, answer: bytes) -> bytes:
        if begun and index == begun[0] + step:
            return bytes((answer[0] ^ 1,)) + answer[1:]
        return answer

    card = Interposed(card_trusting(root), alter)
    reader, _ = opened(card)
    begun.append(card.count)
    try:
        reader.authenticate_terminal(terminal)
    except VerificationError:
        assert reader.terminal_rights is None
    else:
        # EF.CVCA only: it is not needed, and the session is opened again by itself.
        assert reader.terminal_rights == EffectiveRights(0b01)
