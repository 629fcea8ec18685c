"""A capture on a kit: what the form asks, what the gate stops, who may go on, and what sealing takes away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.gate import GateCode
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import DRAFTS
from enrollment_admin.station.officer_keys import BLOCKED_FOR, MOST_WRONG
from enrollment_admin.station.refusals import (
    CaptureOfAnother,
    CaptureUnknown,
    GateNotPassed,
    KitAlreadyMade,
    KitStoreAltered,
    PassphraseBlocked,
    PassphraseWrong,
)
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from tests.support.cheap_prints import cheap_prints
from tests.support.form_text import form_text
from tests.support.issuance_office import citizens, picture
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    ITEMS,
    NEIGHBOURS,
    OFFICER,
    PASSPHRASE,
    PRINTS,
    SIGNED,
    KitBench,
    captured,
    declared,
    desk_of,
)
from verification.errors import FieldsRefused, LimitExceeded, TransitionRefused
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment_packet import (
    CANNOT_SIGN,
    CITIZEN_SIGNATURE,
    FIRST,
    MAX_ITEM_BYTES,
    from_file,
    open_packet,
    parse_packet,
    require_signed,
)
from verification.messages.packet_intake import PacketKeyList
from verification.messages.refusals import CitizenSignatureMissing, PacketSupervisorMissing

PORTRAIT = Captured("portrait", "image/jpeg", picture())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("centre") / "keys"
    make_keys(folder, "2026-11")
    return folder


@pytest.fixture
def bench(tmp_path: Path, keys: Path) -> KitBench:
    centre = load_keys(keys)
    return KitBench(tmp_path, PacketKeyList(centre.opening_jwk(), centre.receipts_jwk()))


@pytest.fixture
def kit(bench: KitBench) -> Kit:
    return bench.make()


@pytest.fixture
def desk(kit: Kit) -> CaptureDesk:
    return desk_of(kit)


def test_a_capture_goes_from_the_first_question_to_a_sealed_packet(
    kit: Kit, desk: CaptureDesk, keys: Path
) -> None:
    draft = desk.begin(declared())
    assert (draft.state, draft.missing) == (DraftState.DRAFT, ("portrait", *FINGER_ITEMS))
    assert draft.person is not None
    assert draft.person.full_name == declared().full_name
    draft = desk.keep(draft.id, "portrait", "image/jpeg", picture())
    assert (draft.state, draft.missing) == (DraftState.DRAFT, FINGER_ITEMS)
    draft = desk.keep_all(draft.id, PRINTS)
    assert (draft.state, draft.missing) == (DraftState.CAPTURED, ())
    form = desk.print_form(draft.id)
    assert desk.draft(draft.id).missing == (CITIZEN_SIGNATURE,)
    desk.keep(draft.id, CITIZEN_SIGNATURE, "image/png", SIGNED)
    sealed = desk.seal(draft.id, PASSPHRASE, "hmn")
    assert (sealed.draft, sealed.sequence) == (draft.id, 1)
    metadata, content = from_file(kit.packets.read(sealed.packet))
    packet = parse_packet(metadata)
    require_signed(packet, kit.officers.open("lan.capture", PASSPHRASE).public_key(), kit.key.public_key())
    centre = load_keys(keys)
    opened = open_packet(packet, content, centre.opening[centre.newest])
    assert (packet.packet_hash, packet.envelope.previous) == (sealed.packet, FIRST)
    assert opened.blobs == {"portrait": picture(), CITIZEN_SIGNATURE: SIGNED, **cheap_prints()}
    assert opened.particulars.person == draft.person
    assert opened.particulars.consent.language == "hmn"
    assert opened.particulars.begun_at == draft.opened_at
    assert opened.particulars.printed_form.form == "CC01"
    assert declared().full_name in form_text(form)


def test_packets_of_a_kit_follow_each_other(kit: Kit, desk: CaptureDesk) -> None:
    sealed = [desk.seal(captured(desk, index), PASSPHRASE, "vi") for index in range(3)]
    envelopes = [parse_packet(from_file(kit.packets.read(each.packet))[0]).envelope for each in sealed]
    assert [each.sequence for each in envelopes] == [1, 2, 3]
    assert [each.previous for each in envelopes] == [FIRST, *(each.packet for each in sealed[:-1])]


def test_every_attempt_at_the_gate_is_kept_and_nothing_is_captured_before_one_passes(
    desk: CaptureDesk,
) -> None:
    draft = desk.begin(declared(sex="M" if declared().sex == "F" else "F"))
    with pytest.raises(GateNotPassed):
        desk.keep(draft.id, "portrait", "image/jpeg", picture())
    draft = desk.declare(draft.id, declared(full_name="Nguyễn Văn Nhầm"))
    draft = desk.declare(draft.id, declared())
    stops = [[stop.code for stop in attempt.answer.stops] for attempt in draft.attempts]
    assert stops == [[GateCode.SEX_DIFFERS], [GateCode.NAME_DIFFERS], []]
    desk.keep(draft.id, "portrait", "image/jpeg", picture())
    with pytest.raises(TransitionRefused):
        desk.declare(draft.id, declared(1))
    figures = desk.figures()
    assert (figures.attempts, figures.stopped) == (3, 2)


def test_who_has_no_number_is_no_packet(desk: CaptureDesk) -> None:
    draft = desk.begin(declared(citizen_number=None, full_name="Không Ai Biết"))
    assert draft.answer is not None
    assert draft.answer.is_open
    with pytest.raises(GateNotPassed):
        desk.keep(draft.id, "portrait", "image/jpeg", picture())


def test_what_is_changed_after_printing_is_printed_and_signed_again(desk: CaptureDesk) -> None:
    draft = captured(desk)
    first = desk.draft(draft)
    again = desk.keep(draft, "portrait", "image/jpeg", picture(2))
    assert (again.state, again.printed) == (DraftState.CAPTURED, None)
    assert CITIZEN_SIGNATURE not in {item.name for item in again.items}
    with pytest.raises(TransitionRefused):
        desk.seal(draft, PASSPHRASE, "vi")
    desk.print_form(draft)
    assert desk.draft(draft).printed != first.printed
    with pytest.raises(CitizenSignatureMissing):
        desk.seal(draft, PASSPHRASE, "vi")


def test_the_same_form_printed_twice_is_one_print(desk: CaptureDesk) -> None:
    draft = captured(desk)
    before = desk.draft(draft)
    assert desk.print_form(draft) == desk.print_form(draft)
    assert desk.draft(draft) == before


def test_the_citizen_signs_the_print_and_nothing_else(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    with pytest.raises(TransitionRefused):
        desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)


def test_who_cannot_sign_needs_a_supervisor(kit: Kit, desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [PORTRAIT, *PRINTS])
    desk.print_form(draft)
    assert desk.state_exception(draft, CITIZEN_SIGNATURE, CANNOT_SIGN).missing == ()
    with pytest.raises(PacketSupervisorMissing):
        desk.seal(draft, PASSPHRASE, "vi")
    with pytest.raises(PassphraseWrong):
        desk.seal(draft, PASSPHRASE, "vi", Answering(CHIEF, PASSPHRASE))
    sealed = desk.seal(draft, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE))
    envelope = parse_packet(from_file(kit.packets.read(sealed.packet))[0]).envelope
    assert (sealed.sequence, envelope.supervisor) == (1, CHIEF)


def test_whom_no_extract_confirms_a_supervisor_answers_for(kit: Kit, desk: CaptureDesk) -> None:
    draft = desk.begin(declared(-1))
    assert draft.answer is not None
    assert draft.answer.needs_exception
    assert draft.person is not None
    assert {"nationality", "place_of_residence"} <= set(draft.missing)
    typed = {name: value or "Kinh" for name, value in msgspec.structs.asdict(draft.person).items()}
    with pytest.raises(FieldsRefused) as refused:
        desk.describe(draft.id, type(draft.person)(**{**typed, "sex": "X"}))
    assert refused.value.fields == {"sex": "FIELD_NOT_AS_REGISTERED"}
    assert desk.describe(draft.id, type(draft.person)(**typed)).missing == ("portrait", *FINGER_ITEMS)
    desk.keep_all(draft.id, [PORTRAIT, *PRINTS])
    desk.print_form(draft.id)
    desk.keep(draft.id, CITIZEN_SIGNATURE, "image/png", SIGNED)
    with pytest.raises(PacketSupervisorMissing):
        desk.seal(draft.id, PASSPHRASE, "vi")
    assert desk.seal(draft.id, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE)).sequence == 1


def test_what_the_registry_has_is_not_typed_over(desk: CaptureDesk) -> None:
    draft = desk.begin(declared())
    assert draft.person is not None
    moved = msgspec.structs.replace(draft.person, place_of_residence="12 Hàng Bạc, Hà Nội")
    assert desk.describe(draft.id, moved).person == moved
    with pytest.raises(FieldsRefused) as refused:
        desk.describe(draft.id, msgspec.structs.replace(moved, father="Người Khác"))
    assert refused.value.fields == {"father": "FIELD_NOT_AS_REGISTERED"}


def test_a_reason_is_one_of_the_forms_and_not_for_what_is_here(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    assert desk.state_exception(draft, "finger_03", "FINGER_MISSING").exceptions[0].item == "finger_03"
    desk.keep(draft, "finger_02", *ITEMS["finger_02"])
    for item, code, fault in (
        ("portrait", "FINGER_MISSING", "EXCEPTION_UNKNOWN"),
        ("finger_01", "NO_REASON", "EXCEPTION_UNKNOWN"),
        ("finger_01", "HANDS_MISSING", "EXCEPTION_UNKNOWN"),
        ("fingerprints", "FINGER_WORN", "EXCEPTION_UNKNOWN"),
        ("fingerprints", "HANDS_MISSING", "EXCEPTION_CONTRADICTED"),
        ("finger_02", "FINGER_WORN", "EXCEPTION_CONTRADICTED"),
        ("identification", "MARKS_NONE", "EXCEPTION_CONTRADICTED"),
    ):
        with pytest.raises(FieldsRefused) as refused:
            desk.state_exception(draft, item, code)
        assert refused.value.fields == {item: fault}
    assert desk.keep(draft, "finger_03", *ITEMS["finger_03"]).exceptions == ()


def test_what_no_packet_takes_is_refused_at_once(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    with pytest.raises(LimitExceeded):
        desk.keep(draft, "portrait", "image/jpeg", bytes(MAX_ITEM_BYTES + 1))
    for item, media_type, content in (
        ("../portrait", "image/jpeg", b"x"),
        ("portrait", "<script>", b"x"),
        ("portrait", "image/jpeg", b""),
    ):
        with pytest.raises(FieldsRefused):
            desk.keep(draft, item, media_type, content)
    for number in range(6):
        desk.keep(draft, f"scan_{number}", "image/png", bytes(MAX_ITEM_BYTES - 100))
    with pytest.raises(LimitExceeded):
        desk.keep(draft, "portrait", "image/jpeg", picture())


def test_only_who_began_a_capture_goes_on_with_it(kit: Kit, desk: CaptureDesk) -> None:
    kit.officers.make("mai.capture", CHIEFS_PASSPHRASE)
    draft = captured(desk)
    other = desk_of(kit, "mai.capture")
    assert other.drafts() == ()
    with pytest.raises(CaptureOfAnother):
        other.draft(draft)
    with pytest.raises(CaptureOfAnother):
        other.content(draft, "portrait")
    with pytest.raises(CaptureOfAnother):
        other.seal(draft, CHIEFS_PASSPHRASE, "vi")
    with pytest.raises(CaptureOfAnother):
        other.withdraw(draft)


def test_a_wrong_passphrase_uses_up_no_number(desk: CaptureDesk) -> None:
    draft = captured(desk)
    with pytest.raises(PassphraseWrong):
        desk.seal(draft, "not this one", "vi")
    assert desk.seal(draft, PASSPHRASE, "vi").sequence == 1
    with pytest.raises(TransitionRefused):
        desk.seal(draft, PASSPHRASE, "vi")


@pytest.mark.parametrize("draft", ["", "kit-007-99", "kit-008-1", "kit-007-x", "kit-007-²", "1" * 30])
def test_a_capture_that_is_none_is_unknown(desk: CaptureDesk, draft: str) -> None:
    with pytest.raises(CaptureUnknown):
        desk.draft(draft)


def test_a_capture_that_was_withdrawn_leaves_nothing_of_the_person(desk: CaptureDesk) -> None:
    draft = captured(desk)
    desk.withdraw(draft)
    left = desk.draft(draft)
    assert (left.state, left.person, left.items, left.attempts) == (DraftState.WITHDRAWN, None, (), ())
    assert desk.drafts() == ()
    assert desk.figures().attempts == 1, "how often the gate was asked stays"


def test_no_byte_of_a_person_lies_on_the_disk_in_the_open(
    bench: KitBench, kit: Kit, desk: CaptureDesk
) -> None:
    for index, end in enumerate((desk.withdraw, lambda draft: desk.seal(draft, PASSPHRASE, "vi"), str)):
        end(captured(desk, index))
    desk.begin(declared(3, full_name="Một Tên Sai"))
    whole = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())
    assert len(whole) > 100_000
    people = [citizens()[index] for index in range(4)]
    spelled = {text for person in people for text in words_of(person.citizen_number, declared().full_name)}
    for person in people:
        spelled |= words_of(person.citizen_number, person.full_name)
    for text in spelled | {"Một Tên Sai"}:
        for encoded in (text.encode(), text.encode("utf-16-le"), msgspec.json.encode(text)[1:-1]):
            assert encoded not in whole, "a name or a number"
    for _, content in ITEMS.values():
        for start in range(0, len(content) - 16, 512):
            assert content[start : start + 16] not in whole, "a piece of a picture"
    assert SIGNED not in whole
    assert PASSPHRASE.encode() not in whole


def words_of(number: str, name: str) -> set[str]:
    """A number, and a name as it can be written."""
    return {number, name, name.upper(), name.title()}


def test_a_kit_opens_with_its_own_store_key_alone(bench: KitBench, kit: Kit) -> None:
    kit.database.close()
    bench.store_key.write_bytes(bytes(32))
    with pytest.raises(KitStoreAltered):
        bench.open()


def test_what_was_moved_to_another_row_does_not_open(kit: Kit, desk: CaptureDesk) -> None:
    first, second = captured(desk), captured(desk, 1)
    with kit.database.writing() as connection:
        other = select(DRAFTS.c.particulars).where(DRAFTS.c.number == 1).scalar_subquery()
        connection.execute(update(DRAFTS).where(DRAFTS.c.number == 2).values(particulars=other))
    assert desk.draft(first).person
    with pytest.raises(KitStoreAltered):
        desk.draft(second)


def test_numbers_of_a_kit_do_not_begin_anew(bench: KitBench, kit: Kit) -> None:
    with pytest.raises(KitAlreadyMade):
        bench.make()


def test_a_capture_is_there_after_the_program_ended(bench: KitBench, kit: Kit, desk: CaptureDesk) -> None:
    draft = desk.draft(captured(desk))
    kit.database.close()
    again = desk_of(bench.open())
    assert again.drafts() == (draft,)
    assert again.content(draft.id, "portrait") == picture()


def test_programs_that_seal_at_once_share_one_row_of_numbers(bench: KitBench, kit: Kit) -> None:
    """The pages and a command: each number once, and each packet after the one before."""
    kits = [kit, bench.open()]
    drafts = [captured(desk_of(kit), index) for index in NEIGHBOURS[:8]]
    with ThreadPoolExecutor(4) as at_once:
        done = list(
            at_once.map(
                lambda given: desk_of(given[0]).seal(given[1], PASSPHRASE, "vi"), zip(cycle(kits), drafts)
            )
        )
    assert sorted(each.sequence for each in done) == list(range(1, 9))
    chain = sorted(
        (packet.envelope.sequence, packet.envelope.previous, packet.packet_hash)
        for packet in (parse_packet(from_file(kit.packets.read(each.packet))[0]) for each in done)
    )
    assert [previous for _, previous, _ in chain] == [FIRST, *(packet for _, _, packet in chain[:-1])]


def test_every_commit_is_on_the_disk(kit: Kit) -> None:
    with kit.database.writing() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    assert found == ["wal", 2], "2 is FULL"


def test_a_restart_gives_no_new_guesses_at_a_passphrase(kit: Kit, bench: KitBench) -> None:
    """Neither a program that was ended nor one that runs beside it forgets what was tried."""
    for number in range(MOST_WRONG):
        with pytest.raises(PassphraseWrong):
            bench.open().officers.open(OFFICER, f"a wrong guess {number}")
    for each in (bench.open(), kit):
        with pytest.raises(PassphraseBlocked):
            each.officers.open(OFFICER, PASSPHRASE)
    kit.officers.open(CHIEF, CHIEFS_PASSPHRASE)
    bench.pass_time(BLOCKED_FOR.seconds)
    for number in range(2 * MOST_WRONG):
        with pytest.raises(PassphraseWrong):
            bench.open().officers.open(OFFICER, f"mistyped {number}")
        bench.open().officers.open(OFFICER, PASSPHRASE)
