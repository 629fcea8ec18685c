"""Where the parts of the two programs are put together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from flask import Flask, Response

from issuance_backend.credentials.api import STATUS_ROLE, credentials_blueprint, status_blueprint
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.dossiers.api import decisions_blueprint, dossiers_blueprint, prefill_blueprint
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.registry_client import Registry, RegistryOverHttp
from issuance_backend.dossiers.service import ApplicationOffice
from issuance_backend.errors import STATUSES
from issuance_backend.moments import Clock, utc_now
from issuance_backend.officers.api import require_officer, sign_in_blueprint, sign_out_blueprint
from issuance_backend.officers.service import OfficerDoor
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
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.refusals import ProductionUnavailable
from issuance_backend.service_tokens import load_callers, require_service
from issuance_backend.settings import (
    ISSUANCE_DATABASE,
    IssuanceSettings,
    RegistrySettings,
)
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


def create_registry_app(settings: RegistrySettings) -> Flask:
    """The population registry over HTTP."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_QUERY_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    desk = RegistryDesk(database)
    instrument(app, "registry", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    mount(app, queries_blueprint(desk), guard=require_service(callers, QUERY_ROLE))
    mount(app, persons_blueprint(desk), guard=require_service(callers, READ_ROLE))
    return app


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
    production = ProductionOffice(database, _workshop(settings, clock), clock)
    office = ApplicationOffice(database, CaptureChecks(source, judge), clock, production.produce_approved)
    delivery = DeliveryDesk(database, clock, office.complete)
    instrument(app, "issuance", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    app.register_error_handler(FieldsRefused, _fields_problem)
    officer = require_officer(door)
    mount(app, sign_in_blueprint(door), guard=open_to_all)
    mount(app, sign_out_blueprint(door), guard=officer)
    mount(app, prefill_blueprint(office), guard=officer)
    mount(app, dossiers_blueprint(office), guard=officer)
    mount(app, decisions_blueprint(office, production.produce), guard=officer)
    mount(app, credentials_blueprint(delivery), guard=officer)
    mount(app, status_blueprint(delivery), guard=require_service(callers, STATUS_ROLE))
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


def _workshop(settings: IssuanceSettings, clock: Clock) -> Workshop:
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
