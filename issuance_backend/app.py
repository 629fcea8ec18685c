"""Where the parts of the two programs are put together."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from issuance_backend import store_profile
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
from issuance_backend.dossiers.intake.api import PACKET_ROLE, kits_blueprint, packets_blueprint
from issuance_backend.dossiers.intake.composition import IntakePlace, dossier_door, intake
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
from issuance_backend.personalization.portrait_judge import judge_from
from issuance_backend.service_tokens import ServiceCaller, load_callers, require_service
from issuance_backend.settings import IssuanceSettings, require_printer
from issuance_backend.statistics.api import TARGETS_ROLE, statistics_blueprint, targets_blueprint
from issuance_backend.statistics.service import StatisticsOffice
from issuance_backend.storage import issuance_database
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret, read_settings
from monitoring.harness import Guard, instrument, mount, open_to_all
from verification.errors import FieldsRefused
from verification.messages.enrollment import MAX_CAPTURE_BYTES


def create_issuance_app(
    settings: IssuanceSettings, *, clock: Clock = utc_now, registry: Registry | None = None
) -> Flask:
    """The issuance office over HTTP; tests hand in another clock and registry."""
    require_printer(settings)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CAPTURE_BYTES
    callers = load_callers(settings.service_tokens)
    database = Database(settings.database_url)
    source = registry or RegistryOverHttp(settings.registry_url, read_secret(settings.registry_token_file))
    judge = judge_from(settings.model_dir)
    door = OfficerDoor(database, clock)
    pictures = Pictures(database, open_store(settings.store_place, database, clock))
    production = ProductionDesk(database, clock)
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
    _mount_dossiers(app, office, production, guard=officer)
    _mount_production(app, database, production, clock, guard=officer)
    mount(app, application_forms_blueprint(PaperDesk(office, clock)), guard=officer)
    _mount_delivery(app, database, delivery, clock, guard=officer)
    _mount_accounts(app, AccountOffice(database, clock), callers, guard=officer)
    mount(app, status_blueprint(delivery), guard=require_service(callers, STATUS_ROLE))
    _mount_figures(app, database, callers, clock, guard=officer)
    if settings.intake_key_dir is not None:
        door_of_packets = dossier_door(database, PacketDesk(checks, pictures))
        place = IntakePlace(settings.intake_dir, settings.intake_key_dir)
        packets = intake(database, place, door_of_packets, clock)
        mount(app, packets_blueprint(packets.desk), guard=require_service(callers, PACKET_ROLE))
        mount(app, kits_blueprint(packets.kits), guard=officer)
    if settings.search_key_dir is not None:
        modalities = installed_modalities(judge.engine)
        search = SearchDesk(database, KeyRoom(settings.search_key_dir), modalities, clock)
        mount(app, tasks_blueprint(search), guard=require_service(callers, *SEARCH_ROLES))
        mount(app, investigations_blueprint(search), guard=officer)
        examiners = ExaminersDesk(database, clock, office.picture, nobody_told)
        mount(app, adjudication_blueprint(examiners), guard=officer)
    return app


def _watch(app: Flask, database: Database) -> None:
    instrument(app, "issuance", ready=lambda: {"database": database.answers()}, statuses=STATUSES)
    app.register_error_handler(FieldsRefused, fields_problem)
    app.before_request(refuse_nul)


def _mount_dossiers(
    app: Flask, office: ApplicationOffice, production: ProductionDesk, *, guard: Guard
) -> None:
    """What officers do with applications."""
    mount(app, prefill_blueprint(office), guard=guard)
    mount(app, dossiers_blueprint(office), guard=guard)
    mount(app, decisions_blueprint(office, production.queue), guard=guard)
    mount(app, lookups_blueprint(office), guard=guard)
    mount(app, legal_blueprint(office), guard=guard)


def _mount_production(
    app: Flask, database: Database, production: ProductionDesk, clock: Clock, *, guard: Guard
) -> None:
    """Batches of cards, and the blanks that they are made of."""
    stock = StockOffice(database, clock)
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
    app: Flask, database: Database, delivery: DeliveryDesk, clock: Clock, *, guard: Guard
) -> None:
    """What officers do with cards on their way, at the hand-over, and with those that are good no longer."""
    mount(app, credentials_blueprint(delivery), guard=guard)
    mount(app, boxes_blueprint(ShippingDesk(database, clock, card_revoked)), guard=guard)
    mount(app, suspensions_blueprint(SuspensionDesk(database, clock, card_revoked)), guard=guard)
    mount(app, undelivered_blueprint(UndeliveredDesk(database, clock, card_destroyed)), guard=guard)


def _mount_accounts(
    app: Flask, accounts: AccountOffice, callers: dict[str, ServiceCaller], *, guard: Guard
) -> None:
    """Electronic accounts, for officers and for the program where citizens sign in."""
    mount(app, accounts_blueprint(accounts), guard=guard)
    mount(app, activations_blueprint(accounts), guard=require_service(callers, ACTIVATION_ROLE))


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
