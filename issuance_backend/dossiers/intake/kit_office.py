"""Kits, whose keys may sign, which numbers are missing, and what cases decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from issuance_backend.case_ids import require_case, require_filed
from issuance_backend.dossiers.intake import domain, kit_repository, repository
from issuance_backend.dossiers.intake.case_holds import CaseHolds
from issuance_backend.dossiers.intake.domain import PacketEvent, PacketState, Signer, SignerKind
from issuance_backend.dossiers.intake.kit_repository import ClosedGap, Kit
from issuance_backend.dossiers.intake.opening import Opening
from issuance_backend.dossiers.intake.refusals import KeyInOwnName
from issuance_backend.dossiers.intake.repository import Packet
from issuance_backend.dossiers.intake.steps import advance, record_key, record_kit
from issuance_backend.moments import Clock, moment_in, parse_moment, rfc3339
from issuance_backend.officers import repository as officers
from issuance_backend.officers.certificates import Held, Withdrawal
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked, page_asked, page_of
from issuance_backend.refusals import SameOfficer
from issuance_backend.unit_codes import is_unit, lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused, SignatureInvalid, TransitionRefused
from verification.messages.approval_list import OFFICE
from verification.messages.enrollment_packet import FIRST, parse_packet
from verification.messages.packet_intake import (
    DoubtfulPacket,
    GapClosing,
    KitNumbers,
    KitRegistration,
    KitSummary,
    NumberRun,
    PacketRelease,
    RevocationAnswer,
    SignerRegistration,
    SignerRevocation,
)
from verification.messages.signing_key import public_key_of, thumbprint

_BLOCKED = "officer-blocked"
"""In the place of a case: the block itself is recorded beside it."""
_PAGES_LOOKED_AT = 100
"""Whoever revokes an officer's key waits for no more; what is behind them the next answer tells."""
_FIRST_PAGE = PageAsked()
_MOST_DIGITS = 10
_SIGNING = frozenset({Role.CAPTURE, Role.APPROVER, Role.SUPERVISOR})
_READERS = (Role.SUPERVISOR, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.AUDITOR)


class KitOffice:
    """What supervisors decide about kits, and what leaders see."""

    def __init__(self, database: Database, opening: Opening, clock: Clock) -> None:
        self._database = database
        self._opening = opening
        self._clock = clock
        self._holds = CaseHolds(database, clock)

    def register_kit(self, officer: Officer, asked: KitRegistration) -> None:
        """Register a new kit with its first key; raises FieldsRefused and SignerTaken."""
        officer.require(Role.SUPERVISOR)
        if asked.unit is not None and not is_unit(asked.unit):
            raise FieldsRefused({"unit": "FIELD_CHARACTERS"})
        moment = rfc3339(self._clock())
        signer = _signer(SignerKind.KIT, asked.kit, asked.jwk, moment, asked.valid_until)
        kit = Kit(id=asked.kit, unit=asked.unit, settled=0, head=FIRST, newest=0, registered_at=moment)
        with self._database.writing() as connection:
            kit_repository.add_kit(connection, kit)
            kit_repository.add_signer(connection, signer)
            record_kit(connection, kit.id, "register_kit", officer.id, moment, key=signer.thumbprint)

    def register_signer(self, officer: Officer, asked: SignerRegistration) -> None:
        """As ``admit_signer``, in a transaction of its own."""
        with self._database.writing() as connection:
            admit_signer(connection, officer, asked, self._clock())

    def revoke(self, officer: Officer, asked: SignerRevocation) -> RevocationAnswer:
        """Trust nothing any more that was signed from a moment on (I15), also one that has passed.

        What was opened, or approved in lists, since is held for the case, as is what the officer captured at
        counters; the answer names it, and what cannot be held. With the cursor of an answer it goes on.
        """
        officer.require(Role.SUPERVISOR)
        kind, case_id = _kind(asked.kind), require_case(asked.case_id)
        revoked_at = moment_in("revoked_at", asked.revoked_at)
        met = _MET[kind]
        page = page_asked(None, asked.cursor, 1 if kind is SignerKind.OFFICE else 2)
        keys, held = 0, Held(0, ())
        word = Withdrawal(officer=asked.owner, since=revoked_at, case_id=case_id, by=officer.id)
        if asked.cursor is None:
            with self._database.writing() as connection:
                require_filed(connection, case_id)
                keys = kit_repository.revoke(connection, kind, asked.owner, revoked_at, case_id)
                moment, said = rfc3339(self._clock()), {"case_id": case_id, "since": revoked_at}
                record_kit(connection, asked.owner, "revoke_signer", officer.id, moment, **said)
            if kind is SignerKind.OFFICER:
                held = self._holds.captured_at_counters(word)
        # Whatever is opened or listed since that transaction found the key revoked.
        with self._database.reading() as connection:
            found = met(connection, _Revoked(kind, asked.owner, revoked_at), page)
        more = self._holds.named(found.entries, word)
        others = tuple(sorted({*held.others, *more.others}))
        return RevocationAnswer(keys, found.entries, held.number + more.number, others, found.cursor)

    def kits(self, officer: Officer) -> list[KitSummary]:
        """The kits of an officer's unit."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            revoked = kit_repository.owners_revoked(connection, SignerKind.KIT)
            known = kit_repository.kits(connection)
        return [
            KitSummary(kit.id, kit.unit, kit.id in revoked, kit.settled, kit.newest)
            for kit in known
            if officer.area is None or (kit.unit is not None and lies_in(kit.unit, officer.area))
        ]

    def numbers(self, officer: Officer, kit_id: str, asked: PageAsked = _FIRST_PAGE) -> KitNumbers:
        """Where every running number of a kit is (invariant I7), with a page of its doubtful packets.

        Raises KitUnknown, and FieldsRefused for a cursor of another list.
        """
        officer.require(*_READERS)
        with self._database.reading() as connection:
            return _numbers(connection, kit_repository.kit(connection, kit_id), asked)

    def close_gap(self, officer: Officer, kit_id: str, sequence: int, asked: GapClosing) -> KitNumbers:
        """Give up a packet that will never come; those after it are opened. Raises TransitionRefused."""
        officer.require(Role.SUPERVISOR)
        moment = rfc3339(self._clock())
        gap = ClosedGap(
            kit=kit_id,
            sequence=sequence,
            named=None,
            case_id=require_case(asked.case_id),
            officer=officer.id,
            closed_at=moment,
        )
        with self._database.writing() as connection:
            require_filed(connection, gap.case_id)
            kit = kit_repository.kit(connection, kit_id, lock=True)
            packet = repository.at(connection, kit_id, sequence)
            is_here = packet is not None and packet.state is not PacketState.ANNOUNCED
            is_closed = kit_repository.gap(connection, kit_id, sequence) is not None
            if is_here or is_closed or not kit.settled < sequence <= kit.newest:
                raise TransitionRefused("this number is not missing")
            kit_repository.add_gap(connection, gap)
            record_kit(
                connection, kit_id, "close_gap", officer.id, moment,
                sequence=str(sequence), case_id=gap.case_id,
            )  # fmt: skip
        self._opening.open_what_can_be(kit_id)
        return self.numbers(officer, kit_id)

    def decide(self, officer: Officer, packet_hash: str, asked: PacketRelease) -> DoubtfulPacket:
        """Accept or refuse a doubtful packet by a case; who accepts has a part in the capture from then on.

        Raises PacketUnknown, TransitionRefused, and SameOfficer where who signed it would accept it.
        """
        officer.require(Role.SUPERVISOR)
        case_id = require_case(asked.case_id)
        event = PacketEvent.RELEASE if asked.is_accepted else PacketEvent.REJECT
        with self._database.writing() as connection:
            require_filed(connection, case_id)
            decided = replace(repository.found(connection, packet_hash), case_id=case_id)
            if asked.is_accepted and officer.id in _signed_by(decided):
                raise SameOfficer("nobody accepts what they sealed")
            advance(connection, decided, [event], rfc3339(self._clock()), officer.id)
        self._opening.open_released(packet_hash)
        with self._database.reading() as connection:
            return _doubtful(repository.found(connection, packet_hash))


def admit_signer(
    connection: Connection, officer: Officer, asked: SignerRegistration, moment: datetime
) -> None:
    """Register a key of an officer who captures, approves or supervises, of the office, or one more of a kit.

    Raises RoleMissing, KeyInOwnName, FieldsRefused, KitUnknown and SignerTaken.
    """
    officer.require(Role.SUPERVISOR)
    at = rfc3339(moment)
    signer = _signer(_kind(asked.kind), asked.owner, asked.jwk, at, asked.valid_until)
    if signer.kind is SignerKind.OFFICER and signer.owner == officer.id:
        raise KeyInOwnName("another supervisor registers this key")
    _require_owner(connection, signer)
    kit_repository.add_signer(connection, signer)
    record_key(connection, signer, officer.id, at)


def revoke_keys_of_blocked(connection: Connection, officer: str, by: str, moment: datetime) -> int:
    """Trust nothing any more that a blocked officer signed from now on (I15); how many keys that met."""
    at = rfc3339(moment)
    keys = kit_repository.revoke(connection, SignerKind.OFFICER, officer, at, _BLOCKED)
    if keys:
        record_kit(connection, officer, "revoke_signer", by, at, case_id=_BLOCKED, since=at)
    return keys


def _numbers(connection: Connection, kit: Kit, asked: PageAsked) -> KitNumbers:
    states = repository.numbers(connection, kit.id, kit.settled)
    closed = [gap.sequence for gap in kit_repository.closed_gaps(connection, kit.id)]
    doubtful = repository.doubtful(connection, kit.id, _number_before(asked), asked.limit + 1)
    page = page_of(doubtful, asked, lambda packet: (str(packet.sequence),))
    pending = [
        number for number, state in states.items()
        if state is PacketState.ANNOUNCED and number not in closed
    ]  # fmt: skip
    here = [number for number, state in states.items() if state is not PacketState.ANNOUNCED]
    return KitNumbers(
        kit=kit.id,
        settled=kit.settled,
        newest=kit.newest,
        gaps=_runs(domain.gaps(kit.settled, kit.newest, [*states, *closed])),
        pending=_runs(pending),
        received=_runs(here),
        closed=_runs(closed),
        doubtful=tuple(_doubtful(packet) for packet in page.entries),
        cursor=page.cursor,
    )


def _number_before(asked: PageAsked) -> int:
    """The number after which a page of a kit's packets begins; raises FieldsRefused."""
    (number,) = asked.after or ("0",)
    if not (number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS):
        raise FieldsRefused({"cursor": "FIELD_CHARACTERS"})
    return int(number)


def _runs(numbers: list[int] | tuple[int, ...]) -> tuple[NumberRun, ...]:
    return tuple(NumberRun(first, last) for first, last in domain.ranges(numbers))


def _doubtful(packet: Packet) -> DoubtfulPacket:
    return DoubtfulPacket(packet.packet, packet.kit, packet.sequence, packet.received_at, packet.code)


def _signer(kind: SignerKind, owner: str, jwk: Mapping[str, str], since: str, until: str | None) -> Signer:
    domain.require_owner(owner)
    try:
        name = thumbprint(public_key_of(jwk))
    except SignatureInvalid:
        raise FieldsRefused({"jwk": "FIELD_CHARACTERS"}) from None
    return Signer(
        thumbprint=name,
        kind=kind,
        owner=owner,
        jwk=msgspec.json.encode(dict(jwk), order="sorted").decode(),
        valid_from=since,
        valid_until=moment_in("valid_until", until) if until else None,
    )


def _kind(text: str) -> SignerKind:
    if text not in set(SignerKind):
        raise FieldsRefused({"kind": "FIELD_CHARACTERS"})
    return SignerKind(text)


def _require_owner(connection: Connection, signer: Signer) -> None:
    if signer.kind is SignerKind.KIT:
        kit_repository.kit(connection, signer.owner)
        return
    if signer.kind is SignerKind.OFFICE:
        if signer.owner != OFFICE:
            raise FieldsRefused({"owner": "FIELD_NOT_AS_REGISTERED"})
        return
    # Whoever blocks the owner waits for the key, and revokes it with the others.
    account = officers.account(connection, signer.owner, hold=True)
    if account is None or account.is_suspended or account.officer.roles.isdisjoint(_SIGNING):
        raise FieldsRefused({"owner": "FIELD_OFFICER_UNKNOWN"})


class _Revoked(NamedTuple):
    """Whose keys are trusted no more, and since when."""

    kind: SignerKind
    owner: str
    at: str


def _listed_since(connection: Connection, revoked: _Revoked, asked: PageAsked) -> Page[str]:
    """Some dossiers of lists that the office signed since."""
    (after,) = asked.after or ("",)
    listed = kit_repository.listed_since(connection, revoked.at, after, asked.limit + 1)
    return page_of(listed, asked, lambda dossier: (dossier,))


def _opened_since(connection: Connection, revoked: _Revoked, asked: PageAsked) -> Page[str]:
    """Some dossiers of packets that the owner signed since; of an officer all kits' packets are looked at."""
    kit = revoked.owner if revoked.kind is SignerKind.KIT else None
    since = domain.announced_after(revoked.at)
    named: list[str] = []
    for _ in range(_PAGES_LOOKED_AT):
        opened = repository.opened_since(connection, since, kit, asked.after or ("", ""), asked.limit + 1)
        page = page_of(opened, asked, lambda packet: (packet.announced_at, packet.packet))
        named += [each.dossier for each in page.entries if each.dossier and _is_met(each, revoked)]
        if page.cursor is None or len(named) >= asked.limit:
            break
        asked = page_asked(None, page.cursor, 2)
    return Page(tuple(named), page.cursor)


def _signed_by(packet: Packet) -> set[str | None]:
    """The officers whose keys signed a packet."""
    envelope = parse_packet(packet.metadata).envelope
    return {envelope.officer, envelope.supervisor}


def _signed_since(connection: Connection, revoked: _Revoked, asked: PageAsked) -> Page[str]:
    """Some dossiers of an officer: first those of lists they approved since, then those of packets."""
    place, after = asked.after or (_LISTS, "")
    if place != _LISTS:
        return _opened_since(connection, revoked, asked)
    listed = kit_repository.approved_since(connection, revoked.owner, revoked.at, after, asked.limit + 1)
    page = page_of(listed, asked, lambda dossier: (_LISTS, dossier))
    if page.cursor is not None:
        return page
    opened = _opened_since(connection, revoked, PageAsked(asked.limit))
    return Page(page.entries + opened.entries, opened.cursor)


_LISTS = "lists"
"""In the place of a moment in a cursor: lists come before packets."""

_MET = {
    SignerKind.OFFICE: _listed_since,
    SignerKind.OFFICER: _signed_since,
    SignerKind.KIT: _opened_since,
}


def _is_met(packet: Packet, revoked: _Revoked) -> bool:
    """Whether the owner signed a packet whose time, the kit's or ours, is not before the revocation."""
    envelope, since = parse_packet(packet.metadata).envelope, parse_moment(revoked.at)
    signed_by = {
        SignerKind.KIT: (envelope.kit,),
        SignerKind.OFFICER: (envelope.officer, envelope.supervisor),
        SignerKind.OFFICE: (),
    }
    moments = (envelope.happened_at, packet.announced_at)
    return revoked.owner in signed_by[revoked.kind] and any(parse_moment(each) >= since for each in moments)
