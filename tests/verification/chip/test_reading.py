"""Reading a chip from its first command to its last, with cards that behave and cards that do not."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.quirks import Quirks
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import pki
from tests.support.chip_card import (
    CAN,
    Interposed,
    dg14,
    filled,
    image,
    private_info,
)
from tests.support.chip_reader import MRZ, READABLE, reader_of
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import AccessResult, DocumentReader, Progress
from verification.encoding.tlv import build
from verification.errors import (
    AccessControlDowngraded,
    AccessControlUnsupported,
    AccessDenied,
    AccessSecretWrong,
    CardRemoved,
    FileLocked,
    LimitExceeded,
    MalformedDocument,
    MrzNeeded,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.files import LdsFile
from verification.lds.security_infos import PaceInfo, SecurityInfos, build_card_access

# -- access -----------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [Can(CAN), MRZ], ids=["can", "mrz"])
@pytest.mark.parametrize("selects_master_file", [True, False])
def test_a_card_is_opened_with_pace_and_read_whole(secret: Can | MrzKey, selects_master_file: bool) -> None:
    reader = reader_of(VirtualCard(image(selects_master_file=selects_master_file)))
    assert reader.open(secret) == AccessResult("PACE-GM", downgraded=False)
    assert reader.read_files() == READABLE
    assert (reader.locked, reader.missing) == ([LdsFile.DG3], [])


@pytest.mark.parametrize("arc", [1, 2, 3, 4], ids=["3DES", "AES-128", "AES-192", "AES-256"])
@pytest.mark.parametrize("parameter_id", [12, 13, 15, 16, 17, 18])
def test_every_cipher_and_curve_of_pace_opens_a_card(arc: int, parameter_id: int) -> None:
    offer = PaceInfo(f"0.4.0.127.0.7.2.2.4.2.{arc}", 2, parameter_id)
    files = {
        LdsFile.CARD_ACCESS: build_card_access(SecurityInfos(pace=(offer,))),
        LdsFile.DG14: dg14(pace=(offer,)),
    }
    reader = reader_of(VirtualCard(image(files=files)), files=(LdsFile.DG1, LdsFile.DG14))
    assert reader.open(Can(CAN)).method == "PACE-GM"
    assert reader.read_files() == files | {LdsFile.DG1: READABLE[LdsFile.DG1]}


def test_a_card_without_pace_is_opened_with_bac() -> None:
    card = image(without=(LdsFile.CARD_ACCESS,), pace=False, files={LdsFile.DG14: dg14(1, pace=())})
    reader = reader_of(VirtualCard(card))
    assert reader.open(MRZ) == AccessResult("BAC", downgraded=False)
    files = reader.read_files()
    assert files == {file: content for file, content in card.files.items() if file is not LdsFile.DG3}


def test_a_can_does_not_open_a_card_without_pace() -> None:
    with pytest.raises(MrzNeeded):
        reader_of(VirtualCard(image(without=(LdsFile.CARD_ACCESS,), pace=False))).open(Can(CAN))


@pytest.mark.parametrize("pace", [True, False])
def test_a_wrong_secret_is_told_and_the_right_one_then_works(pace: bool) -> None:
    without = () if pace else (LdsFile.CARD_ACCESS,)
    card = VirtualCard(image(without=without, pace=pace, files={} if pace else {LdsFile.DG14: dg14(pace=())}))
    reader = reader_of(card)
    with pytest.raises(AccessSecretWrong):
        reader.open(MrzKey("L898902C<369080619406236"))
    reader.open(MRZ)
    assert LdsFile.DG1 in reader.read_files()


def test_a_wrong_can_is_told() -> None:
    with pytest.raises(AccessSecretWrong):
        reader_of(VirtualCard(image())).open(Can("654321"))


def refuse_pace(index: int, command: bytes, answer: bytes) -> bytes:
    return b"\x6a\x80" if command[1:4].hex() == "22c1a4" else answer


def test_a_failed_pace_is_not_followed_by_bac() -> None:
    with pytest.raises(AccessControlDowngraded):
        reader_of(Interposed(VirtualCard(image()), refuse_pace)).open(MRZ)
    with pytest.raises(UnexpectedStatusWord):
        reader_of(Interposed(VirtualCard(image()), refuse_pace)).open(Can(CAN))


def test_a_permitted_fallback_is_never_silent() -> None:
    reader = reader_of(Interposed(VirtualCard(image()), refuse_pace), allow_bac_fallback=True)
    assert reader.open(MRZ) == AccessResult("BAC", downgraded=True)
    assert reader.read_files() == READABLE
    assert reader.access == AccessResult("BAC", downgraded=True)


def test_a_wrong_secret_is_no_reason_to_fall_back() -> None:
    with pytest.raises(AccessSecretWrong):
        reader_of(VirtualCard(image()), allow_bac_fallback=True).open(MrzKey("L898902C<369080619406236"))


def test_hidden_pace_is_found_out() -> None:
    """Somebody between card and reader keeps EF.CardAccess back; DG14 still lists what it offered."""
    card = image(without=(LdsFile.CARD_ACCESS,), pace=False)
    reader = reader_of(VirtualCard(card))
    assert reader.open(MRZ) == AccessResult("BAC", downgraded=False)
    with pytest.raises(AccessControlDowngraded):
        reader.read_files()
    lenient = reader_of(VirtualCard(card), allow_bac_fallback=True)
    lenient.open(MRZ)
    lenient.read_files()
    assert lenient.access == AccessResult("BAC", downgraded=True)


def test_a_weaker_pace_than_dg14_lists_is_found_out() -> None:
    strong = PaceInfo("0.4.0.127.0.7.2.2.4.2.4", 2, 13)
    reader = reader_of(VirtualCard(image(files={LdsFile.DG14: dg14(pace=(strong,))})))
    reader.open(Can(CAN))
    with pytest.raises(AccessControlDowngraded):
        reader.read_files()


def test_pace_that_is_not_spoken_is_said_to_be_so() -> None:
    reserved = build_card_access(SecurityInfos(pace=(PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 31),)))
    for secret in (Can(CAN), MRZ):
        with pytest.raises(AccessControlUnsupported):
            reader_of(VirtualCard(image(files={LdsFile.CARD_ACCESS: reserved}))).open(secret)


def test_a_broken_card_access_is_a_malformed_document() -> None:
    with pytest.raises(MalformedDocument):
        reader_of(VirtualCard(image(files={LdsFile.CARD_ACCESS: b"\x31\x03abc"}))).open(Can(CAN))


# -- files ------------------------------------------------------------------------------------


def test_the_portrait_comes_last_and_progress_only_grows() -> None:
    steps: list[Progress] = []
    reader = DocumentReader(VirtualCard(image()), os.urandom, on_progress=steps.append)
    reader.open(Can(CAN))
    reader.read_files()
    order = list(dict.fromkeys(progress.step for progress in steps))
    assert order == ["access", "CardAccess", "COM", "SOD", "DG1", "DG13", "DG14", "DG15", "DG2"]
    for name in order[1:]:
        own = [progress for progress in steps if progress.step == name]
        assert [progress.done for progress in own] == sorted(progress.done for progress in own)
        assert own[-1].done == own[-1].total


def test_only_the_wanted_files_are_read() -> None:
    reader = reader_of(VirtualCard(image()), files=(LdsFile.DG1, LdsFile.SOD))
    reader.open(Can(CAN))
    assert set(reader.read_files()) == {LdsFile.CARD_ACCESS, LdsFile.SOD, LdsFile.DG1}


def test_a_listed_file_that_is_not_there_is_missing() -> None:
    reader = reader_of(VirtualCard(image(without=(LdsFile.DG13,))))
    reader.open(Can(CAN))
    assert LdsFile.DG13 not in reader.read_files()
    assert reader.missing == [LdsFile.DG13]


@pytest.mark.parametrize("common_data", [None, b"\x60\x03abc"])
def test_without_a_usable_list_the_expected_files_are_read(common_data: bytes | None) -> None:
    files = {LdsFile.COM: common_data} if common_data else {}
    without = () if common_data else (LdsFile.COM,)
    reader = reader_of(VirtualCard(image(files=files, without=without)))
    reader.open(Can(CAN))
    assert {LdsFile.DG1, LdsFile.DG2, LdsFile.DG13, LdsFile.DG14} <= set(reader.read_files())


@pytest.mark.parametrize("file", [LdsFile.SOD, LdsFile.DG1])
def test_a_closed_file_that_is_needed_stops_the_reading(file: LdsFile) -> None:
    reader = reader_of(VirtualCard(image(locked=frozenset({file}))))
    reader.open(Can(CAN))
    with pytest.raises(FileLocked):
        reader.read_files()


@pytest.mark.parametrize("size", [120, 131, 5000, 32_767, 40_000, 65_000])
@pytest.mark.parametrize("max_le", [0x70, 0xDF, 256, 4096])
def test_files_of_every_size_come_whole(size: int, max_le: int) -> None:
    content = filled(LdsFile.DG2, size)
    card = VirtualCard(image(files={LdsFile.DG2: content}))
    reader = reader_of(card, files=(LdsFile.DG2,), max_le=max_le)
    reader.open(Can(CAN))
    assert reader.read_files()[LdsFile.DG2] == content


@pytest.mark.parametrize(("extended_length", "of_portrait", "in_all"), [(True, 5, 21), (False, 81, 106)])
def test_a_card_with_a_portrait_of_18_kb_takes_few_commands(
    extended_length: bool, of_portrait: int, in_all: int
) -> None:
    """As many as the README says: for the portrait alone, and in all with PACE and every other file."""
    card = image(files={LdsFile.DG2: filled(LdsFile.DG2, 18_000)}, extended_length=extended_length)
    portrait: list[int] = []
    reader = DocumentReader(
        VirtualCard(card),
        os.urandom,
        on_progress=lambda progress: portrait.append(progress.done) if progress.step == "DG2" else None,
    )
    reader.open(Can(CAN))
    assert reader.read_files()[LdsFile.DG2] == card.files[LdsFile.DG2]
    # One report after each command that brought a part.
    assert (len(portrait), reader.channel.apdu_count) == (of_portrait, in_all)


# -- the files that a card is said to have ----------------------------------------------------


def signed_card(*listed: LdsFile) -> VirtualCard:
    """A signed card whose EF.COM lists these groups."""
    common_data = build_common_data(CommonData("0107", "040000", listed))
    return VirtualCard(
        image(files={**pki.quick_card().files, LdsFile.COM: common_data}, without=(LdsFile.DG3,))
    )


def test_a_file_that_ef_com_forgets_is_read() -> None:
    reader = reader_of(signed_card(LdsFile.DG1, LdsFile.DG2))
    reader.open(Can(CAN))
    assert {LdsFile.DG13, LdsFile.DG14, LdsFile.DG15} <= reader.read_files().keys()
    assert reader.missing == []


def test_a_file_that_ef_com_invents_is_missing() -> None:
    reader = reader_of(signed_card(LdsFile.DG1, LdsFile.DG2, LdsFile.DG11, LdsFile.DG16))
    reader.open(Can(CAN))
    assert {LdsFile.DG13, LdsFile.DG14, LdsFile.DG15} <= reader.read_files().keys()
    assert reader.missing == [LdsFile.DG11, LdsFile.DG16]


# -- PACE with the other mappings -------------------------------------------------------------


def mapped(arc: int, **changes: object) -> VirtualCard:
    offer = PaceInfo(f"0.4.0.127.0.7.2.2.4.{arc}.2", 2, 13)
    files = {
        LdsFile.CARD_ACCESS: build_card_access(SecurityInfos(pace=(offer,))),
        LdsFile.DG14: dg14(pace=(offer,)),
        LdsFile.CARD_SECURITY: filled(LdsFile.CARD_SECURITY, 1200),
    }
    static = private_info(ec.derive_private_key(0x1234567, ec.BrainpoolP256R1()))
    return VirtualCard(image(files=files, mapping_key=static, **changes))


@pytest.mark.parametrize("secret", [Can(CAN), MRZ], ids=["can", "mrz"])
def test_integrated_mapping_opens_a_card(secret: Can | MrzKey) -> None:
    reader = reader_of(mapped(4))
    assert reader.open(secret) == AccessResult("PACE-IM", downgraded=False)
    files = reader.read_files()
    assert LdsFile.CARD_SECURITY not in files
    assert (reader.chip_mapping, reader.card_security) == (None, None)
    assert files[LdsFile.DG2] == READABLE[LdsFile.DG2]
    assert len(reader.chip_identity) == 32


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        Quirks(largest_block=160, beyond_block=0x6700),
        Quirks(largest_block=112, beyond_block=0x6700, errors_end_session=True),
    ],
    ids=["capable", "short blocks", "short blocks, errors end the session"],
)
def test_after_chip_authentication_mapping_ef_card_security_is_read(quirks: Quirks) -> None:
    reader = reader_of(mapped(6, quirks=quirks))
    assert reader.open(Can(CAN)) == AccessResult("PACE-CAM", downgraded=False)
    assert reader.card_security == filled(LdsFile.CARD_SECURITY, 1200)
    assert reader.chip_mapping is not None
    files = reader.read_files()
    assert files[LdsFile.CARD_SECURITY] == reader.card_security
    assert files[LdsFile.DG2] == READABLE[LdsFile.DG2]


def test_without_ef_card_security_a_mapping_proves_nothing() -> None:
    reader = reader_of(mapped(6, without=(LdsFile.CARD_SECURITY,)))
    assert reader.open(Can(CAN)).method == "PACE-CAM"
    assert LdsFile.CARD_SECURITY not in reader.read_files()
    assert reader.card_security is None
    assert reader.chip_mapping is not None


@pytest.mark.parametrize("limit", [0xDF, 0xA0, 0x70])
@pytest.mark.parametrize("status", [b"\x67\x00", b"\x6b\x00"])
def test_a_card_that_carries_only_short_answers_is_read_all_the_same(limit: int, status: bytes) -> None:
    """It refuses in plain and drops its session, as cards in the field do."""
    card = VirtualCard(image())

    def refuse_long(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] == 0x0C and len(answer) > limit + 40:
            card.power_off()
            return status
        return answer

    reader = reader_of(Interposed(card, refuse_long), max_le=1024)
    reader.open(Can(CAN))
    assert reader.read_files() == READABLE
    assert reader.locked == [LdsFile.DG3]


def test_a_locked_file_may_end_the_session() -> None:
    card = VirtualCard(image(locked=frozenset({LdsFile.DG13})))
    answers: list[bytes] = []

    def refuse_in_plain(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] == 0x0C and answer[-2:] == b"\x69\x82":
            answers.append(answer)
            card.power_off()
            return b"\x69\x82"
        return answer

    reader = reader_of(Interposed(card, refuse_in_plain))
    reader.open(Can(CAN))
    files = reader.read_files()
    assert answers
    assert LdsFile.DG13 in reader.locked
    assert files[LdsFile.DG2] == READABLE[LdsFile.DG2]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\x75\x83\x01\x00\x00" + bytes(60), LimitExceeded),
        (b"\x75\x84\xff\xff\xff\xff" + bytes(60), LimitExceeded),
        (b"\x75\x82\xff\xff" + bytes(60), LimitExceeded),
        (b"\x75\x80" + bytes(60), LimitExceeded),
        (b"\x75\x82\x10\x00" + bytes(60), MalformedDocument),
        (b"\x75\x82", MalformedDocument),
        (b"\x76\x02\x00\x00", MalformedDocument),
        (b"\x75", MalformedDocument),
    ],
)
def test_a_file_that_lies_about_its_length_is_refused(content: bytes, error: type[VerificationError]) -> None:
    reader = reader_of(VirtualCard(image(files={LdsFile.DG2: content})), files=(LdsFile.DG2,))
    reader.open(Can(CAN))
    with pytest.raises(error):
        reader.read_files()
    assert reader.channel.apdu_count < 60


def test_an_altered_answer_never_becomes_a_file() -> None:
    """One octet of every protected answer is altered in turn; the reader retries or gives up."""
    total = Interposed(VirtualCard(image()), lambda _, __, answer: answer)
    reader = reader_of(total)
    reader.open(Can(CAN))
    reader.read_files()
    for position in range(8, total.count, 3):

        def alter(index: int, _: bytes, answer: bytes, position: int = position) -> bytes:
            return bytes((answer[0] ^ 1,)) + answer[1:] if index == position else answer

        reader = reader_of(Interposed(VirtualCard(image()), alter))
        try:
            reader.open(Can(CAN))
            files = reader.read_files()
        except VerificationError:
            continue
        assert files == READABLE


def test_a_card_pulled_at_any_command_is_reported_and_can_be_read_again() -> None:
    card = VirtualCard(image(files={LdsFile.DG2: filled(LdsFile.DG2, 600)}))
    whole = Interposed(card, lambda _, __, answer: answer)
    reader = reader_of(whole)
    reader.open(Can(CAN))
    expected = reader.read_files()
    for position in range(whole.count):
        card.power_on()

        def pull(index: int, _: bytes, answer: bytes, position: int = position) -> bytes:
            if index >= position:
                raise CardRemoved("pulled")
            return answer

        reader = reader_of(Interposed(card, pull))
        with pytest.raises(CardRemoved):
            _open_and_read(reader)
    card.power_on()
    assert _open_and_read(reader_of(card)) == expected


def _open_and_read(reader: DocumentReader) -> dict[LdsFile, bytes]:
    reader.open(Can(CAN))
    return reader.read_files()


def test_a_card_that_was_not_opened_gives_nothing() -> None:
    reader = reader_of(VirtualCard(image()))
    for ask in (reader.read_files, lambda: reader.sign_challenge(bytes(8)), lambda: reader.relay((), ())):
        with pytest.raises(AccessDenied):
            ask()
    assert reader.channel.apdu_count == 0


# -- active authentication --------------------------------------------------------------------


def test_the_chip_signs_a_challenge() -> None:
    reader = reader_of(VirtualCard(image()))
    reader.open(Can(CAN))
    files = reader.read_files()
    signature = reader.sign_challenge(b"12345678")
    verify_active_authentication(files[LdsFile.DG15], b"12345678", signature, dg14=files[LdsFile.DG14])


def test_a_chip_without_signing_key_refuses() -> None:
    reader = reader_of(VirtualCard(image(active_authentication_key=None)))
    reader.open(Can(CAN))
    with pytest.raises(UnexpectedStatusWord):
        reader.sign_challenge(b"12345678")


def test_a_template_of_the_wrong_file_is_refused() -> None:
    wrong = build(LdsFile.DG2.tag, bytes(10))
    reader = reader_of(VirtualCard(image(files={LdsFile.DG1: wrong})))
    reader.open(Can(CAN))
    with pytest.raises(MalformedDocument):
        reader.read_files()
