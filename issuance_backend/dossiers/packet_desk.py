"""What was captured elsewhere and came sealed: opened packets become dossiers, or parts of returned ones.

``examine`` asks the registry and looks at pictures, before any transaction. ``receive`` writes what was
found in the transaction that acknowledges the packet. A packet that the rules refuse is a dossier all
the same, returned with what is wrong: the citizen has a receipt in hand.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import older_cards
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.older_cards import Ended
from issuance_backend.dossiers import acts, capture_terms, domain, particulars, repository, twin_captures
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.capture_checks import CaptureChecks, Examined, StandingCapture
from issuance_backend.dossiers.capture_desk import FORM, standing_capture, validated
from issuance_backend.dossiers.capture_time import operator_time
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Part
from issuance_backend.dossiers.forms.catalogue import forms_used, is_dossier_form, required_on
from issuance_backend.dossiers.forms.domain import EXCEPTIONS, exceptions_detail
from issuance_backend.dossiers.pictures import MEDIA_TYPE, Pictures, StoredPicture
from issuance_backend.dossiers.repository import Capture, Dossier
from issuance_backend.dossiers.taken_prints import prints_detail, replace_sent_back
from issuance_backend.dossiers.twin_captures import CAPTURED_EARLIER, Sealing
from issuance_backend.moments import parse_moment, rfc3339
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.refusals import CardHandedOverSince, PacketDossierClosed
from monitoring.database import Database
from verification.errors import (
    CitizenNumberMalformed,
    DossierAlreadyOpen,
    FieldsRefused,
    TransitionRefused,
)
from verification.identity.citizen_number import CitizenNumber
from verification.messages.asked_prints import (
    FINGERPRINTS,
    asked_fingers,
    finger_item,
    fingers_sent_back,
    is_best_available,
    is_contradicted,
    may_take_prints,
    missing_fingers,
    missing_slaps,
    position_of,
    slaps_to_take,
)
from verification.messages.capture_terms import CaptureTerms
from verification.messages.enrollment import DossierCapture, DossierReturn, PersonFields
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    CaptureException,
    PrintedFormMark,
)
from verification.messages.hand_photos import MISSING, asked_hand_photos, photo_fault
from verification.messages.national_time import vietnam_date
from verification.messages.prints_taken import PrintTaken
from verification.messages.receipt_code import receipt_code

PORTRAIT = "portrait"

GiveWay = Callable[[str, Mapping[str, str]], None]
"""Told of a packet that gives way, and of its pictures by item."""


@dataclass(frozen=True, slots=True, repr=False)
class CapturedPrint:
    """One finger as the kit took it. Biometric data: never logged."""

    position: int
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, repr=False)
class CapturedItem:
    """What else was captured, a scan or a slap; the dossier itself does not name it."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OpenedPacket:
    """What a packet whose seals hold contains; ``packet_sha256`` is its key, ``happened_at`` the kit's time.

    ``answers`` is the returned dossier that it captures again. Its portrait is empty where none was
    taken again. ``admitted_by`` are those who registered the keys that its officer signs with, and who let
    it in by a case.
    """

    packet_sha256: str
    kit: str
    officer: str
    unit: str | None
    admitted_by: tuple[str, ...] = ()
    happened_at: str
    citizen_number: str
    person: PersonFields
    portrait: bytes
    manual_portrait_reason: str | None = None
    prints: tuple[CapturedPrint, ...] = ()
    items: Mapping[str, CapturedItem] = field(default_factory=dict)
    answers: str | None = None
    exceptions: tuple[CaptureException, ...] = ()
    consent_language: str
    printed_form: PrintedFormMark
    sequence: int = 0
    supervisor: str | None = None
    """Who answers for what was not captured."""
    begun_at: str | None = None
    attempts: tuple[PrintTaken, ...] = ()
    """How the fingers were taken."""
    terms: CaptureTerms | UnsetType = UNSET

    @property
    def exception_codes(self) -> tuple[str, ...]:
        """The codes of the form that were stated; packets write them in capitals.

        That somebody cannot sign is no exception of any form, nor is that no better print was to be had.
        """
        of_form = (
            each
            for each in self.exceptions
            if each.item != CITIZEN_SIGNATURE and not is_best_available(each.item, each.code)
        )
        return tuple(sorted({each.code.lower() for each in of_form}))

    @property
    def best_available(self) -> frozenset[int]:
        """The fingers of whose prints no better were to be had."""
        return frozenset(
            position_of(each.item) for each in self.exceptions if is_best_available(each.item, each.code)
        )

    @property
    def signature_exceptions(self) -> tuple[str, ...]:
        """Why the citizen did not sign, as codes."""
        return tuple(each.code.lower() for each in self.exceptions if each.item == CITIZEN_SIGNATURE)


@dataclass(frozen=True, slots=True)
class ExaminedPacket:
    """A packet with what the rules found, its pictures on their way into the store."""

    packet: OpenedPacket
    examined: Examined
    portrait: StoredPicture
    prints: dict[int, StoredPicture]
    items: dict[str, StoredPicture]
    former: Dossier | None = None

    @property
    def kept(self) -> tuple[StoredPicture, ...]:
        """The pictures that belong to what is written now."""
        if self.former is not None and self.examined.faults:
            return tuple(self.items.values())
        return (self.portrait, *self.prints.values(), *self.items.values())


class PacketDesk:
    """Takes opened packets in; whoever opens them owns the transaction."""

    def __init__(self, checks: CaptureChecks, pictures: Pictures) -> None:
        self._checks = checks
        self._pictures = pictures

    def examine(self, database: Database, packet: OpenedPacket) -> ExaminedPacket:
        """Apply the rules, outside of any transaction.

        Raises FieldsRefused for what cannot be a dossier at all (no portrait, no number),
        PacketDossierClosed, RegistryUnavailable and BlobStoreUnavailable.
        """
        standing, former = self._standing(database, packet)
        day = vietnam_date(datetime.fromisoformat(packet.happened_at))
        packet = _lawful(packet, day)
        _require_openable(packet, standing)
        capture = DossierCapture(
            capture_id=packet.packet_sha256,
            citizen_number=packet.citizen_number,
            person=packet.person,
            portrait=packet.portrait,
            manual_portrait_reason=packet.manual_portrait_reason,
            exceptions=packet.exception_codes,
        )
        if standing is None:
            examined = self._checks.examine(capture, day)
        else:
            examined = self._checks.examine_again(capture, standing, day)
        sent_back = standing.returned if standing else ()
        faults = _packet_faults(packet, day) | _print_faults(packet, standing, day)
        faults |= _photo_faults(packet, sent_back, day)
        if faults:
            # A false reason brings back the item that it was stated for, and nothing else.
            false = _false_exceptions(packet, day)
            examined = replace(examined, faults={**false, **examined.faults, **faults})
        return self._stored(packet, examined, former)

    def receive(
        self,
        connection: Connection,
        examined: ExaminedPacket,
        moment: datetime,
        give_way: GiveWay | None = None,
    ) -> str:
        """Write a packet's dossier in the caller's transaction and return its id.

        The same packet again changes nothing. ``give_way`` is told of a packet that was sealed later and
        came earlier: its dossier is closed. Raises DossierAlreadyOpen where another dossier of the person
        stands, CardHandedOverSince, SameOfficer where the officer approved it, TransitionRefused where a
        dossier changed since ``examine``.
        """
        packet = examined.packet
        known = repository.captures(connection, [packet.packet_sha256]).get(packet.packet_sha256)
        if known is not None:
            return known.dossier
        Pictures.keep(connection, *examined.kept)
        if examined.former is None:
            _require_no_card_since(connection, packet)
            _clear_the_way(connection, packet, moment, give_way)
            dossier = _opened(connection, examined, moment)
        else:
            dossier = _answered(connection, examined, examined.former, moment)
        packet_hash = packet.packet_sha256
        code = receipt_code(packet_hash)
        accepted = Capture(packet_hash, dossier.id, packet_hash, packet.officer, code)
        repository.add_captures(connection, [accepted])
        return dossier.id

    def picture(self, name: str) -> bytes:
        """A picture that was stored; raises BlobStoreUnavailable and PictureErased."""
        return self._pictures.read(name)

    def _stored(self, packet: OpenedPacket, examined: Examined, former: Dossier | None) -> ExaminedPacket:
        """Everything that a packet holds is written into the store at once."""
        captured = [(examined.checked.portrait, MEDIA_TYPE)]
        captured += [(each.content, each.media_type) for each in packet.prints]
        captured += [(each.content, each.media_type) for each in packet.items.values()]
        portrait, *others = self._pictures.put_all(captured)
        positions = [each.position for each in packet.prints]
        prints = dict(zip(positions, others[: len(positions)], strict=True))
        items = dict(zip(packet.items, others[len(positions) :], strict=True))
        return ExaminedPacket(packet, examined, portrait, prints, items, former)

    def _standing(
        self, database: Database, packet: OpenedPacket
    ) -> tuple[StandingCapture | None, Dossier | None]:
        if packet.answers is None:
            return None, None
        with database.reading() as connection:
            former = acts.found(connection, packet.answers)
        if former.state is not DossierState.RETURNED:
            raise PacketDossierClosed("the dossier does not wait for a packet")
        return standing_capture(former, self._pictures), former


def _lawful(packet: OpenedPacket, day: date) -> OpenedPacket:
    """A packet without the prints that the law lets nobody take: they are not kept."""
    if may_take_prints(required_on(day).prints, _born(packet), day):
        return packet
    return replace(packet, prints=())


def _born(packet: OpenedPacket) -> date | None:
    return particulars.birth_day(particulars.normalised(packet.person))


def _print_faults(packet: OpenedPacket, standing: StandingCapture | None, day: date) -> dict[str, str]:
    """Every finger and slap that the form asks is here or has its reason; taken again, what was sent back."""
    required = required_on(day)
    asked = asked_fingers(required.prints, _born(packet), day)
    slaps = slaps_to_take(required.prints, _born(packet), day, standing.returned if standing else None)
    if standing is not None:
        sent_back = fingers_sent_back(standing.returned)
        if any(finger_item(each.position) not in sent_back for each in packet.prints):
            return {FINGERPRINTS: "ITEM_NOT_RETURNED"}
        asked = tuple(item for item in asked if item in sent_back)
    excused = {
        each.item
        for each in packet.exceptions
        if required.knows(each) and not is_best_available(each.item, each.code)
    }
    taken = _taken(packet)
    missing = (*missing_fingers(asked, taken, excused), *missing_slaps(slaps, taken, excused))
    return dict.fromkeys(missing, "PRINT_MISSING")


def _photo_faults(packet: OpenedPacket, sent_back: Collection[str], day: date) -> dict[str, str]:
    """What is wrong with the photographs of hands that reasons ask, or that were sent back."""
    reasons = required_on(day).reasons.values()
    asked = asked_hand_photos(reasons, packet.exceptions, day, sent_back)
    taken = {item: packet.items[item].content for item in asked if item in packet.items}
    faults = {item: photo_fault(taken[item]) if item in taken else MISSING for item in asked}
    return {item: code for item, code in faults.items() if code is not None}


def _packet_faults(packet: OpenedPacket, day: date) -> dict[str, str]:
    """What is wrong with what only a packet says: its exceptions, and the form that was printed."""
    faults = {}
    false = _false_exceptions(packet, day)
    if false:
        faults[EXCEPTIONS] = next(iter(false.values()))
    if not is_dossier_form(packet.printed_form.form, day):
        faults[FORM] = "FORM_UNKNOWN"
    return faults


def _false_exceptions(packet: OpenedPacket, day: date) -> dict[str, str]:
    """Fault codes by item for reasons that the form does not know, or else for what is there after all."""
    required, taken = required_on(day), _taken(packet)
    unknown = [each.item for each in packet.exceptions if not required.knows(each)]
    here = [each.item for each in packet.exceptions if _is_false(packet, each, taken)]
    return dict.fromkeys(unknown, "EXCEPTION_UNKNOWN") or dict.fromkeys(here, "EXCEPTION_CONTRADICTED")


def _is_false(packet: OpenedPacket, stated: CaptureException, taken: set[str]) -> bool:
    """Whether an item is here after all, or a field filled in; or a print that is called poor is not."""
    if is_best_available(stated.item, stated.code):
        return stated.item not in taken
    return is_contradicted(stated.item, taken) or bool(getattr(packet.person, stated.item, None))


def _taken(packet: OpenedPacket) -> set[str]:
    """The items that are there."""
    others = {name for name, item in packet.items.items() if item.content}
    return others | {finger_item(each.position) for each in packet.prints}


def _require_openable(packet: OpenedPacket, standing: StandingCapture | None) -> None:
    faults = {}
    try:
        CitizenNumber(packet.citizen_number)
    except CitizenNumberMalformed as fault:
        faults["citizen_number"] = fault.code
    needs_portrait = standing is None or "portrait" in standing.returned
    if needs_portrait and not packet.portrait:
        faults["portrait"] = "PORTRAIT_MISSING"
    if standing is not None and standing.citizen_number != packet.citizen_number:
        faults["citizen_number"] = "FIELD_NOT_AS_REGISTERED"
    if faults:
        raise FieldsRefused(faults)


def _require_no_card_since(connection: Connection, packet: OpenedPacket) -> None:
    """A capture that is older than the card its person got would make a second one."""
    sealed_at = parse_moment(packet.happened_at)
    for card in cards.of_number(connection, packet.citizen_number):
        dossier = acts.found(connection, card.dossier)
        if dossier.state is DossierState.COMPLETED and parse_moment(dossier.updated_at) > sealed_at:
            raise CardHandedOverSince("captured before the person got a card")


def _clear_the_way(
    connection: Connection, packet: OpenedPacket, moment: datetime, give_way: GiveWay | None
) -> None:
    """Close an open dossier that rests on a packet sealed later; raises DossierAlreadyOpen for any other."""
    open_dossier = repository.open_dossier(connection, packet.citizen_number)
    if open_dossier is None:
        return
    rival = acts.found(connection, open_dossier)
    steps = recorded_events.of_subject(connection, acts.subject(rival.id))
    standing = twin_captures.untouched_sealing(rival.state, steps)
    sealing = Sealing(parse_moment(packet.happened_at), packet.kit, packet.sequence)
    if give_way is None or standing is None or standing <= sealing:
        raise DossierAlreadyOpen("one dossier at a time")
    prints = repository.prints(connection, rival.id)
    pictures = {finger_item(position): name for position, name in prints.items()}
    repository.forget_capture(connection, rival.packet_sha256)
    detail = {"reason": CAPTURED_EARLIER, "stands": packet.packet_sha256}
    # The dossier before anything is recorded: whoever records waits for none, and nobody waits crosswise.
    take_step(Act(connection, rival, moment), DossierEvent.WITHDRAW, SYSTEM, detail)
    # What the other capture says of the card before stands from now on.
    older_cards.unmark(connection, Ended(rival.id, rival.citizen_number, rival.unit), SYSTEM, moment)
    give_way(rival.packet_sha256, {PORTRAIT: rival.portrait, **pictures})


def _opened(connection: Connection, examined: ExaminedPacket, moment: datetime) -> Dossier:
    """Write a new dossier as it stands after the rules, with both of its steps."""
    packet, checked = examined.packet, examined.examined.checked
    received = Dossier(
        id=secrets.token_hex(8),
        citizen_number=packet.citizen_number,
        state=domain.advance(None, DossierEvent.RECEIVE),
        version=1,
        person=checked.person,
        portrait=examined.portrait.name,
        portrait_check=checked.portrait_check,
        returned=None,
        captured_by=packet.officer,
        approved_by=None,
        unit=packet.unit,
        packet_sha256=packet.packet_sha256,
        kit=packet.kit,
        created_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )
    judged = _judged(received, examined.examined)
    dossier = replace(
        received,
        state=domain.advance(received.state, judged.event),
        search=domain.search_after(received.search, judged.event),
        version=received.version + 1,
        returned=judged.returned,
    )
    try:
        repository.add(connection, [dossier])
    except DossierAlreadyOpen:
        # Somebody else opened one at the same moment: which of them stands, the next look decides.
        raise TransitionRefused("another dossier of the person was opened meanwhile") from None
    names = {position: picture.name for position, picture in examined.prints.items()}
    repository.add_prints(connection, dossier.id, names, packet.best_available)
    said = {**_detail(packet), **_terms(connection, packet), **acts.captured_where(packet.unit)}
    captured = acts.recorded(received, DossierEvent.RECEIVE, packet.officer, said)
    validation = acts.recorded(dossier, judged.event, SYSTEM, judged.detail)
    beside = capture_terms.opening_steps(dossier.id, captured)
    recorded_events.append(connection, captured, validation, *beside)
    return dossier


def _answered(connection: Connection, examined: ExaminedPacket, former: Dossier, moment: datetime) -> Dossier:
    packet, checked = examined.packet, examined.examined.checked
    taken = acts.parts_taken(connection, former)
    for each in (packet.officer, packet.supervisor):
        if each is not None:
            domain.require_only_part(each, Part.CAPTURE, taken)
    changed = former
    if not examined.examined.faults:
        changed = replace(
            former,
            person=checked.person,
            portrait=examined.portrait.name,
            portrait_check=checked.portrait_check,
            packet_sha256=packet.packet_sha256,
            kit=packet.kit,
            returned=None,
            captured_by=packet.officer,
        )
        prints = {position: each.name for position, each in examined.prints.items()}
        names = {examined.portrait.name, *prints.values()}
        replaced = {former.portrait}
        replaced |= replace_sent_back(connection, former, prints, packet.best_available)
        repository.add_former_pictures(connection, former.id, replaced - names)
    act = Act(connection, changed, moment)
    received = take_step(act, DossierEvent.RECEIVE, packet.officer, _detail(packet))
    judged = _judged(received, examined.examined)
    stands = Act(connection, replace(received, returned=judged.returned), moment)
    return take_step(stands, judged.event, SYSTEM, judged.detail)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the rules make of a received dossier."""

    event: DossierEvent
    returned: DossierReturn | None
    detail: Mapping[str, str]


def _judged(dossier: Dossier, examined: Examined) -> _Judged:
    if not examined.faults:
        return _Judged(DossierEvent.VALIDATE, dossier.returned, validated(examined.checked))
    faults = examined.faults
    # Where values were refused that nobody asked for, what was asked for is still missing.
    items = dossier.returned.items if dossier.returned else particulars.items_of(faults)
    comment = ", ".join(f"{name}: {code}" for name, code in sorted(faults.items()))
    detail = {"items": ",".join(items), "faults": ",".join(sorted(set(faults.values())))}
    return _Judged(DossierEvent.RETURN, DossierReturn(items=items, comment=comment), detail)


def _terms(connection: Connection, packet: OpenedPacket) -> dict[str, str]:
    """On what terms the card is asked for, as the step records it."""
    day = vietnam_date(datetime.fromisoformat(packet.happened_at))
    has_older = bool(cards.holders_among(connection, [packet.citizen_number]))
    return capture_terms.of_packet(packet.terms, _born(packet), day, has_older=has_older)


def _form_judged(printed: PrintedFormMark) -> dict[str, str]:
    """Under which limits the kit found the form faithful, and how like; kits before these say nothing."""
    if printed.limits is None or printed.likeness is None:
        return {}
    return {"form_judged": f"{printed.limits} {printed.likeness:.4f}"}


def _detail(packet: OpenedPacket) -> dict[str, str]:
    unsigned = packet.signature_exceptions
    return {
        "content_sha256": packet.packet_sha256,
        twin_captures.KIT: packet.kit,
        twin_captures.SEQUENCE: str(packet.sequence),
        twin_captures.HAPPENED_AT: packet.happened_at,
        **operator_time(packet.begun_at, datetime.fromisoformat(packet.happened_at)),
        **forms_used(datetime.fromisoformat(packet.happened_at)),
        **exceptions_detail(packet.exception_codes),
        "consent_language": packet.consent_language,
        **({domain.ANSWERED_BY: packet.supervisor} if packet.supervisor else {}),
        **prints_detail(packet.attempts, packet.best_available),
        "form_print": packet.printed_form.sha256,
        **_form_judged(packet.printed_form),
        **({domain.ADMITTED_BY: " ".join(packet.admitted_by)} if packet.admitted_by else {}),
        **({"unsigned": " ".join(unsigned)} if unsigned else {}),
    }
