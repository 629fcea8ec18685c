"""Where the parts of the two programs are put together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from flask import Flask, Response

from issuance_backend.biometric_search.api import (
    SEARCH_ROLES,
    adjudication_blueprint,
    investigations_blueprint,
    tasks_blueprint,
)
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.examiners_desk import ExaminersDesk, nobody_told
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.credentials.api import STATUS_ROLE, credentials_blueprint, status_blueprint
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.dossiers.api import decisions_blueprint, dossiers_blueprint, prefill_blueprint
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.registry_client import Registry, RegistryOverHttp
from issuance_backend.dossiers.service import ApplicationOffice
from issuance_backend.errors import STATUSES
from issuance_backend.http_body import refuse_nul
from issuance_backend.idempotency.api import answered_once
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import Clock, utc_now
from issuance_backend.officers.api import (
    acting_officer,
    require_officer,
    sign_in_blueprint,
    sign_out_blueprint,
)
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.outbox.api import EVENT_ROLES, events_blueprint
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.data_preparation import SodSigner
from issuance_backend.personalization.portrait_judge import judge_from
from issuance_backend.personalization.portrait_pictures import chip_portrait, shows_same_picture
from issuance_backend.personalization.quality_control import QualityControl
from issuance_backend.personalization.service import ProductionOffice, Workshop
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
    quality_blueprint,
)
from issuance_backend.population_registry.dc01.batch_desk import BatchDesk
from issuance_backend.population_registry.dc01.form_desk import FormDesk
from issuance_backend.population_registry.dc01.index_desk import IndexDesk
from issuance_backend.population_registry.identities.api import (
    ENRICH_ROLE,
    REGISTER_ROLE,
    enrichments_blueprint,
    identities_blueprint,
    merges_blueprint,
    records_blueprint,
)
from issuance_backend.population_registry.identities.merging import MergeDesk
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.life_events.api import life_events_blueprint, reports_blueprint
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.matching.api import MATCH_ROLE, matches_blueprint
from issuance_backend.population_registry.matching.service import MatchingDesk
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
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.population_registry.units.api import (
    COUNT_ROLE,
    UNITS_ROLE,
    counts_blueprint,
    units_blueprint,
)
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.service_tokens import ServiceCaller, load_callers, require_service
from issuance_backend.settings import (
    ISSUANCE_DATABASE,
    IssuanceSettings,
    RegistrySettings,
)
from issuance_backend.statistics.api import TARGETS_ROLE, statistics_blueprint, targets_blueprint
from issuance_backend.statistics.service import StatisticsOffice
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret, read_settings
from monitoring.harness import instrument, mount, open_to_all
from monitoring.problem import problem
from verification.errors import FieldsRefused
from verification.lds.files import LdsFile
from verification.messages.enrollment import MAX_CAPTURE_BYTES
from verification.pki.trust_store import TrustStore

ISSUANCE_MIGRATIONS = Path(__file__).parent / "migrations"

_MAX_QUERY_BYTES = 16 * 1024


def create_registry_app(settings: RegistrySettings, *, clock: Clock = utc_now) -> Flask:
    """The population registry over HTTP; tests hand in another clock."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_QUERY_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    desk = RegistryDesk(database)
    instrument(app, "registry", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    mount(app, queries_blueprint(desk), guard=require_service(callers, QUERY_ROLE))
    mount(app, persons_blueprint(desk), guard=require_service(callers, READ_ROLE))
    mount(app, matches_blueprint(MatchingDesk(database, utc_now)), guard=require_service(callers, MATCH_ROLE))
    app.register_error_handler(FieldsRefused, _fields_problem)
    app.before_request(refuse_nul)
    _mount_records(app, database, callers, clock)
    _mount_publication(app, database, callers, clock)
    _mount_forms(app, database, callers, clock)
    return app


def _mount_records(app: Flask, database: Database, callers: dict[str, ServiceCaller], clock: Clock) -> None:
    """What changes persons and numbers, and what shows their history."""
    records, life = RecordOffice(database, clock), LifeEventOffice(database, clock)
    numbers = NumberOffice(database, clock)
    reader, registrar = require_service(callers, READ_ROLE), require_service(callers, REGISTER_ROLE)
    issuer = require_service(callers, NUMBER_ROLE)
    mount(app, records_blueprint(records), guard=reader)
    mount(app, life_events_blueprint(life), guard=reader)
    mount(app, identities_blueprint(records), guard=registrar)
    mount(app, merges_blueprint(MergeDesk(database, clock)), guard=registrar)
    mount(app, reports_blueprint(life), guard=registrar)
    mount(app, enrichments_blueprint(records), guard=require_service(callers, ENRICH_ROLE))
    mount(app, numbers_blueprint(numbers), guard=issuer)
    mount(app, number_blocks_blueprint(numbers), guard=issuer)


def _mount_publication(
    app: Flask, database: Database, callers: dict[str, ServiceCaller], clock: Clock
) -> None:
    """What leaves the registry: published attributes, their corrections, and events."""
    office = PublicationOffice(database, clock)
    mount(app, publications_blueprint(office), guard=require_service(callers, PUBLISH_ROLE))
    mount(app, deliveries_blueprint(office), guard=require_service(callers, RECEIVE_ROLE))
    board = NoticeBoard(database, clock)
    mount(app, events_blueprint(board), guard=require_service(callers, *EVENT_ROLES))


def _mount_forms(app: Flask, database: Database, callers: dict[str, ServiceCaller], clock: Clock) -> None:
    """Units, the DC01 forms that name them, and how good the data of each unit are."""
    units = UnitOffice(database, clock)
    forms = FormDesk(database, clock, units)
    batches = BatchDesk(database, forms, units)
    worker = require_service(callers, WORK_ROLE)
    mount(app, units_blueprint(units, clock), guard=require_service(callers, UNITS_ROLE))
    mount(app, counts_blueprint(units), guard=require_service(callers, COUNT_ROLE))
    mount(app, forms_blueprint(forms), guard=worker)
    mount(app, keyings_blueprint(forms, batches), guard=worker)
    mount(app, batches_blueprint(batches, forms), guard=worker)
    mount(app, checks_blueprint(batches), guard=worker)
    quality = quality_blueprint(IndexDesk(database, clock, units))
    mount(app, quality, guard=require_service(callers, QUALITY_ROLE))


def create_issuance_app(
    settings: IssuanceSettings, *, clock: Clock = utc_now, registry: Registry | None = None
) -> Flask:
    """The issuance office over HTTP; tests hand in another clock and registry."""
    if settings.profile == "production":
        raise ConfigurationFault("ISSUANCE_PROFILE: no card printer for production is built in yet")
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CAPTURE_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    source = registry or RegistryOverHttp(settings.registry_url, read_secret(settings.registry_token_file))
    judge = judge_from(settings.model_dir)
    door = OfficerDoor(database, clock)
    pictures = Pictures(database, open_store(settings.store_place, database, clock))
    production = ProductionOffice(database, _workshop(settings, pictures, clock), clock)
    checks = CaptureChecks(source, judge)
    office = ApplicationOffice(database, checks, pictures, clock, production.produce_approved)
    delivery = DeliveryDesk(database, clock, office.complete)
    instrument(app, "issuance", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    app.register_error_handler(FieldsRefused, _fields_problem)
    app.before_request(refuse_nul)
    register = RequestRegister(database, clock)
    officer = answered_once(require_officer(door), lambda: acting_officer().id, register)
    mount(app, sign_in_blueprint(door), guard=open_to_all)
    mount(app, sign_out_blueprint(door), guard=officer)
    mount(app, prefill_blueprint(office), guard=officer)
    mount(app, dossiers_blueprint(office), guard=officer)
    mount(app, decisions_blueprint(office, production.produce), guard=officer)
    mount(app, credentials_blueprint(delivery), guard=officer)
    mount(app, status_blueprint(delivery), guard=require_service(callers, STATUS_ROLE))
    statistics = StatisticsOffice(database, clock)
    mount(app, statistics_blueprint(statistics), guard=officer)
    mount(app, targets_blueprint(statistics), guard=require_service(callers, TARGETS_ROLE))
    board = NoticeBoard(database, clock)
    mount(app, events_blueprint(board), guard=require_service(callers, *EVENT_ROLES))
    if settings.search_key_dir is not None:
        modalities = installed_modalities(judge.engine)
        search = SearchDesk(database, KeyRoom(settings.search_key_dir), modalities, clock)
        mount(app, tasks_blueprint(search), guard=require_service(callers, *SEARCH_ROLES))
        mount(app, investigations_blueprint(search), guard=officer)
        examiners = ExaminersDesk(database, clock, office.picture, nobody_told)
        mount(app, adjudication_blueprint(examiners), guard=officer)
    return app


def registry_from(environ: Mapping[str, str]) -> Flask:
    """The population registry as ``REGISTRY_*`` sets it."""
    return create_registry_app(read_settings(RegistrySettings, "REGISTRY_", environ))


def issuance_from(environ: Mapping[str, str]) -> Flask:
    """The issuance office as ``ISSUANCE_*`` sets it."""
    return create_issuance_app(read_settings(IssuanceSettings, "ISSUANCE_", environ))


def issuance_database(environ: Mapping[str, str]) -> Database:
    """The issuance office's database with the newest schema, for commands that work on it directly."""
    database = Database(environ.get("ISSUANCE_DATABASE_URL", ISSUANCE_DATABASE))
    database.migrate(ISSUANCE_MIGRATIONS)
    return database


def issuance_pictures(environ: Mapping[str, str], database: Database) -> tuple[Pictures, BlobStore]:
    """The store that ``ISSUANCE_BLOB_*`` sets, for commands; raises ConfigurationFault without one."""
    place = read_settings(StorePlace, "ISSUANCE_BLOB_", environ)
    store = open_store(place, database, utc_now)
    if store is None:
        raise ConfigurationFault("ISSUANCE_BLOB_KEYS_FILE, ISSUANCE_BLOB_DIR: no store is set")
    return Pictures(database, store), store


def _workshop(settings: IssuanceSettings, pictures: Pictures, clock: Clock) -> Workshop:
    def anchors() -> TrustStore:
        # Read for every card: revocation lists are renewed while the office works.
        return _trust_store(settings.pki_dir)

    def anchors_now() -> TrustStore:
        try:
            return anchors()
        except (ConfigurationFault, OSError) as fault:
            raise ProductionUnavailable(f"trust anchors: {type(fault).__name__}") from None

    anchors()  # a folder without anchors stops the start, not the first card
    control = QualityControl(anchors_now, os.urandom, shows_same_picture)
    return Workshop(
        sign=_sod_signer(settings.pki_dir, clock),
        writer=CardDrawer(settings.card_dir),
        control=control,
        captured_portrait=pictures.read,
        chip_portrait=chip_portrait,
    )


def _sod_signer(pki_dir: Path, clock: Clock) -> SodSigner:
    signers = PkiDirectory(pki_dir).open_document_signers()

    def sign(hashes: Mapping[LdsFile, bytes]) -> bytes:
        moment = clock()
        return sign_security_object(hashes, signers.signer_for(moment), signing_time=moment)

    return sign


def _trust_store(pki_dir: Path) -> TrustStore:
    anchors = [*sorted(pki_dir.glob("csca*.der")), *sorted(pki_dir.glob("*.crl"))]
    if not anchors:
        raise ConfigurationFault("ISSUANCE_PKI_DIR holds no CSCA certificate")
    return TrustStore.from_files([path.read_bytes() for path in anchors])


def _fields_problem(fault: FieldsRefused) -> Response:
    return problem(422, fault.code, fields=msgspec.to_builtins(fault.fields))
