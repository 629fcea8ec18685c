"""A capture becomes a packet: what goes into it, and the number under which it leaves the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from msgspec import UNSET
from sqlalchemy import Connection

from enrollment_admin.station import terms_store
from enrollment_admin.station.capture_rules import born
from enrollment_admin.station.capture_steps import DraftEvent
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import DraftRow, PacketRow
from verification.capture_form.print_gate import prints_told
from verification.errors import TransitionRefused
from verification.messages.capture_terms import CaptureTerms, StatedTerms, packaged_fees
from verification.messages.enrollment_packet import (
    Consent,
    PacketDraft,
    PacketParticulars,
    SealedPacket,
    item_of,
)
from verification.messages.refusals import PacketSupervisorMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A packet of this kit under its number."""

    draft: str
    packet: str
    sequence: int
    sealed_at: str
    terms: CaptureTerms | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """The supervisor who answers for what could not be captured or checked."""

    officer: str
    passphrase: str


def require_answered_for(
    kit: Kit, connection: Connection, row: DraftRow, supervisor: Answering | None
) -> None:
    """What the kit could not check somebody else answers for; seal_packet asks the rest."""
    attempts = kit.store.attempts(connection, row.number)
    if attempts and attempts[-1].answer.needs_exception and supervisor is None:
        raise PacketSupervisorMissing("particulars that no extract confirms")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is said when a capture is sealed: in which language, on what terms, and who answers for it."""

    language: str
    terms: CaptureTerms | None
    supervisor: Answering | None


def terms_on(row: DraftRow, stated: StatedTerms, day: date) -> CaptureTerms | None:
    """The fee and the older card of a new application; none of an answer. Raises FieldsRefused."""
    if row.particulars.answers is not None:
        return None
    return packaged_fees().terms(stated, _born(row), day)


def _born(row: DraftRow) -> date | None:
    person = row.particulars.person
    return born({"date_of_birth": person.date_of_birth}) if person else None


def packet_draft(kit: Kit, connection: Connection, row: DraftRow, agreed: Agreed) -> PacketDraft:
    """The capture as it is sealed, under the number that follows in this very transaction."""
    said, moment = row.particulars, kit.now()
    if said.citizen_number is None or said.person is None or said.printed is None:
        raise TransitionRefused("a capture without number, particulars or print")
    contents = kit.store.contents(connection, row.number)
    media_types = {each.name: each.media_type for each in kit.store.items(connection, row.number)}
    sequence, previous = kit.store.head(connection)
    return PacketDraft(
        kit=kit.profile.name,
        sequence=sequence + 1,
        previous=previous,
        officer=row.officer,
        happened_at=moment,
        supervisor=agreed.supervisor.officer if agreed.supervisor else None,
        blobs=contents,
        particulars=PacketParticulars(
            citizen_number=said.citizen_number,
            person=said.person,
            consent=Consent(agreed.language, moment, said.printed.sha256),
            printed_form=said.printed,
            items=tuple(item_of(name, media_types[name], contents[name]) for name in contents),
            exceptions=said.exceptions,
            manual_portrait_reason=said.portrait_reason,
            dossier=said.answers.dossier if said.answers else None,
            begun_at=row.opened_at,
            prints=prints_told(said.prints, said.slaps),
            terms=agreed.terms or UNSET,
        ),
    )


def take_number(
    kit: Kit, connection: Connection, row: DraftRow, capture: PacketDraft, packet: SealedPacket
) -> None:
    """Give a packet that is on the disk its number; what was captured is erased with that."""
    numbered = PacketRow(
        sequence=capture.sequence,
        packet=packet.packet_hash,
        previous=capture.previous,
        draft=row.number,
        sealed_at=capture.happened_at,
        size=len(packet.content),
    )
    kit.store.add_packet(connection, numbered)
    kit.store.take_step(connection, row, DraftEvent.SEAL, capture.happened_at)
    terms = capture.particulars.terms
    if terms is not UNSET:
        terms_store.keep(connection, row.number, terms)
    # From here on the packet alone holds it, and only the centre can open that.
    kit.store.erase(connection, row.number)
