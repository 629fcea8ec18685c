"""Where the parts of the population registry are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from flask import Flask

from issuance_backend import store_profile
from issuance_backend.blob_store.place import open_store
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.content_scanning.place import scanner_at
from issuance_backend.errors import STATUSES
from issuance_backend.http_body import fields_problem, refuse_nul
from issuance_backend.idempotency.api import answered_once
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import Clock, utc_now
from issuance_backend.outbox.api import EVENT_ROLES, events_blueprint
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.population_registry.accesses.api import READ_LOG_ROLE, reads_blueprint
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.api import (
    QUERY_ROLE,
    READ_ROLE,
    persons_blueprint,
    queries_blueprint,
)
from issuance_backend.population_registry.dc01.api import (
    QUALITY_ROLE,
    WORK_ROLE,
    batches_blueprint,
    checks_blueprint,
    forms_blueprint,
    keyings_blueprint,
    permit_scans,
    quality_blueprint,
    scans_blueprint,
)
from issuance_backend.population_registry.dc01.batch_desk import BatchDesk
from issuance_backend.population_registry.dc01.form_desk import FormDesk
from issuance_backend.population_registry.dc01.index_desk import IndexDesk
from issuance_backend.population_registry.dc01.scan_desk import ScanDesk
from issuance_backend.population_registry.extracts.api import EXTRACT_ROLE, extracts_blueprint
from issuance_backend.population_registry.extracts.service import ExtractDesk
from issuance_backend.population_registry.identities.api import (
    ENRICH_ROLE,
    REGISTER_ROLE,
    enrichments_blueprint,
    identities_blueprint,
    records_blueprint,
)
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.life_events.api import (
    CORRECT_ROLE,
    corrections_blueprint,
    life_events_blueprint,
    reports_blueprint,
)
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.matching.api import MATCH_ROLE, matches_blueprint
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.merges.api import MERGE_ROLE, merge_proposals_blueprint
from issuance_backend.population_registry.merges.service import MergeDesk
from issuance_backend.population_registry.numbers.api import (
    NUMBER_ROLE,
    number_blocks_blueprint,
    numbers_blueprint,
)
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.publication.api import (
    PUBLISH_ROLE,
    RECEIVE_ROLE,
    deliveries_blueprint,
    publications_blueprint,
)
from issuance_backend.population_registry.publication.service import PublicationOffice
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.registration.api import registration_blueprint
from issuance_backend.population_registry.registration.service import RegistrationDesk
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.units.api import (
    COUNT_ROLE,
    UNITS_ROLE,
    counts_blueprint,
    unit_names_blueprint,
    units_blueprint,
)
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.service_tokens import ServiceCaller, calling_service, load_callers, require_service
from monitoring.database import Database
from monitoring.environment import read_settings
from monitoring.harness import Awaited, Guard, instrument, mount
from verification.errors import FieldsRefused

_MAX_QUERY_BYTES = 16 * 1024


def create_registry_app(settings: RegistrySettings, *, clock: Clock = utc_now) -> Flask:
    """The population registry over HTTP; tests hand in another clock."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_QUERY_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    scanner, store = scanner_at(settings.content_scanner), open_store(settings.store_place, database, clock)
    desk, book = RegistryDesk(database), ReadBook(database, clock)
    instrument(app, "registry", ready=partial(_parts, database, scanner), statuses=STATUSES)
    mount(app, queries_blueprint(desk, book), guard=require_service(callers, QUERY_ROLE))
    mount(app, persons_blueprint(desk, book), guard=require_service(callers, READ_ROLE))
    mount(app, reads_blueprint(AccessLog(database, clock)), guard=require_service(callers, READ_LOG_ROLE))
    matching = matches_blueprint(MatchingDesk(database, clock), book)
    mount(app, matching, guard=require_service(callers, MATCH_ROLE))
    app.register_error_handler(FieldsRefused, fields_problem)
    app.before_request(permit_scans)
    app.before_request(refuse_nul)
    doors = _Doors(callers, RequestRegister(database, clock))
    _mount_records(app, database, doors, book, clock)
    _mount_publication(app, database, doors, book, clock)
    _mount_forms(app, database, doors, clock, _FormRoom(book, store, scanner))
    return app


def _parts(database: Database, scanner: ContentScanner) -> dict[str, bool | Awaited]:
    awaited = {} if scanner is UNSCANNED else {"scanner": Awaited(scanner.answers())}
    return {"database": database.answers(), **awaited}


@dataclass(frozen=True, slots=True)
class _FormRoom:
    """What the work on forms needs: the book of readings, the store of pictures and their scanner."""

    book: ReadBook
    store: BlobStore | None
    scanner: ContentScanner


@dataclass(frozen=True, slots=True)
class _Doors:
    """Guards of the registry: whoever only asks, and whoever changes something and may ask again."""

    callers: dict[str, ServiceCaller]
    register: RequestRegister

    def asking(self, *roles: str) -> Guard:
        return require_service(self.callers, *roles)

    def changing(self, *roles: str) -> Guard:
        guard = require_service(self.callers, *roles)
        return answered_once(guard, lambda: calling_service().name, self.register)


def _mount_records(app: Flask, database: Database, doors: _Doors, book: ReadBook, clock: Clock) -> None:
    """What changes persons and numbers, and what shows their history."""
    records, life = RecordOffice(database, clock), LifeEventOffice(database, clock)
    numbers = NumberOffice(database, clock)
    reader, registrar = doors.asking(READ_ROLE), doors.changing(REGISTER_ROLE)
    issuer = doors.changing(NUMBER_ROLE)
    mount(app, records_blueprint(records, book), guard=reader)
    mount(app, life_events_blueprint(life), guard=reader)
    mount(app, identities_blueprint(records), guard=registrar)
    merges = merge_proposals_blueprint(MergeDesk(database, clock), book)
    mount(app, merges, guard=doors.changing(MERGE_ROLE))
    mount(app, reports_blueprint(life), guard=registrar)
    mount(app, corrections_blueprint(life), guard=doors.changing(CORRECT_ROLE))
    mount(app, enrichments_blueprint(records), guard=doors.changing(ENRICH_ROLE))
    mount(app, numbers_blueprint(numbers), guard=issuer)
    mount(app, number_blocks_blueprint(numbers), guard=issuer)


def _mount_publication(app: Flask, database: Database, doors: _Doors, book: ReadBook, clock: Clock) -> None:
    """What leaves the registry: published attributes, their corrections, and events."""
    office = PublicationOffice(database, clock)
    mount(app, publications_blueprint(office, book), guard=doors.changing(PUBLISH_ROLE))
    mount(app, deliveries_blueprint(office), guard=doors.changing(RECEIVE_ROLE))
    board = NoticeBoard(database, clock)
    mount(app, events_blueprint(board), guard=doors.asking(*EVENT_ROLES))


def _mount_forms(app: Flask, database: Database, doors: _Doors, clock: Clock, room: _FormRoom) -> None:
    """Units, what kits of a unit take along, DC01 forms, and how good the data of each unit are."""
    units = UnitOffice(database, clock)
    forms = FormDesk(database, clock, units)
    batches = BatchDesk(database, forms, units)
    worker = doors.changing(WORK_ROLE)
    mount(app, units_blueprint(units, clock), guard=doors.asking(UNITS_ROLE, WORK_ROLE))
    mount(app, unit_names_blueprint(units), guard=doors.asking(READ_ROLE))
    mount(app, counts_blueprint(units), guard=doors.changing(COUNT_ROLE))
    extracts = extracts_blueprint(ExtractDesk(database, clock, units), room.book)
    mount(app, extracts, guard=doors.asking(EXTRACT_ROLE))
    mount(app, forms_blueprint(forms), guard=worker)
    scans = ScanDesk(database, clock, forms, room.store, room.scanner)
    mount(app, scans_blueprint(scans), guard=worker)
    mount(app, keyings_blueprint(forms, batches), guard=worker)
    mount(app, batches_blueprint(batches, forms), guard=worker)
    mount(app, checks_blueprint(batches, forms), guard=worker)
    registration = RegistrationDesk(database, forms, room.book)
    mount(app, registration_blueprint(registration, batches), guard=worker)
    quality = quality_blueprint(IndexDesk(database, clock, units))
    mount(app, quality, guard=doors.asking(QUALITY_ROLE))


def registry_from(environ: Mapping[str, str]) -> Flask:
    """The population registry as ``REGISTRY_*`` sets it; raises ConfigurationFault for another's database."""
    settings = read_settings(RegistrySettings, "REGISTRY_", environ)
    database = migrated(settings.database_url)
    with database.writing() as connection:
        store_profile.claim(connection, settings.profile)
    database.close()
    return create_registry_app(settings)
