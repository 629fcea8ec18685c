"""Where the parts of the two programs are put together."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from issuance_backend import store_profile
from issuance_backend.application_status.api import APPLICATION_STATUS_ROLE, application_status_blueprint
from issuance_backend.application_status.service import StatusDesk
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
from issuance_backend.blob_store.place import open_store
from issuance_backend.campaign_planner.api import campaign_plans_blueprint
from issuance_backend.campaign_planner.service import PlanningDesk
from issuance_backend.credentials.account_office import AccountOffice
from issuance_backend.credentials.api import (
    ACTIVATION_ROLE,
    STATUS_ROLE,
    accounts_blueprint,
    activations_blueprint,
    boxes_blueprint,
    credentials_blueprint,
    status_blueprint,
    suspensions_blueprint,
    undelivered_blueprint,
)
from issuance_backend.credentials.handover_receipts import ReceiptDesk, load_receipt_keys
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.credentials.shipping_desk import ShippingDesk
from issuance_backend.credentials.suspension_desk import SuspensionDesk
from issuance_backend.credentials.undelivered_desk import UndeliveredDesk
from issuance_backend.dossiers.api import (
    decisions_blueprint,
    dossiers_blueprint,
    legal_blueprint,
    lookups_blueprint,
    prefill_blueprint,
)
from issuance_backend.dossiers.approval_desk import Duplicates
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.forms.api import forms_blueprint as application_forms_blueprint
from issuance_backend.dossiers.forms.service import PaperDesk
from issuance_backend.dossiers.intake.api import (
    PACKET_ROLE,
    extracts_blueprint,
    kits_blueprint,
    packets_blueprint,
)
from issuance_backend.dossiers.intake.composition import (
    Intake,
    IntakePlace,
    dossier_door,
    extract_desk,
    intake,
)
from issuance_backend.dossiers.intake.extract_desk import KitExtractDesk
from issuance_backend.dossiers.intake.extract_source import ExtractSource, ExtractsOverHttp
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.registry_client import Registry, RegistryOverHttp
from issuance_backend.dossiers.service import ApplicationOffice
from issuance_backend.errors import STATUSES
from issuance_backend.http_body import fields_problem, refuse_nul
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
from issuance_backend.personalization.batches.api import production_blueprint
from issuance_backend.personalization.batches.service import (
    ProductionDesk,
    card_destroyed,
    card_revoked,
    order_ended,
)
from issuance_backend.personalization.blank_stock.api import destructions_blueprint, stock_blueprint
from issuance_backend.personalization.blank_stock.service import StockOffice
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.personalization.portrait_judge import judge_from
from issuance_backend.service_tokens import ServiceCaller, load_callers, require_service, service_or
from issuance_backend.settings import IssuanceSettings, require_printer
from issuance_backend.statistics.api import TARGETS_ROLE, statistics_blueprint, targets_blueprint
from issuance_backend.statistics.service import StatisticsOffice
from issuance_backend.storage import issuance_database
from issuance_backend.unit_names.api import unit_names_blueprint
from issuance_backend.unit_names.registry_map import UnitMap, UnitMapOverHttp
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret, read_settings
from monitoring.harness import Guard, instrument, mount, open_to_all
from verification.errors import FieldsRefused
from verification.messages.enrollment import MAX_CAPTURE_BYTES


def create_issuance_app(
    settings: IssuanceSettings,
    *,
    clock: Clock = utc_now,
    registry: Registry | None = None,
    units: UnitMap | None = None,
    extracts: ExtractSource | None = None,
) -> Flask:
    """The issuance office over HTTP; tests hand in another clock and registry."""
    require_printer(settings)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CAPTURE_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    asking = settings.registry_url, read_secret(settings.registry_token_file)
    source, unit_map = registry or RegistryOverHttp(*asking), units or UnitMapOverHttp(*asking)
    judge = judge_from(settings.model_dir)
    door = OfficerDoor(database, clock)
    pictures = Pictures(database, open_store(settings.store_place, database, clock))
    production, drawer = ProductionDesk(database, clock), CardDrawer(settings.card_dir)
    checks = CaptureChecks(source, judge)
    office = ApplicationOffice(
        database, checks, pictures, clock, duplicates=_duplicates(settings), order_ended=order_ended
    )
    receipts = ReceiptDesk(load_receipt_keys(settings.receipt_keys_file))
    delivery = DeliveryDesk(database, clock, receipts, office.complete)
    _watch(app, database)
    officer = answered_once(
        require_officer(door), lambda: acting_officer().id, RequestRegister(database, clock)
    )
    mount(app, sign_in_blueprint(door), guard=open_to_all)
    mount(app, sign_out_blueprint(door), guard=officer)
    paper = PaperDesk(office, clock, units=unit_map, status_address=settings.status_address)
    _mount_dossiers(app, office, paper, production, guard=officer)
    _mount_production(app, production, StockOffice(database, clock, drawer.destroy), guard=officer)
    _mount_status(app, StatusDesk(database, clock), unit_map, callers, guard=officer)
    undelivered = UndeliveredDesk(database, clock, card_destroyed, drawer.destroy)
    _mount_delivery(app, database, delivery, undelivered, clock, guard=officer)
    _mount_accounts(app, AccountOffice(database, clock), callers, guard=officer)
    mount(app, status_blueprint(delivery), guard=require_service(callers, STATUS_ROLE))
    _mount_figures(app, database, callers, clock, guard=officer)
    if settings.intake_key_dir is not None:
        place = IntakePlace(settings.intake_dir, settings.intake_key_dir)
        packets = intake(database, place, dossier_door(database, PacketDesk(checks, pictures)), clock)
        sealing = extract_desk(database, place, extracts or ExtractsOverHttp(*asking), clock)
        _mount_intake(app, packets, sealing, callers, guard=officer)
    if settings.search_key_dir is not None:
        modalities = installed_modalities(judge.engine)
        search = SearchDesk(database, KeyRoom(settings.search_key_dir), modalities, clock)
        examiners = ExaminersDesk(database, clock, office.picture, nobody_told)
        _mount_search(app, search, examiners, callers, guard=officer)
    return app


def _watch(app: Flask, database: Database) -> None:
    instrument(app, "issuance", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    app.register_error_handler(FieldsRefused, fields_problem)
    app.before_request(refuse_nul)


def _mount_dossiers(
    app: Flask, office: ApplicationOffice, paper: PaperDesk, production: ProductionDesk, *, guard: Guard
) -> None:
    """What officers do with applications."""
    mount(app, prefill_blueprint(office), guard=guard)
    mount(app, dossiers_blueprint(office), guard=guard)
    mount(app, decisions_blueprint(office, production.queue), guard=guard)
    mount(app, lookups_blueprint(office), guard=guard)
    mount(app, legal_blueprint(office), guard=guard)
    mount(app, application_forms_blueprint(paper), guard=guard)


def _mount_status(
    app: Flask, desk: StatusDesk, units: UnitMap, callers: dict[str, ServiceCaller], *, guard: Guard
) -> None:
    """What the public page asks: where an application stands, and what the office is called."""
    mount(app, application_status_blueprint(desk), guard=require_service(callers, APPLICATION_STATUS_ROLE))
    mount(app, unit_names_blueprint(units), guard=service_or(guard, callers, APPLICATION_STATUS_ROLE))


def _mount_production(app: Flask, production: ProductionDesk, stock: StockOffice, *, guard: Guard) -> None:
    """Batches of cards, and the blanks that they are made of."""
    mount(app, production_blueprint(production), guard=guard)
    mount(app, stock_blueprint(stock), guard=guard)
    mount(app, destructions_blueprint(stock), guard=guard)


def _mount_figures(
    app: Flask, database: Database, callers: dict[str, ServiceCaller], clock: Clock, *, guard: Guard
) -> None:
    """What is counted and planned, and what subscribers are told."""
    statistics = StatisticsOffice(database, clock)
    mount(app, campaign_plans_blueprint(PlanningDesk()), guard=guard)
    mount(app, statistics_blueprint(statistics), guard=guard)
    mount(app, targets_blueprint(statistics), guard=require_service(callers, TARGETS_ROLE))
    board = NoticeBoard(database, clock)
    mount(app, events_blueprint(board), guard=require_service(callers, *EVENT_ROLES))


def _mount_delivery(
    app: Flask,
    database: Database,
    delivery: DeliveryDesk,
    undelivered: UndeliveredDesk,
    clock: Clock,
    *,
    guard: Guard,
) -> None:
    """What officers do with cards on their way, at the hand-over, and with those that are good no longer."""
    mount(app, credentials_blueprint(delivery), guard=guard)
    mount(app, boxes_blueprint(ShippingDesk(database, clock, card_revoked)), guard=guard)
    mount(app, suspensions_blueprint(SuspensionDesk(database, clock, card_revoked)), guard=guard)
    mount(app, undelivered_blueprint(undelivered), guard=guard)


def _mount_accounts(
    app: Flask, accounts: AccountOffice, callers: dict[str, ServiceCaller], *, guard: Guard
) -> None:
    """Electronic accounts, for officers and for the program where citizens sign in."""
    mount(app, accounts_blueprint(accounts), guard=guard)
    mount(app, activations_blueprint(accounts), guard=require_service(callers, ACTIVATION_ROLE))


def _mount_intake(
    app: Flask,
    packets: Intake,
    extracts: KitExtractDesk,
    callers: dict[str, ServiceCaller],
    *,
    guard: Guard,
) -> None:
    """Sealed packets on their way in, the kits that send them, and what those take along."""
    carrier = require_service(callers, PACKET_ROLE)
    mount(app, packets_blueprint(packets.desk), guard=carrier)
    mount(app, extracts_blueprint(extracts), guard=carrier)
    mount(app, kits_blueprint(packets.kits), guard=guard)


def _mount_search(
    app: Flask,
    search: SearchDesk,
    examiners: ExaminersDesk,
    callers: dict[str, ServiceCaller],
    *,
    guard: Guard,
) -> None:
    """Who else looks like this, and the officers who judge it."""
    mount(app, tasks_blueprint(search), guard=require_service(callers, *SEARCH_ROLES))
    mount(app, investigations_blueprint(search), guard=guard)
    mount(app, adjudication_blueprint(examiners), guard=guard)


def issuance_from(environ: Mapping[str, str]) -> Flask:
    """The issuance office as ``ISSUANCE_*`` sets it; raises ConfigurationFault for another's database."""
    settings = read_settings(IssuanceSettings, "ISSUANCE_", environ)
    app = create_issuance_app(settings)
    database = issuance_database(environ)
    with database.writing() as connection:
        store_profile.claim(connection, settings.profile)
    database.close()
    return app


def _duplicates(settings: IssuanceSettings) -> Duplicates:
    if settings.profile == store_profile.PRODUCTION and settings.search_key_dir is None:
        raise ConfigurationFault("ISSUANCE_SEARCH_KEY_DIR: only a demonstration goes without a search")
    return Duplicates(are_searched=settings.search_key_dir is not None)
