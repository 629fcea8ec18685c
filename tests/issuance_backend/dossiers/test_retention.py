"""What ended applications hold of a body goes when its time is over, and nothing else does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, func, select

from issuance_backend import recorded_events
from issuance_backend.blob_store.keys import add_key, load_keys
from issuance_backend.blob_store.objects import Directory
from issuance_backend.blob_store.service import UNNAMED_FOR, BlobStore
from issuance_backend.blob_store.tables import BLOBS
from issuance_backend.dossiers import erasures, legal_desk, retention_desk
from issuance_backend.dossiers.domain import ENDED_WITHOUT_CARD, DossierState
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake import repository as packets
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.intake.kit_repository import Kit
from issuance_backend.dossiers.intake.repository import Packet
from issuance_backend.dossiers.intake.tables import PACKET_ITEMS
from issuance_backend.dossiers.packet_desk import CapturedItem, CapturedPrint
from issuance_backend.dossiers.retention import Period, RetentionRules, all_rules, rules_on
from issuance_backend.dossiers.retention_desk import RetentionDesk
from issuance_backend.dossiers.tables import DOSSIER_PRINTS, FORMER_PICTURES
from issuance_backend.moments import utc_now
from issuance_backend.refusals import BlobUnknown, PictureErased
from issuance_backend.schema import ERASED_PICTURE, PORTRAITS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import CHIEF, LAN, MINH, UNIT, Desk, capture_of, desk_on, only, packet_of
from tests.support.deduplication_centre import make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.query_plans import plans_of, whole_tables_read
from verification.messages.dossier_decisions import RejectionReason
from verification.messages.enrollment import DossierReturn
from verification.messages.national_time import vietnam_date

RULES = all_rules()[-1]
ENDINGS = ("withdrawn", *(f"rejected.{reason}" for reason in sorted(legal_desk.REASONS)))
PRINTS = (CapturedPrint(2, b"left", "image/png"), CapturedPrint(7, b"right", "image/png"))
ITEMS = {"citizen_signature": CapturedItem(b"name", "image/png"), "form": CapturedItem(b"scan", "image/png")}
BLOBS_OF_ONE = 1 + len(PRINTS) + len(ITEMS)


class Archive:
    """An office with a sealed store, its packets, and the duty that erases."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        database = Database(engine.migrated(ISSUANCE_MIGRATIONS))
        add_key(folder / "keys.json", "2026")
        self.folder = folder / "blobs"
        self.keys = load_keys(folder / "keys.json")
        self.store = BlobStore(database, Directory(self.folder), self.keys, utc_now)
        self.desk: Desk = desk_on(database, store=self.store)
        self.duty = RetentionDesk(database, lambda: self.desk.now[0])
        kit = Kit(id="kit-7", unit=UNIT, settled=0, head=None, newest=0, registered_at="2026-01-01")
        with database.writing() as connection:
            kit_repository.add_kit(connection, kit)

    def packed(self, citizen: int, number: int, portrait: bytes = b"") -> str:
        """A dossier of a packet with prints, the citizen's signature and the scan of the form."""
        packet = packet_of(
            citizens()[citizen], number, portrait=portrait or picture(number), items=ITEMS, **only(*PRINTS)
        )
        examined = self.desk.office.packets.examine(self.desk.database, packet)
        with self.desk.database.writing() as connection:
            dossier = self.desk.office.packets.receive(connection, examined, self.desk.now[0])
            kept = Packet(
                packet=packet.packet_sha256,
                kit=packet.kit,
                sequence=number,
                state=PacketState.OPENED,
                version=1,
                metadata=b"signed",
                announced_at="2026-11-20",
                receipt_code=str(number),
                dossier=dossier,
            )
            packets.add(connection, kept)
            names = {name: each.name for name, each in examined.items.items()}
            packets.add_items(connection, packet.packet_sha256, names)
        return dossier

    def end(self, dossier: str, ending: str) -> None:
        if ending == "withdrawn":
            self.desk.office.captures.withdraw(LAN, dossier)
            return
        reason = RejectionReason(ending.partition(".")[2], "Luật 26/2023/QH15", "lý do")
        self.desk.office.legal.propose_rejection(MINH, dossier, reason)
        self.desk.office.legal.confirm_rejection(CHIEF, dossier)

    def after(self, period: timedelta) -> int:
        self.desk.now[0] = NOW + period
        return self.duty.erase()

    def count(self, table: Table) -> int:
        with self.desk.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    def held(self) -> tuple[int, int, int, int]:
        """Pictures, prints, what packets brought, and keys of sealed contents."""
        with self.desk.database.reading() as connection:
            pictures = select(func.count()).where(PORTRAITS.c.name != ERASED_PICTURE)
            found = int(connection.execute(pictures).scalar_one())
        return (found, self.count(DOSSIER_PRINTS), self.count(PACKET_ITEMS), self.count(BLOBS))

    def objects(self) -> int:
        return sum(each.is_file() for each in self.folder.rglob("*"))

    def sweep(self) -> int:
        later = max(utc_now(), self.desk.now[0]) + 2 * UNNAMED_FOR
        return BlobStore(self.desk.database, Directory(self.folder), self.keys, lambda: later).sweep()


@pytest.fixture
def archive(database_engine: Engine, tmp_path: Path) -> Archive:
    return Archive(database_engine, tmp_path)


@pytest.mark.parametrize("ending", sorted({*ENDINGS} - {f"rejected.{legal_desk.CARD_UNPRINTABLE}"}))
def test_everything_of_the_body_goes_when_the_time_is_over_and_not_before(
    archive: Archive, ending: str
) -> None:
    dossier = archive.packed(0, 1)
    archive.end(dossier, ending)
    before = archive.desk.view(dossier)
    period = RULES.period(ending)
    assert (archive.after(period), archive.held()) == (0, (BLOBS_OF_ONE, 2, 2, BLOBS_OF_ONE))
    assert archive.after(period + timedelta(seconds=1)) == 1
    assert archive.held() == (0, 0, 0, 0)
    assert (archive.sweep(), archive.objects()) == (BLOBS_OF_ONE, 0), "the objects are really gone"

    view = archive.desk.view(dossier)
    assert archive.desk.state(dossier) == before.state, "the fold holds, and the state is what it was"
    assert (view.rejection, view.person, view.prints) == (before.rejection, before.person, 0)
    assert view.erased_on == vietnam_date(archive.desk.now[0]).isoformat()
    assert view.steps[-1].detail == {
        "ending": ending,
        "rules": f"{RULES.id}/{RULES.version}",
        "unit": UNIT,
    }
    with pytest.raises(PictureErased):
        archive.desk.office.portrait(LAN, dossier)
    with pytest.raises(PictureErased):
        archive.desk.office.picture(f"{dossier}.{'0' * 16}")
    recorded = archive.desk.recorded()
    assert (archive.duty.erase(), archive.desk.recorded()) == (0, recorded), "nothing is done twice"


def test_a_picture_that_another_dossier_names_stays(archive: Archive) -> None:
    shared = picture(77)
    ended = archive.packed(0, 1, portrait=shared)
    stays = archive.packed(1, 2, portrait=shared)
    archive.end(ended, "withdrawn")
    assert archive.after(RULES.period("withdrawn") * 2) == 1
    assert archive.held() == (BLOBS_OF_ONE, 2, 2, BLOBS_OF_ONE), "all is the other one's too"
    assert archive.desk.office.portrait(LAN, stays)
    assert archive.sweep() == 0
    archive.end(stays, "withdrawn")
    assert archive.after(RULES.period("withdrawn") * 5) == 1
    assert archive.held() == (0, 0, 0, 0)


def test_what_is_open_or_ended_with_a_card_is_kept(archive: Archive) -> None:
    for number, _ in enumerate(citizens()[:2]):
        archive.packed(number, number + 1)
    assert archive.after(timedelta(days=40_000)) == 0
    with archive.desk.database.reading() as connection:
        for state in ENDED_WITHOUT_CARD:
            assert erasures.ended_before(connection, state, "9999", ("", ""), 10) == []


def test_what_was_captured_again_goes_with_the_rest(archive: Archive) -> None:
    dossier = archive.packed(0, 1)
    items = DossierReturn(("portrait", "fingerprints"), "mờ")
    archive.desk.office.approvals.send_back(MINH, dossier, items)
    fresh = (CapturedPrint(2, b"new", "image/png"),)
    again = packet_of(citizens()[0], 2, portrait=picture(2), answers=dossier, **only(*fresh))
    archive.desk.received(again)
    archive.desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    capture = capture_of(citizens()[0], 3, portrait=picture(3))
    archive.desk.office.captures.recapture(LAN, dossier, capture)
    assert archive.held()[0] == BLOBS_OF_ONE + 3
    archive.end(dossier, "withdrawn")
    assert archive.after(RULES.period("withdrawn") * 2) == 1
    assert (archive.held(), archive.count(FORMER_PICTURES)) == ((0, 0, 0, 0), 0)
    assert archive.desk.state(dossier) == "withdrawn"


def test_pictures_that_were_moved_to_the_store_are_erased_there(archive: Archive) -> None:
    stored, database = archive.desk, archive.desk.database
    archive.desk = desk_on(database)
    dossier = archive.packed(0, 1)
    archive.desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    again = capture_of(citizens()[0], 2, portrait=picture(2))
    archive.desk.office.captures.recapture(LAN, dossier, again)
    assert archive.held() == (BLOBS_OF_ONE + 1, 2, 2, 0)
    archive.desk = stored
    assert archive.desk.pictures.move_to_store() == BLOBS_OF_ONE + 1
    assert archive.held() == (BLOBS_OF_ONE + 1, 2, 2, BLOBS_OF_ONE + 1)
    archive.end(dossier, "withdrawn")
    assert archive.after(RULES.period("withdrawn") * 2) == 1
    assert archive.held() == (0, 0, 0, 0)


def test_an_erased_picture_that_is_captured_again_is_kept_again(archive: Archive) -> None:
    ended = archive.packed(0, 1, portrait=picture(5))
    archive.end(ended, "withdrawn")
    archive.after(RULES.period("withdrawn") * 2)
    archive.sweep()
    again = archive.packed(0, 2, portrait=picture(5))
    assert archive.desk.office.portrait(LAN, again)
    with pytest.raises(PictureErased):
        archive.desk.office.portrait(LAN, ended)


def test_who_is_killed_in_the_middle_finds_the_dossier_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = archive.packed(0, 1)
    archive.end(dossier, "withdrawn")
    recorded = archive.desk.recorded()

    def killed(_connection: Connection, _names: set[str], _moment: datetime) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erasures, "remove_unnamed", killed)
        with pytest.raises(KeyboardInterrupt):
            archive.after(RULES.period("withdrawn") * 2)
    assert (archive.held(), archive.desk.recorded()) == ((BLOBS_OF_ONE, 2, 2, BLOBS_OF_ONE), recorded)
    assert (archive.duty.erase(), archive.held()) == (1, (0, 0, 0, 0))


def test_many_are_erased_in_pages_and_evidence_holds_nobody_up(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_desk, "AT_ONCE", 2)
    for number, ending in enumerate(["rejected.fraud", "rejected.fraud", "withdrawn", "withdrawn"]):
        dossier = archive.packed(0, number + 1)
        archive.end(dossier, ending)
    assert archive.after(RULES.period("withdrawn") * 2) == 2
    assert archive.after(RULES.period("rejected.fraud") * 2) == 2


def test_two_at_once_erase_once(archive: Archive) -> None:
    dossier = archive.packed(0, 1)
    archive.end(dossier, "withdrawn")
    archive.desk.now[0] = NOW + RULES.period("withdrawn") * 2
    other = RetentionDesk(archive.desk.database, lambda: archive.desk.now[0])
    looked = list(other._ended(DossierState.WITHDRAWN, "9999"))
    assert archive.duty.erase() == 1
    assert [other._is_erased(each, RULES, archive.desk.now[0]) for each in looked] == [False]
    assert archive.desk.events(dossier).count("erase") == 1


def test_the_key_is_gone_at_once(archive: Archive) -> None:
    """Until the sweep the sealed object is there, and nobody can open it."""
    dossier = archive.packed(0, 1)
    archive.end(dossier, "withdrawn")
    with archive.desk.database.reading() as connection:
        (address,) = connection.execute(select(BLOBS.c.address).limit(1)).scalars()
    archive.after(RULES.period("withdrawn") * 2)
    assert archive.objects() == BLOBS_OF_ONE
    with pytest.raises(BlobUnknown):
        archive.store.read(address)


def test_templates_are_forgotten_before(database_engine: Engine, tmp_path: Path) -> None:
    centre = make_centre(tmp_path, database_engine)
    dossier = centre.apply(0, 0)
    centre.run()
    assert centre.members()
    centre.desk.office.captures.withdraw(LAN, dossier)
    centre.desk.now[0] = NOW + RULES.period("withdrawn") * 2
    duty = RetentionDesk(centre.desk.database, lambda: centre.desk.now[0])
    assert duty.erase() == 0, "others are still compared with it"
    centre.run()
    assert (centre.members(), duty.erase()) == (set(), 1)
    centre.run()
    with centre.desk.database.reading() as connection:
        assert recorded_events.verify(connection)


def test_every_way_of_ending_has_a_period_with_a_basis() -> None:
    for rules in all_rules():
        assert {each.ending for each in rules.periods} == set(ENDINGS)
        assert all(each.days > 0 and each.basis.strip() for each in rules.periods)
        assert rules.basis.strip()
        evidence = rules.period("rejected.fraud")
        assert all(rules.period(each) < evidence for each in ("withdrawn", "rejected.not_entitled"))
        assert rules.period("rejected.what_comes") == max(rules.period(each) for each in ENDINGS)


def test_the_rules_are_those_of_the_day(archive: Archive) -> None:
    shorter = RetentionRules(
        "vn-retention", 2, date(2027, 1, 1), "x", tuple(Period(each, 10, "x") for each in ENDINGS)
    )
    editions = (*all_rules(), shorter)
    assert rules_on(date(2026, 12, 31), editions) is RULES
    assert rules_on(date(2027, 1, 1), editions) is shorter
    assert rules_on(date(2000, 1, 1), editions) is None
    dossier = archive.packed(0, 1)
    archive.end(dossier, "withdrawn")
    archive.duty = RetentionDesk(archive.desk.database, lambda: archive.desk.now[0], editions)
    new_year = datetime.fromisoformat("2026-12-31T17:00:00Z")
    assert archive.after(new_year - NOW - timedelta(seconds=1)) == 0, "in Viêt Nam it is still the old year"
    assert archive.after(new_year - NOW) == 1
    before_all = (replace_day(each, date(2090, 1, 1)) for each in editions)
    assert RetentionDesk(archive.desk.database, utc_now, before_all).erase() == 0


def replace_day(rules: RetentionRules, day: date) -> RetentionRules:
    return RetentionRules(rules.id, rules.version, day, rules.basis, rules.periods)


def test_nothing_of_it_reads_a_whole_table(archive: Archive) -> None:
    dossier = archive.packed(0, 1)
    archive.end(dossier, "withdrawn")
    growing = {"blobs", "dossiers", "former_pictures", "packets", "portraits"}
    growing |= {"dossier_prints", "packet_items"}
    with plans_of("issuance_backend") as plans:
        assert archive.after(RULES.period("withdrawn") * 2) == 1
    assert whole_tables_read(plans, growing) == {}
    if archive.desk.database.url.startswith("sqlite"):
        assert "dossiers_to_erase" in " ".join(line for plan in plans.values() for line in plan)
