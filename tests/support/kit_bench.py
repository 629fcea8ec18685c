"""The real program of a kit over a folder of its own, with a gate that knows the invented citizens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, reduce
from pathlib import Path

import msgspec
from flask import Flask

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftEvent, DraftState, advance
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.gate import Declaration, GateAnswer, judge
from enrollment_admin.station.kit import Kit, KitProfile, make_kit, open_kit
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.dossiers.intake.api import packets_blueprint
from issuance_backend.dossiers.intake.service import IntakeDesk
from issuance_backend.errors import STATUSES
from issuance_backend.population_registry.domain import extract
from monitoring.harness import instrument, mount, open_to_all
from tests.support.cheap_fingers import CheapFingers
from tests.support.cheap_prints import PRINT_TYPE, cheap_prints
from tests.support.gate_trial import Citizen, extract_of
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.packet_centre import SUPERVISOR, VOUCHING, Centre
from tests.support.served_app import serving
from verification.fingerprint.engine import FingerEngine
from verification.messages.commune_extract import CommuneExtract
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.kit_returns import KitReturns, ReturnedCapture, seal_returns
from verification.messages.packet_intake import PacketKeyList, SignerRegistration
from verification.messages.signing_key import SigningKey, thumbprint

STATUS_ADDRESS = "https://tra-cuu.example.vn/status"
UNIT, OFFICER, CHIEF = "001.02.00013", "lan.capture", VOUCHING
PASSPHRASE, CHIEFS_PASSPHRASE = "mùa xuân ở Hà Nội", "hoa phượng đỏ rực"
PASSPHRASES = {OFFICER: PASSPHRASE, CHIEF: CHIEFS_PASSPHRASE}
SIGNED = b"\x89PNG the citizen's hand"
PRINTS = tuple(Captured(item, PRINT_TYPE, content) for item, content in cheap_prints().items())
ITEMS = {
    "portrait": ("image/jpeg", picture()),
    "proof": ("image/png", b"a page of a household book" * 5_000),
    **{each.item: (each.media_type, each.content) for each in PRINTS},
}

BANDAGED = "finger_03"
PEOPLE = 40
NEIGHBOURS = tuple(index for index in range(PEOPLE) if index != len(citizens()) - 1)
"""Whom the unit's extract has, by number."""


@cache
def commune() -> CommuneExtract:
    """The extract of a unit in which everybody invented lives but the last of ``citizens()``."""
    nation = [Citizen(extract(person), ()) for person in citizens(PEOPLE)]
    unit = [nation[index] for index in NEIGHBOURS]
    return extract_of(nation, unit, as_of="2026-11-20T00:00:00Z", expires_at="2027-01-01T00:00:00Z")


def gate(declaration: Declaration) -> GateAnswer:
    """The gate of that unit's kits."""
    return judge(declaration, commune(), NOW.date())


def declared(index: int = 0, **changes: object) -> Declaration:
    """What an invented citizen says of themselves."""
    person = citizens()[index] if index < len(citizens()) else citizens(PEOPLE)[index]
    entry = extract(person).person
    values = {
        "citizen_number": person.citizen_number,
        "full_name": entry.full_name,
        "date_of_birth": date.fromisoformat(entry.date_of_birth),
        "sex": entry.sex,
    }
    return Declaration(**{**values, **changes})


@dataclass
class KitBench:
    """A kit whose folder is on this machine; ``now`` is its clock."""

    place: Path
    keys: PacketKeyList
    name: str = "kit-007"
    now: list[datetime] = field(default_factory=lambda: [NOW])
    fingers: Callable[[], FingerEngine] = CheapFingers

    def make(self) -> Kit:
        """A new kit with one officer, and a supervisor who answers for exceptions."""
        form = packaged_forms().edition("CC01", NOW.date())
        profile = KitProfile(self.name, UNIT, self.keys, form, STATUS_ADDRESS)
        make_kit(self.folder, self.store_key, profile, os.urandom)
        kit = self.open()
        for officer, passphrase in PASSPHRASES.items():
            kit.officers.make(officer, passphrase)
        return kit

    def open(self) -> Kit:
        """The program of the kit, started anew."""
        return open_kit(self.folder, self.store_key, lambda: self.now[0], os.urandom, self.fingers)

    @property
    def folder(self) -> Path:
        return self.place / self.name

    @property
    def store_key(self) -> Path:
        return self.place / f"{self.name}.store_key"

    def pass_time(self, seconds: float) -> None:
        """Move the kit's clock."""
        self.now[0] += timedelta(seconds=seconds)


def register(centre: Centre, kit: Kit) -> None:
    """Let the centre know a kit and the officers who have a key in it."""
    centre.intake.kits.register_kit(SUPERVISOR, kit.registration())
    for officer, passphrase in PASSPHRASES.items():
        jwk = kit.officers.make(officer, passphrase)
        centre.intake.kits.register_signer(SUPERVISOR, SignerRegistration("officer", officer, jwk))


def captured(desk: CaptureDesk, index: int = 0) -> str:
    """A capture that only has to be sealed."""
    draft = desk.begin(declared(index)).id
    desk.keep_all(draft, [Captured(name, *taken) for name, taken in ITEMS.items()])
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    return draft


def returned_capture(kit: Kit, index: int, packet: str, **changes: object) -> ReturnedCapture:
    """What the centre says of an invented citizen whose portrait it returns."""
    person = extract(citizens(PEOPLE)[index])
    returned = ReturnedCapture(
        dossier=packet[:16],
        packet=packet,
        returned_at=kit.now(),
        items=("portrait",),
        fields=(),
        codes=("PORTRAIT_TOO_SMALL",),
        comment=None,
        citizen_number=person.citizen_number,
        person=person.person,
    )
    return msgspec.structs.replace(returned, **changes)


def sealed_returns(kit: Kit, key: SigningKey, *returned: ReturnedCapture) -> str:
    """The list of a kit as the centre's key seals it."""
    own = kit.opening_key.public_key()
    listed = KitReturns(kit.profile.name, thumbprint(own), kit.now(), returned)
    return seal_returns(listed, key, own, os.urandom)


def desk_of(kit: Kit, officer: str = OFFICER) -> CaptureDesk:
    """An officer at a kit."""
    return CaptureDesk(kit, officer, gate)


def fold(events: Iterable[DraftEvent]) -> DraftState | None:
    """The state that recorded steps add up to."""
    return reduce(advance, events, None)


def enrol_at(bench: KitBench, centre: str, said: Path) -> None:
    """Go on with the one citizen of a kit from wherever it stands, to the receipt.

    What the kit acknowledged is said, a line each, in a file that outlasts this program.
    """
    kit = bench.open()
    desk, outbox = desk_of(kit), Outbox(kit)
    known = desk.drafts()
    draft = known[0] if known else None
    if draft is None and not desk.figures().by_state[DraftState.RECEIPTED]:
        draft = desk.begin(declared())
        _say(said, f"draft {draft.id}")
    if draft is not None and draft.sequence is None:
        _capture_what_is_missing(desk, draft, said)
        sealed = desk.seal(draft.id, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE))
        _say(said, f"sealed {sealed.packet} {sealed.sequence}")
    for packet in outbox.waiting():
        _say(said, f"waits {packet.packet} {packet.sequence}")
    report = outbox.send(client(centre))
    if report.refused or report.stopped:
        raise AssertionError(report)
    for number in report.receipted:
        _say(said, f"receipt {number}")


def answer_at(bench: KitBench, centre: str, stick: Path) -> None:
    """Take the list of returns from a stick and answer the one return in it from wherever it stands."""
    kit = bench.open()
    desk, outbox, returns = desk_of(kit), Outbox(kit), Returns(kit)
    returns.take(stick)
    for each in returns.standing():
        desk.answer(each.dossier)
    for draft in desk.drafts():
        if draft.sequence is None:
            _take_portrait_again(desk, draft)
            desk.seal(draft.id, PASSPHRASE, "vi")
    report = outbox.send(client(centre))
    if report.refused or report.stopped:
        raise AssertionError(report)


def _take_portrait_again(desk: CaptureDesk, draft: Draft) -> None:
    kept = {item.name for item in draft.items}
    if "portrait" not in kept:
        desk.keep(draft.id, "portrait", "image/jpeg", picture(2))
    desk.print_form(draft.id)
    if CITIZEN_SIGNATURE not in kept:
        desk.keep(draft.id, CITIZEN_SIGNATURE, "image/png", SIGNED)


def _capture_what_is_missing(desk: CaptureDesk, draft: Draft, said: Path) -> None:
    kept = {item.name for item in draft.items}
    both_hands = [each for each in PRINTS if each.item != BANDAGED]
    at_once = [[Captured(name, *ITEMS[name])] for name in ("portrait", "proof")] + [both_hands]
    for taken in at_once:
        if taken[0].item not in kept:
            desk.keep_all(draft.id, taken)
            for each in taken:
                _say(said, f"kept {each.item}")
    if not draft.exceptions:
        desk.state_exception(draft.id, BANDAGED, "FINGER_BANDAGED")
        _say(said, f"excused {BANDAGED}")
    desk.print_form(draft.id)
    if CITIZEN_SIGNATURE not in kept:
        desk.keep(draft.id, CITIZEN_SIGNATURE, "image/png", SIGNED)
        _say(said, f"kept {CITIZEN_SIGNATURE}")


def _say(said: Path, line: str) -> None:
    with said.open("a") as file:
        file.write(f"{line}\n")


@contextmanager
def served(desk: IntakeDesk) -> Iterator[str]:
    """The centre's intake on a port of its own; its address."""
    app = Flask("intake")
    instrument(app, "issuance", ready=dict, statuses=STATUSES, exports_metrics=False)
    mount(app, packets_blueprint(desk), guard=open_to_all)
    with serving(app) as url:
        yield url


def client(url: str, bearer: str = "a token") -> CentreClient:
    """The kit's way to a served centre."""
    return CentreClient(url, bearer)
