"""What keeps an officer from a step beside their roles: what they did before, and for whom.

Which roles each step takes, which two steps nobody takes both, and that no set of roles makes a card alone:
``test_ways_to_a_card``. Examiners, whose word is needed only after a hit: ``test_adjudication_machine``.
An auditor does none of what is done in an office, and has no other role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from issuance_backend.dossiers.intake.composition import dossier_door
from issuance_backend.dossiers.intake.refusals import KeyInOwnName
from issuance_backend.officers import service
from issuance_backend.officers.domain import Officer, Role, require_held_together
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import (
    DossierNotChecked,
    RoleMissing,
    SameOfficer,
)
from issuance_backend.schema import EVENTS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from issuance_backend.unit_codes import province_of
from monitoring.database import Database
from tests.properties.office_walk import real_workshop
from tests.rules.ways_to_a_card import Office
from tests.support.application_desk import UNIT, capture_of, officer, packet_of
from tests.support.certified import certify
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, SIGNATURE
from tests.support.packet_centre import Centre, PlainDossiers
from verification.errors import FieldsRefused, VerificationError
from verification.messages.counter_capture import CitizenAgreement
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import public_jwk


class SearchingOffice(Office):
    """An office in which everything is done that is walked anywhere."""

    searches = True


@pytest.fixture(scope="module")
def new_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Office]]:
    folder = tmp_path_factory.mktemp("roles")
    engine = Sqlite(folder)
    template = engine.new()
    database = Database(template)
    database.migrate(ISSUANCE_MIGRATIONS)
    database.close()
    opened: list[Database] = []

    def open_one(kind: type[Office] = Office) -> Office:
        made = Database(engine.copy(template))
        opened.append(made)
        return kind(made, real_workshop(folder / "pki", made), folder)

    yield open_one
    for each in opened:
        each.close()


PROVINCE = province_of(UNIT)


def test_only_a_processor_checks_and_without_that_no_province_approves(
    new_office: Callable[[], Office],
) -> None:
    office, permitted = new_office(), set()
    office.do("capture", officer("lan", Role.CAPTURE, unit=UNIT))
    with pytest.raises(DossierNotChecked):
        office.do("approve_locally", officer("minh", *Role, unit=PROVINCE))
    for role in Role:
        with suppress(RoleMissing):
            office.do("check", officer(role.value, role, unit=PROVINCE))
            permitted.add(role)
    assert permitted == {Role.PROCESSOR}
    office.do("approve_locally", officer("minh", Role.APPROVER, unit=PROVINCE))


def test_only_a_supervisor_answers_and_without_that_no_counter_seals(
    new_office: Callable[[], Office],
) -> None:
    office, permitted = new_office(), set()
    counter, lan = office.desk.office.counter, officer("lan", Role.CAPTURE, unit=UNIT)
    begun = counter.begin(lan, capture_of(office.people[0]))
    counter.check_form(lan, begun.id)
    counter.sign(lan, begun.id, CitizenAgreement("vi", SIGNATURE))
    with pytest.raises(FieldsRefused):
        counter.seal(lan, begun.id)
    for role in Role:
        with suppress(RoleMissing):
            counter.answer(officer(role.value, role, unit=UNIT), begun.id)
            permitted.add(role)
    assert permitted == {Role.SUPERVISOR}
    counter.seal(lan, begun.id)


def test_what_was_done_counts_and_not_the_role_of_today(new_office: Callable[[], Office]) -> None:
    """I4 is judged by what was recorded: who captured as a captor does not approve as an approver."""
    office = new_office()
    office.do("capture", officer("lan", Role.CAPTURE, unit=UNIT))
    with pytest.raises(SameOfficer):
        office.do("approve_locally", officer("lan", Role.APPROVER, unit=UNIT))
    office.do("approve_locally", officer("minh", Role.APPROVER, unit=UNIT))
    for name in ("lan", "minh"):
        with pytest.raises(SameOfficer):
            office.do("approve_centrally", officer(name, Role.CENTRAL_APPROVER))


def test_who_signed_the_packet_of_a_kit_captured_it(new_office: Callable[[], Office]) -> None:
    office = new_office()
    office.desk.received(packet_of(office.people[0], officer="lan"))
    with pytest.raises(SameOfficer):
        office.do("approve_locally", officer("lan", *Role, unit=UNIT))


def test_nobody_admits_the_key_with_which_they_sign_packets(
    new_office: Callable[[], Office], tmp_path: Path
) -> None:
    """A packet is a capture: who could admit a key in their own name would capture with nobody's leave."""
    kits = Centre(new_office().database, tmp_path, PlainDossiers()).intake.kits
    jwk = dict(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    with pytest.raises(KeyInOwnName):
        kits.register_signer(officer("lan", *Role, unit=UNIT), SignerRegistration("officer", "lan", jwk))


def test_who_admits_the_key_of_another_has_a_part_in_what_it_captures(
    new_office: Callable[[], Office], tmp_path: Path
) -> None:
    """Or a supervisor who approves would make a key, call it another officer's, and approve what it signs."""
    office = new_office()
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        OfficerDoor(office.database, lambda: NOW).enrol("lan", "Lan", (Role.CAPTURE,), PASSWORD)
    certify(office.database, "lan")
    door = dossier_door(office.database, office.desk.office.packets)
    centre = Centre(office.database, tmp_path, door)
    kit = centre.kit(officer="lan", by=officer("minh", *Role, unit=UNIT))
    centre.bring(kit.seal(office.people[0]))
    with pytest.raises(SameOfficer):
        office.do("approve_locally", officer("minh", *Role, unit=UNIT))
    office.do("approve_locally", officer("son", *Role, unit=UNIT))


def recorded_of(office: Office, who: Officer, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is recorded in one's name after trying every act of an office, each some times."""
    # What comes sealed is no act of somebody signed in: whose key sealed it is asked at its door.
    sealed = {office.receive_packet, office.packet_again}
    monkeypatch.setattr(office, "who", lambda: who)
    for act in set(office.acts) - sealed:
        for _ in range(10):
            office.desk.now[0] += timedelta(seconds=1)
            with suppress(VerificationError):
                act()
    with office.database.reading() as connection:
        kept = connection.execute(select(EVENTS.c.event).where(EVENTS.c.actor == who.id))
        return set(kept.scalars())


def test_an_auditor_does_nothing_of_all_that_is_done(
    new_office: Callable[[type[Office]], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an office where everything waits for somebody; one who has the other roles gets much of it done."""
    office = new_office(SearchingOffice)
    office.run(600)
    everybody = officer("everybody", *(set(Role) - {Role.AUDITOR}), unit=UNIT)
    assert recorded_of(office, officer("thanh.tra", Role.AUDITOR), monkeypatch) == set()
    assert len(recorded_of(office, everybody, monkeypatch)) > 15


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUDITOR}))
def test_an_auditor_has_no_other_role(role: Role) -> None:
    require_held_together({Role.AUDITOR})
    with pytest.raises(ValueError, match="auditor"):
        require_held_together({Role.AUDITOR, role})
