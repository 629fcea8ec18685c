"""Every way from a capture to a card in its holder's hands, walked through a real office and searched.

``GRAPH`` says by which steps a dossier or its card gets from where it is to the next place; the office
itself is asked, at every place and on every way, whom it refuses which step. Over its answers, a ``Model``,
the search looks for officers who get through.
"""

from __future__ import annotations

import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import select

from issuance_backend.credentials.handover_receipts import ReceiptDesk
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.credentials.tables import CARD_BOXES
from issuance_backend.dossiers.intake.composition import dossier_door
from issuance_backend.moments import rfc3339
from issuance_backend.officers import service as officers
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.service import Workshop
from issuance_backend.refusals import RoleMissing
from issuance_backend.schema import CREDENTIALS
from issuance_backend.unit_codes import province_of
from monitoring.database import Database
from tests.issuance_backend.credentials.test_hand_over_proofs import keys, receipt
from tests.properties.office_walk import Machines, OfficeWalk
from tests.properties.standing import Standing
from tests.support.application_desk import UNIT, capture_of, officer
from tests.support.certified import certify
from tests.support.issuance_office import NOW, PASSWORD, SIGNATURE, picture
from tests.support.packet_centre import SUPERVISOR, Centre
from tests.support.running import run_pending
from tests.support.sealed_packets import Kit
from verification.errors import Refused, VerificationError
from verification.messages.counter_capture import CitizenAgreement
from verification.messages.delivery import (
    BoxPacking,
    BoxScan,
    BoxSeal,
    ConfirmationReason,
    HandOver,
    HolderConfirmation,
)
from verification.messages.dossier_decisions import LookupAnswer, LookupRequest
from verification.messages.enrollment import DossierReturn
from verification.messages.packet_intake import (
    KitRegistration,
    PacketRelease,
    SignerRegistration,
    SignerRevocation,
)
from verification.messages.production import BlankDelivery
from verification.messages.signing_key import public_jwk

Way = tuple[str, ...]
Pair = tuple[str, str]

NOTHING, HANDED_OVER = "nothing", "active"
GRAPH: Mapping[str, Mapping[Way, str]] = {
    NOTHING: {
        ("capture",): "validated",
        ("capture_without_prints", "answer_for"): "validated",
        ("seal", "admit_kit", "admit_key"): "validated",
        ("seal", "vouch", "admit_kit", "admit_supervisor", "admit_key"): "validated",
        ("seal_doubtfully", "admit_kit", "admit_key", "release"): "validated",
        ("seal_doubtfully", "vouch", "admit_kit", "admit_supervisor", "admit_key", "release"): "validated",
    },
    "validated": {
        ("approve_locally",): "dedup_1n",
        ("ask_archive", "approve_lookup", "answer_lookup", "approve_locally"): "dedup_1n",
        ("check", "approve_at_province"): "dedup_1n",
    },
    "dedup_1n": {
        ("approve_centrally",): "ordered",
        ("send_back", "capture_again", "approve_anew", "approve_centrally"): "ordered",
    },
    "ordered": {("receive_blanks", "have_it_made"): "qa_passed"},
    "qa_passed": {("pack", "carry", "take_in"): "at_office"},
    "at_office": {
        ("confirm_holder", "hand_over"): HANDED_OVER,
        ("hand_over_by_receipt",): HANDED_OVER,
    },
}
"""By place: the steps, each in its turn, and where they lead. No program's step is among them."""

CAPTURES = frozenset(way[0] for way in GRAPH[NOTHING])
STEPS = tuple(dict.fromkeys(step for ways in GRAPH.values() for way in ways for step in way))
AT_A_PROVINCE = {"check", "approve_at_province"}
EVERYTHING = frozenset(set(Role) - {Role.AUDITOR})
"""Nobody who has a role beside an auditor's is let in (``require_held_together``)."""

CASE = PacketRelease("VV/2026-0117", is_accepted=True)
SEEN = HolderConfirmation(ConfirmationReason.CHIP_UNREADABLE)
BLANKS = BlankDelivery(first="VN000000001", last="VN000000009")


@dataclass(frozen=True)
class Model:
    """What an office refuses: the roles that each step takes, any of them, and who may not do which two."""

    needs: Mapping[str, frozenset[Role]]
    apart: frozenset[Pair]

    def permits(self, roles: frozenset[Role], step: str, done: Sequence[str]) -> bool:
        """Whether somebody with these roles who did these steps does this one too."""
        return not self.needs[step].isdisjoint(roles) and not any((each, step) in self.apart for each in done)


def routes(place: str = NOTHING) -> Iterator[Way]:
    """Every way through the graph from a place to the holder's hands."""
    if place == HANDED_OVER:
        yield ()
    for way, following in GRAPH.get(place, {}).items():
        for rest in routes(following):
            yield way + rest


def shares(model: Model, route: Way, team: Sequence[frozenset[Role]], start: Way = ()) -> Iterator[Way]:
    """Every way of sharing a route among officers with these roles; of each the steps, by their places.

    ``start`` are the places of those who did the first steps.
    """
    if len(start) == len(route):
        yield start
        return
    step = route[len(start)]
    for place, roles in enumerate(team):
        done = [each for each, who in zip(route, start, strict=False) if who == str(place)]
        if model.permits(roles, step, done):
            yield from shares(model, route, team, (*start, str(place)))


def gets_through(model: Model, *team: frozenset[Role]) -> Mapping[str, str] | None:
    """Who of a team does what on a way that leads to a card in its holder's hands; None where none does."""
    for route in routes():
        for share in shares(model, route, team):
            return dict(zip(route, share, strict=True))
    return None


def does_both(model: Model, pair: Pair) -> Way | None:
    """A way on which one officer does both of these, and others, each with every role, all the rest."""
    one, other = pair
    if not model.permits(EVERYTHING, other, (one,)):
        return None
    return next((route for route in routes() if {one, other} <= set(route)), None)


def least_officers(model: Model, route: Way) -> int:
    """How many officers with every role a route takes at least."""
    team = 1
    while next(shares(model, route, [EVERYTHING] * team), None) is None:
        team += 1
    return team


class NotOpened(Refused):
    """A packet did not become a dossier."""


class Faultless(Machines):
    """Machines that never stop, and a card that is always good."""

    def write(self, card: str, image: object) -> None: ...

    def __init__(self, _chance: object) -> None:
        super().__init__(_Always())  # type: ignore[arg-type]


class _Always:
    def random(self) -> float:
        return 0.5


class Office(OfficeWalk):
    """One card's way, one method a step; whoever is to do a step has an account."""

    machines = Faultless
    searches = False

    def __init__(self, database: Database, workshop: Workshop, folder: Path) -> None:
        super().__init__(database, workshop, 1)
        self.folder = folder
        told = self.desk.office.complete
        self.delivery = DeliveryDesk(database, lambda: self.desk.now[0], ReceiptDesk(keys()), told)
        self.centre = Centre(database, folder, dossier_door(database, self.desk.office.packets))
        self.sealed: dict[str, str] = {}
        """Who did what of a packet before it came to the centre."""

    def do(self, step: str, who: Officer) -> None:
        """One step; raises as the office does."""
        getattr(self, f"do_{step}")(who)

    def stands(self) -> str:
        """The place in the graph: the state of the card, or of its dossier before there is one."""
        with self.database.reading() as connection:
            cards = self.standing.states(connection, "card")
            dossiers = self.standing.states(connection, "dossier")
        return (cards or dossiers or [NOTHING])[0]

    def do_capture(self, who: Officer) -> None:
        self.desk.office.captures.capture(who, capture_of(self.people[0]))

    def do_capture_without_prints(self, who: Officer) -> None:
        counter = self.desk.office.counter
        begun = counter.begin(who, capture_of(self.people[0]))
        counter.check_form(who, begun.id)
        counter.sign(who, begun.id, CitizenAgreement("vi", SIGNATURE))
        self.sealed = {"counter": begun.id, "captor": who.id}

    def do_answer_for(self, who: Officer) -> None:
        counter, captor = self.desk.office.counter, officer(self.sealed["captor"], *EVERYTHING, unit=UNIT)
        counter.answer(who, self.sealed["counter"])
        counter.seal(captor, self.sealed["counter"])

    def do_seal(self, who: Officer) -> None:
        self.sealed = {"captor": who.id}
        self.kit = Kit(
            self.centre.keys.opening[self.centre.keys.newest].public_key(),
            name=f"kit-{secrets.token_hex(6)}",
            officer=who.id,
        )

    def do_seal_doubtfully(self, who: Officer) -> None:
        """With a key that is revoked before the packet comes: only a case lets it in."""
        self.do_seal(who)
        self.sealed["doubtful"] = CASE.case_id

    def do_vouch(self, who: Officer) -> None:
        self.sealed["supervisor"] = who.id

    def do_admit_kit(self, who: Officer) -> None:
        jwk = dict(public_jwk(self.kit.kit_key.public_key()))
        self.centre.intake.kits.register_kit(who, KitRegistration(kit=self.kit.name, jwk=jwk, unit=UNIT))

    def do_admit_supervisor(self, who: Officer) -> None:
        jwk = dict(public_jwk(self.kit.supervisor_key.public_key()))
        asked = SignerRegistration("officer", self.sealed["supervisor"], jwk)
        self.centre.intake.kits.register_signer(who, asked)

    def do_admit_key(self, who: Officer) -> None:
        """With the last of its keys the packet comes to the centre."""
        jwk = dict(public_jwk(self.kit.officer_key.public_key()))
        self.centre.intake.kits.register_signer(who, SignerRegistration("officer", self.kit.officer, jwk))
        if "doubtful" in self.sealed:
            revocation = SignerRevocation(
                "officer", self.kit.officer, rfc3339(self.desk.now[0]), CASE.case_id
            )
            self.centre.intake.kits.revoke(SUPERVISOR, revocation)
        packet = self.kit.seal(self.people[0], supervisor=self.sealed.get("supervisor"))
        self.sealed["packet"] = packet.packet_hash
        self.centre.bring(packet)
        if "doubtful" not in self.sealed:
            self._require_opened()

    def do_release(self, who: Officer) -> None:
        self.centre.intake.kits.decide(who, self.sealed["packet"], CASE)
        self._require_opened()

    def _require_opened(self) -> None:
        status = self.centre.intake.desk.status(self.sealed["packet"])
        if status.state != "opened":
            raise RoleMissing(str(status)) if status.code == RoleMissing.code else NotOpened(str(status))

    def do_approve_locally(self, who: Officer) -> None:
        self.desk.approve_locally(who, self._any("dossier"))

    do_approve_at_province = do_approve_anew = do_approve_locally

    def do_check(self, who: Officer) -> None:
        self.desk.office.checks.check(who, self._any("dossier"))

    def do_ask_archive(self, who: Officer) -> None:
        self.desk.office.archive.ask(who, self._any("dossier"), LookupRequest("no_data"))

    def do_approve_lookup(self, who: Officer) -> None:
        self.desk.office.archive.approve(who, self._any("dossier"))

    def do_answer_lookup(self, who: Officer) -> None:
        self.desk.office.archive.answer(who, self._any("dossier"), LookupAnswer("agrees"))

    def do_send_back(self, who: Officer) -> None:
        asked = DossierReturn(("portrait",), "chụp lại")
        self.desk.office.approvals.send_back(who, self._any("dossier"), asked)

    def do_capture_again(self, who: Officer) -> None:
        again = capture_of(self.people[0], 2, portrait=picture(2))
        self.desk.office.captures.recapture(who, self._any("dossier"), again)

    def do_approve_centrally(self, who: Officer) -> None:
        self.desk.office.approvals.approve_centrally(who, self._any("dossier"))

    def do_receive_blanks(self, who: Officer) -> None:
        self.stock.receive(who, BLANKS)

    def do_have_it_made(self, who: Officer) -> None:
        self.production.queue(who, self._any("dossier"))
        run_pending(self.line)

    def do_pack(self, who: Officer) -> None:
        self.shipping.pack(who, BoxPacking(unit=UNIT, cards=(self._any("card"),)))

    def do_carry(self, who: Officer) -> None:
        with self.database.reading() as connection:
            digest = connection.execute(select(CARD_BOXES.c.digest)).scalar() or ""
        self.shipping.dispatch(who, self._any("box"), BoxSeal(digest))

    def do_take_in(self, who: Officer) -> None:
        scan = BoxScan((self._any("card"),), close_short=False)
        self.shipping.receive(who, self._any("box"), scan)

    def do_confirm_holder(self, who: Officer) -> None:
        self.delivery.confirm_holder(who, self._any("card"), SEEN)

    def do_hand_over(self, who: Officer) -> None:
        self.delivery.hand_over(who, self._any("card"), HandOver())

    def do_hand_over_by_receipt(self, who: Officer) -> None:
        with self.database.reading() as connection:
            key = connection.execute(select(CREDENTIALS.c.status_key)).scalar()
        self.delivery.hand_over(who, self._any("card"), HandOver(receipt=receipt(card=key)))

    def _any(self, kind: str) -> str:
        with self.database.reading() as connection:
            found = self.standing.names(connection, kind, ())
        return found[0] if found else "0" * 16


def alone(role: Role) -> Officer:
    """Who has this role and no other."""
    return officer(f"only.{role.value}".replace("_", "-"), role)


def doer(step: str) -> Officer:
    """Who does this step and has every role for any other."""
    return officer(f"does.{step}".replace("_", "-"), *EVERYTHING)


@dataclass
class Walk:
    """A walk of the whole graph in a real office: at every place everybody is asked, and then it goes on."""

    office: Office
    place: Path
    """The file of its database: between two steps the office can be put back to where it was."""

    roles: dict[str, set[Role]] = field(default_factory=dict)
    answers: dict[Pair, set[type[VerificationError] | None]] = field(default_factory=lambda: defaultdict(set))
    """What was said to who did the one and then would do the other, by ways; None where it was done."""

    def model(self) -> Model:
        """What the office refuses; apart is what it refuses on whatever way."""
        self._enrol()
        self._go_on(NOTHING, ())
        needs = {step: frozenset(roles) for step, roles in self.roles.items()}
        return Model(needs, frozenset(pair for pair, said in self.answers.items() if None not in said))

    def take(self, step: str, who: Officer) -> None:
        """One step, where it is done."""
        unit = province_of(UNIT) if step in AT_A_PROVINCE else UNIT
        self.office.do(step, replace(who, unit=unit))

    def follow(self, share: Mapping[str, str]) -> None:
        """A whole way, shared as a search found; raises as the office does."""
        with self._put_back():
            for step, place in share.items():
                self.take(step, doer(STEPS[int(place)]))
            assert self.office.stands() == HANDED_OVER

    def _enrol(self) -> None:
        door = OfficerDoor(self.office.database, lambda: NOW)
        everybody = [*map(doer, STEPS), *map(alone, Role)]
        method, officers._METHOD = officers._METHOD, "scrypt:1024:8:1"
        try:
            for each in everybody:
                door.enrol(each.id, each.name, each.roles, PASSWORD)
        finally:
            officers._METHOD = method
        certify(self.office.database, *(each.id for each in everybody))

    def _go_on(self, place: str, done: Way) -> None:
        assert self.office.stands() == place
        for way, following in GRAPH.get(place, {}).items():
            with self._put_back():
                for number, step in enumerate(way):
                    self._ask(done + way[:number], way[number:])
                    self.take(step, doer(step))
                self._go_on(following, done + way)

    def _ask(self, done: Way, coming: Way) -> None:
        """Every role, once for a step, and everybody who did something on this way before."""
        step = coming[0]
        if step not in self.roles:
            self.roles[step] = {role for role in Role if self._said(alone(role), coming) is None}
        for former in done:
            # What was asked on this very way up to the approval of the centre is not asked on each after it.
            pair = (former, step)
            if pair not in self.answers or step in _BEFORE_THE_CARD:
                self.answers[pair].add(self._said(doer(former), coming))

    def _said(self, who: Officer, coming: Way) -> type[VerificationError] | None:
        """What somebody is told who would take a step; others do what follows until it is clear."""
        with self._put_back():
            try:
                for step in coming:
                    self.take(step, who if step == coming[0] else doer(step))
            except VerificationError as refused:
                return type(refused)
        return None

    def _put_back(self) -> _PutBack:
        return _PutBack(self)


_BEFORE_THE_CARD = {
    step for place in (NOTHING, "validated", "dedup_1n") for way in GRAPH[place] for step in way
}


class _PutBack:
    """The office afterwards is as it was before."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def __enter__(self) -> None:
        office, name = self._walk.office, secrets.token_hex(4)
        office.database.close()
        self._kept = shutil.copyfile(self._walk.place, self._walk.place.with_name(f"kept-{name}.db"))
        self._inbox = office.folder / f"kept-{name}"
        inbox = office.folder / "inbox"
        inbox.mkdir(exist_ok=True)
        shutil.copytree(inbox, self._inbox)
        self._sealed = dict(office.sealed)
        self._kit = replace(office.kit) if hasattr(office, "kit") else None

    def __exit__(self, *_: object) -> None:
        office = self._walk.office
        office.database.close()
        self._kept.replace(self._walk.place)
        shutil.rmtree(office.folder / "inbox")
        self._inbox.rename(office.folder / "inbox")
        office.standing, office.sealed = Standing(), self._sealed
        if self._kit is not None:
            office.kit = self._kit
