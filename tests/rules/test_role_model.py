"""Who it takes from a capture to a card in its holder's hands: every set of roles, every share of the work.

What each step demands is not copied from the product but asked of a real office: every role alone tries
every step, and one officer with every role tries every pair of steps. Over what was found all 131,072 sets
of roles are then searched:

* no officer completes the path alone, whatever their roles: capture, local approval and central approval
  are three people's, packing, carrying and taking in are three people's, and whoever confirms a holder
  does not hand over; who keeps the blanks does not have cards made on them;
* three officers can, where each has all the roles needed; two cannot, whatever they share;
* the least roles among them all are seven: capture, approver, central approver, stock keeper, production,
  courier, and supervisor (who takes the box in and confirms the holder);
* where a counter captured and something is missing it takes four, as a supervisor answers for that;
* what a kit sealed and a case let in takes four as well: who let it in neither sealed it nor approves it;
* at a province itself it takes four, as a processor checks what somebody else there approves;
* an auditor does none of it, nor anything else that is done in an office, and has no other role.

Examiners, whose word is needed only after a hit, are in ``test_adjudication_machine``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from issuance_backend.credentials.tables import CARD_BOXES
from issuance_backend.dossiers import approval_desk
from issuance_backend.dossiers.intake.composition import dossier_door
from issuance_backend.dossiers.intake.refusals import KeyInOwnName
from issuance_backend.officers import service
from issuance_backend.officers.domain import Officer, Role, require_held_together
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import (
    BlankStockEmpty,
    DossierNotChecked,
    HandOverProofMissing,
    RoleMissing,
    SameOfficer,
)
from issuance_backend.schema import EVENTS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from issuance_backend.unit_codes import province_of
from monitoring.database import Database
from tests.properties.office_walk import Machines, OfficeWalk, real_workshop
from tests.support.application_desk import UNIT, capture_of, officer, packet_of
from tests.support.certified import certify
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, SIGNATURE
from tests.support.packet_centre import Centre, PlainDossiers
from tests.support.running import run_pending
from verification.errors import FieldsRefused, VerificationError
from verification.messages.counter_capture import CitizenAgreement
from verification.messages.delivery import (
    BoxPacking,
    BoxScan,
    BoxSeal,
    ConfirmationReason,
    HandOver,
    HolderConfirmation,
)
from verification.messages.packet_intake import PacketRelease, SignerRegistration
from verification.messages.production import BlankDelivery
from verification.messages.signing_key import public_jwk

STEPS = (
    *("capture", "approve_locally", "approve_centrally", "receive_blanks", "have_it_made"),
    *("pack", "carry", "take_in", "confirm_holder", "hand_over"),
)
NEEDS: Mapping[str, frozenset[Role]] = {
    "capture": frozenset({Role.CAPTURE}),
    "approve_locally": frozenset({Role.APPROVER}),
    "approve_centrally": frozenset({Role.CENTRAL_APPROVER}),
    "receive_blanks": frozenset({Role.STOCK_KEEPER}),
    "have_it_made": frozenset({Role.PRODUCTION}),
    "pack": frozenset({Role.PRODUCTION, Role.STOCK_KEEPER}),
    "carry": frozenset({Role.COURIER}),
    "take_in": frozenset({Role.OFFICE, Role.SUPERVISOR}),
    "confirm_holder": frozenset({Role.SUPERVISOR}),
    "hand_over": frozenset({Role.CAPTURE, Role.OFFICE}),
}
APART = {
    ("capture", "approve_locally"),
    ("capture", "approve_centrally"),
    ("approve_locally", "approve_centrally"),
    ("receive_blanks", "have_it_made"),
    ("pack", "carry"),
    ("pack", "take_in"),
    ("carry", "take_in"),
    ("confirm_holder", "hand_over"),
}
"""The pairs of steps that one officer never does for one card."""

REFUSALS = {SameOfficer, HandOverProofMissing, BlankStockEmpty}
"""No other officer confirmed the holder; there is no blank but those that the operator keeps himself."""

BLANKS = BlankDelivery(first="VN000000001", last="VN000000009")


class Faultless(Machines):
    """Machines that never stop, and a card that is always good."""

    def write(self, card: str, image: object) -> None: ...

    def __init__(self, _chance: object) -> None:
        super().__init__(_Always())  # type: ignore[arg-type]


class _Always:
    def random(self) -> float:
        return 0.5


class Office(OfficeWalk):
    """One card's way, one method a step."""

    machines = Faultless
    names: Mapping[str, str]

    def do(self, step: str, who: Officer) -> None:
        """One step; raises as the office does."""
        acts: dict[str, Callable[[], object]] = {
            "capture": lambda: self.desk.office.captures.capture(who, capture_of(self.people[0])),
            "check": lambda: self.desk.office.checks.check(who, self._any("dossier")),
            "approve_locally": lambda: self.desk.office.approvals.approve_locally(who, self._any("dossier")),
            "approve_centrally": lambda: self.desk.office.approvals.approve_centrally(
                who, self._any("dossier")
            ),
            "receive_blanks": lambda: self.stock.receive(who, BLANKS),
            "have_it_made": partial(self._make, who),
            "pack": lambda: self.shipping.pack(who, BoxPacking(unit=UNIT, cards=(self._any("card"),))),
            "carry": lambda: self.shipping.dispatch(who, self._any("box"), BoxSeal(self._digest())),
            "take_in": lambda: self.shipping.receive(
                who, self._any("box"), BoxScan((self._any("card"),), close_short=False)
            ),
            "confirm_holder": lambda: self.delivery.confirm_holder(
                who, self._any("card"), HolderConfirmation(ConfirmationReason.CHIP_UNREADABLE)
            ),
            "hand_over": lambda: self.delivery.hand_over(who, self._any("card"), HandOver()),
        }
        acts[step]()

    def is_handed_over(self) -> bool:
        return self.standing_of("card") == ["active"]

    def standing_of(self, kind: str) -> list[str]:
        with self.database.reading() as connection:
            return self.standing.states(connection, kind)

    def _any(self, kind: str) -> str:
        with self.database.reading() as connection:
            found = self.standing.names(connection, kind, ())
        return found[0] if found else "0" * 16

    def _make(self, who: Officer) -> None:
        self.production.queue(who, self._any("dossier"))
        run_pending(self.line)

    def _digest(self) -> str:
        with self.database.reading() as connection:
            return connection.execute(select(CARD_BOXES.c.digest)).scalar() or ""


@pytest.fixture(scope="module")
def new_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Office]]:
    folder = tmp_path_factory.mktemp("roles")
    engine = Sqlite(folder)
    template = engine.new()
    database = Database(template)
    database.migrate(ISSUANCE_MIGRATIONS)
    database.close()
    opened: list[Database] = []

    def open_one() -> Office:
        made = Database(engine.copy(template))
        opened.append(made)
        return Office(made, real_workshop(Path(folder) / "pki", made), 1)

    yield open_one
    for each in opened:
        each.close()


def team(shares: Mapping[str, str]) -> dict[str, Officer]:
    """Officers with every role, by the step that each of them does."""
    everybody = {name: officer(name, *Role, unit=UNIT) for name in shares.values()}
    return {step: everybody[name] for step, name in shares.items()}


def refusal_of(office: Office, doing: Mapping[str, Officer]) -> tuple[str, type] | None:
    """The first step that is refused to its officer, None when the card is in its holder's hands."""
    for step in STEPS:
        try:
            office.do(step, doing[step])
        except VerificationError as refused:
            return step, type(refused)
    assert office.is_handed_over()
    return None


def test_every_role_alone_tries_every_step(new_office: Callable[[], Office]) -> None:
    office, found = new_office(), {}
    for step in STEPS:
        if step == "hand_over":
            office.do("confirm_holder", officer("somebody.else", Role.SUPERVISOR))
        permitted = set()
        for role in Role:
            try:
                office.do(step, officer(role.value, role, unit=UNIT))
            except RoleMissing:
                continue
            except VerificationError:
                # It was done by a role before this one: the role is asked for first.
                pass
            permitted.add(role)
        found[step] = frozenset(permitted)
    assert office.is_handed_over()
    assert found == NEEDS


def test_every_pair_of_steps_by_one_officer(new_office: Callable[[], Office]) -> None:
    found = {}
    for pair in itertools.combinations(STEPS, 2):
        shares = {step: "both" if step in pair else step for step in STEPS}
        refusal = refusal_of(new_office(), team(shares))
        if refusal is not None:
            found[pair] = refusal
    assert set(found) == APART
    assert all(step == pair[1] and kind in REFUSALS for pair, (step, kind) in found.items()), found


@cache
def shares_of(officers: int) -> tuple[dict[str, int], ...]:
    """Every way in which so many officers share the steps without one doing two that are apart."""
    found = []
    for places in itertools.product(range(officers), repeat=len(STEPS)):
        share = dict(zip(STEPS, places, strict=True))
        if all(share[one] != share[other] for one, other in APART):
            found.append(share)
    return tuple(found)


def completes_alone(roles: frozenset[Role], apart: set[tuple[str, str]]) -> bool:
    """Whether one officer with these roles gets a card made and handed over."""
    return not apart and all(NEEDS[step] & roles for step in STEPS)


def every_set() -> Iterator[frozenset[Role]]:
    for size in range(len(Role) + 1):
        yield from map(frozenset, itertools.combinations(Role, size))


def test_no_set_of_roles_makes_a_card_alone() -> None:
    searched = list(every_set())
    assert len(searched) == 2 ** len(Role)
    assert not [roles for roles in searched if completes_alone(roles, APART)]
    # The search would find one: without the rule that parts are apart, roles alone stop nobody.
    alone = [roles for roles in searched if completes_alone(roles, set())]
    least = min(len(roles) for roles in alone)
    assert [roles for roles in alone if len(roles) == least] == [
        frozenset(
            {
                *(Role.CAPTURE, Role.APPROVER, Role.CENTRAL_APPROVER, Role.STOCK_KEEPER),
                *(Role.PRODUCTION, Role.COURIER, Role.SUPERVISOR),
            }
        )
    ]
    assert len(alone) == 2 ** (len(Role) - least)


def test_three_officers_are_the_least(new_office: Callable[[], Office]) -> None:
    assert not shares_of(1)
    assert not shares_of(2)
    assert shares_of(3)
    for share in shares_of(3)[:: max(1, len(shares_of(3)) // 5)]:
        named = {step: f"officer.{place}" for step, place in share.items()}
        assert refusal_of(new_office(), team(named)) is None


def test_two_officers_with_every_role_are_stopped_however_they_share(
    new_office: Callable[[], Office],
) -> None:
    """In a real office: whoever does each of the first three steps, one of them is the same officer."""
    for places in itertools.product("ab", repeat=3):
        named = dict.fromkeys(STEPS, "a") | dict(zip(STEPS, places, strict=False))
        refusal = refusal_of(new_office(), team(named))
        assert refusal in {("approve_locally", SameOfficer), ("approve_centrally", SameOfficer)}


PROVINCE = province_of(UNIT)
AT_A_PROVINCE = ("capture", "check", "approve_locally", "approve_centrally")


def provincial_refusal(office: Office, shares: Mapping[str, str]) -> tuple[str, type] | None:
    """The first of a dossier's steps that is refused where the province itself approves."""
    for step in AT_A_PROVINCE:
        who = officer(shares[step], *Role, unit=UNIT if step == "capture" else PROVINCE)
        try:
            office.do(step, who)
        except VerificationError as refused:
            return step, type(refused)
    return None


def test_at_a_province_four_officers_are_the_least(new_office: Callable[[], Office]) -> None:
    assert provincial_refusal(new_office(), {step: step for step in AT_A_PROVINCE}) is None
    for pair in itertools.combinations(AT_A_PROVINCE, 2):
        shares = {step: "both" if step in pair else step for step in AT_A_PROVINCE}
        assert provincial_refusal(new_office(), shares) == (pair[1], SameOfficer), pair


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


AT_A_COUNTER = ("capture", "answer_for", "approve_locally", "approve_centrally")


def counter_refusal(office: Office, shares: Mapping[str, str]) -> tuple[str, type] | None:
    """The first step that is refused of a dossier that a counter captured without prints."""
    who = {step: officer(name, *Role, unit=UNIT) for step, name in shares.items()}
    counter, captor = office.desk.office.counter, who["capture"]
    begun = counter.begin(captor, capture_of(office.people[0]))
    counter.check_form(captor, begun.id)
    counter.sign(captor, begun.id, CitizenAgreement("vi", SIGNATURE))
    for step in AT_A_COUNTER[1:]:
        try:
            if step == "answer_for":
                counter.answer(who[step], begun.id)
                counter.seal(captor, begun.id)
            else:
                office.do(step, who[step])
        except VerificationError as refused:
            return step, type(refused)
    return None


def test_of_a_counter_without_prints_four_officers_are_the_least(new_office: Callable[[], Office]) -> None:
    assert counter_refusal(new_office(), {step: step for step in AT_A_COUNTER}) is None
    for pair in itertools.combinations(AT_A_COUNTER, 2):
        shares = {step: "both" if step in pair else step for step in AT_A_COUNTER}
        assert counter_refusal(new_office(), shares) == (pair[1], SameOfficer), pair


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


def test_a_role_more_never_lets_anybody_of_a_team_do_it_alone() -> None:
    for share in shares_of(3):
        for place in range(3):
            own = frozenset[Role]().union(*(NEEDS[step] for step in STEPS if share[step] == place))
            assert not any(completes_alone(own | {role}, APART) for role in Role)


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


BY_A_CASE = ("seal", "let_in", "approve_locally", "approve_centrally")


def case_refusal(office: Office, folder: Path, shares: Mapping[str, str]) -> tuple[str, type] | None:
    """The first step that is refused of a packet whose officer was not certified, so that it needs a case."""
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        OfficerDoor(office.database, lambda: NOW).enrol(shares["seal"], "A", (Role.CAPTURE,), PASSWORD)
    centre = Centre(office.database, folder, dossier_door(office.database, office.desk.office.packets))
    packet = centre.kit(officer=shares["seal"]).seal(office.people[0])
    centre.bring(packet)
    assert (centre.status(packet).state, office.standing_of("dossier")) == ("doubtful", [])
    for step in BY_A_CASE[1:]:
        who = officer(shares[step], *Role, unit=UNIT)
        try:
            if step == "let_in":
                centre.intake.kits.decide(who, packet.packet_hash, PacketRelease("VV/2026-1", True))
            else:
                office.do(step, who)
        except VerificationError as refused:
            return step, type(refused)
    return None


def test_of_a_packet_that_a_case_lets_in_four_officers_are_the_least(
    new_office: Callable[[], Office], tmp_path: Path
) -> None:
    assert case_refusal(new_office(), tmp_path, {step: step for step in BY_A_CASE}) is None
    for pair in itertools.combinations(BY_A_CASE, 2):
        shares = {step: "both" if step in pair else step for step in BY_A_CASE}
        refusal = case_refusal(new_office(), tmp_path, shares)
        assert refusal == (pair[1], SameOfficer), pair


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
    new_office: Callable[[], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an office where everything waits for somebody; one who has the other roles gets much of it done."""
    office = new_office()
    office.run(600)
    everybody = officer("everybody", *(set(Role) - {Role.AUDITOR}), unit=UNIT)
    assert recorded_of(office, officer("thanh.tra", Role.AUDITOR), monkeypatch) == set()
    assert len(recorded_of(office, everybody, monkeypatch)) > 15


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.AUDITOR}))
def test_an_auditor_has_no_other_role(role: Role) -> None:
    require_held_together({Role.AUDITOR})
    with pytest.raises(ValueError, match="auditor"):
        require_held_together({Role.AUDITOR, role})


def test_an_office_that_forgot_the_rule_is_found_out(
    new_office: Callable[[], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval_desk, "_require_only_part", lambda *_: None)
    shares = {step: "a" if step in {"capture", "approve_locally"} else step for step in STEPS}
    assert refusal_of(new_office(), team(shares)) is None
