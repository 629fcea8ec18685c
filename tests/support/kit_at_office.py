"""A kit that a real office knows, over HTTP: what it seals is opened there, what is returned comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.intake.centre_keys import load_keys
from issuance_backend.dossiers.repository import captures
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import PASSWORD, REASON, STATUS_TOKEN, Office
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    PASSPHRASE,
    PASSPHRASES,
    SIGNED,
    KitBench,
    captured,
    client,
    desk_of,
)
from tests.support.served_app import serving
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import SigningKey


@dataclass
class KitAtOffice:
    """One kit, its office, and the way between them."""

    office: Office
    bench: KitBench
    url: str

    def __post_init__(self) -> None:
        self.kit = self.bench.make()

    @property
    def centre(self) -> CentreClient:
        """The way to the office."""
        return client(self.url, STATUS_TOKEN)

    @property
    def desk(self) -> CaptureDesk:
        """The officer at the kit."""
        return desk_of(self.kit)

    @property
    def outbox(self) -> Outbox:
        """What the kit has sealed."""
        return Outbox(self.kit)

    @property
    def returns(self) -> Returns:
        """What came back."""
        return Returns(self.kit)

    def register(self) -> None:
        """Let the office's supervisor know the kit and whoever has a key in it."""
        supervisor = self.office.sign_in("son.supervisor")
        assert supervisor.post("/v1/kits", self.kit.registration()).status_code == 204
        for officer, passphrase in PASSPHRASES.items():
            jwk = self.kit.officers.make(officer, passphrase)
            asked = SignerRegistration("officer", officer, jwk)
            assert supervisor.post("/v1/packet-signers", asked).status_code == 204

    def receipts_key(self) -> SigningKey:
        """What the office signs receipts and lists with."""
        folder = self.office.settings.intake_key_dir
        assert folder is not None
        return load_keys(folder).receipts

    def another(self, name: str) -> KitAtOffice:
        """Another kit of the same office, with officers of the same names and other keys."""
        stand = KitAtOffice(self.office, replace(self.bench, name=name), self.url)
        stand.register()
        return stand

    def sent(self, index: int = 0) -> str:
        """The dossier of an invented citizen who was captured here."""
        draft = captured(self.desk, index)
        self.desk.judge_portrait(draft, REASON)
        return self.sealed_and_sent(draft)

    def sealed_and_sent(self, draft: str, supervisor: Answering | None = None) -> str:
        """The dossier that a capture becomes, or answers."""
        sealed = self.desk.seal(draft, PASSPHRASE, "vi", supervisor)
        assert Outbox(self.kit).send(self.centre).receipted == (sealed.sequence,)
        return self.dossier_of(sealed.packet)

    def dossier_of(self, packet: str) -> str:
        """The dossier that a packet opened or answered."""
        with self.office.database.reading() as connection:
            return captures(connection, [packet])[packet].dossier

    def view(self, dossier: str) -> dict[str, Any]:
        """A dossier as its approver sees it."""
        view: dict[str, Any] = self.office.sign_in("minh.approve").get(f"/v1/dossiers/{dossier}").get_json()
        return view

    def send_back(self, dossier: str, *items: str, comment: str = "Chụp lại giúp.") -> None:
        """The approver returns a dossier for these items."""
        minh = self.office.sign_in("minh.approve")
        answered = minh.post(f"/v1/dossiers/{dossier}/return", DossierReturn(items, comment))
        assert answered.status_code == 200, answered.get_data(as_text=True)

    def begun(self, dossier: str) -> Draft:
        """The answer to a return, begun with what the office says now."""
        self.returns.fetch(self.centre)
        return self.desk.answer(dossier)

    def printed_and_signed(self, draft: str) -> str:
        """A capture that only has to be sealed."""
        self.desk.print_form(draft)
        self.desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
        return draft


CHIEF_ANSWERS = Answering(CHIEF, CHIEFS_PASSPHRASE)


@contextmanager
def kit_at_office(office: Office, place: Path, name: str = "kit-007") -> Iterator[KitAtOffice]:
    """A registered kit and its served office."""
    with serving(office.app) as url:
        OfficerDoor(office.database, lambda: office.now[0]).enrol(CHIEF, "Thu", (Role.SUPERVISOR,), PASSWORD)
        bench = KitBench(place, client(url, STATUS_TOKEN).keys(), name=name, now=office.now)
        stand = KitAtOffice(office, bench, url)
        stand.register()
        yield stand
