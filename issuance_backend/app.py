"""Where the parts of the two programs are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Flask, request

from issuance_backend import recorded_events, store_profile
from issuance_backend.application_status.api import APPLICATION_STATUS_ROLE, application_status_blueprint
from issuance_backend.application_status.service import StatusDesk
from issuance_backend.biometric_search.api import (
    SEARCH_ROLES,
    adjudication_blueprint,
    investigations_blueprint,
    tasks_blueprint,
)
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.examiners_desk import Applications, ExaminersDesk
from issuance_backend.biometric_search.examiners_desk import Pictures as CasePictures
from issuance_backend.biometric_search.further_modalities import further_modalities
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.blob_store.place import open_store
from issuance_backend.campaign_planner.api import campaign_plans_blueprint
from issuance_backend.campaign_planner.service import PlanningDesk
from issuance_backend.citizen_access.api import (
    complaint_status_blueprint,
    complaints_blueprint,
    reading_of_request,
    visits_blueprint,
)
from issuance_backend.citizen_access.complaint_desk import ComplaintDesk
from issuance_backend.citizen_access.own_record_desk import OwnRecordDesk
from issuance_backend.citizen_access.registry_records import RecordsOverHttp, RegistryRecords
from issuance_backend.content_scanning.domain import UNSCANNED, ContentScanner
from issuance_backend.content_scanning.place import scanner_at
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
from issuance_backend.dc01_work import api as dc01_work
from issuance_backend.dc01_work.registry_forms import RegistryForms
from issuance_backend.dc01_work.service import FormOffice
from issuance_backend.dossiers import acts
from issuance_backend.dossiers.api import (
    approval_lists_blueprint,
    decisions_blueprint,
    dossiers_blueprint,
    legal_blueprint,
    lookups_blueprint,
    prefill_blueprint,
)
from issuance_backend.dossiers.approval_desk import ApprovalTerms
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.case_parts import awaits_examiners, fingers
from issuance_backend.dossiers.counter.api import (
    agreements_blueprint,
    counter_blueprint,
    counter_prints_blueprint,
    recaptures_blueprint,
)
from issuance_backend.dossiers.forms.api import forms_blueprint as application_forms_blueprint
from issuance_backend.dossiers.forms.service import PaperDesk
from issuance_backend.dossiers.intake.api import (
    PACKET_ROLE,
    extracts_blueprint,
    kits_blueprint,
    packets_blueprint,
    returns_blueprint,
)
from issuance_backend.dossiers.intake.case_holds import holding
from issuance_backend.dossiers.intake.centre_keys import load_key
from issuance_backend.dossiers.intake.composition import (
    IntakePlace,
    dossier_door,
    extract_desk,
    intake,
)
from issuance_backend.dossiers.intake.extract_source import ExtractSource, ExtractsOverHttp
from issuance_backend.dossiers.intake.opening import Dossiers
from issuance_backend.dossiers.notices.api import notices_blueprint
from issuance_backend.dossiers.notices.service import NoticeDesk
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.registry_client import Registry, RegistryOverHttp
from issuance_backend.dossiers.service import ApplicationOffice, Neighbours
from issuance_backend.errors import STATUSES
from issuance_backend.http_body import fields_problem, refuse_nul
from issuance_backend.idempotency.api import answered_once
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.investigations.api import investigation_pictures_blueprint
from issuance_backend.investigations.service import Makers, PictureSearchDesk
from issuance_backend.moments import Clock, utc_now
from issuance_backend.officers.api import (
    acting_officer,
    certificates_blueprint,
    require_officer,
    sign_in_blueprint,
    sign_out_blueprint,
)
from issuance_backend.officers.certificate_gauge import CertificateGauge
from issuance_backend.officers.certification import CertificationDesk, require_certified
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.outbox.api import EVENT_ROLES, events_blueprint
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.personalization.batches.api import printed_cards_blueprint, production_blueprint
from issuance_backend.personalization.batches.printed_look import PrintedLook
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
from issuance_backend.picture_templates import face_maker, finger_maker
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.api import (
    identities_blueprint,
    indices_blueprint,
    life_events_blueprint,
    merges_blueprint,
    people_blueprint,
    publications_blueprint,
)
from issuance_backend.registry_work.identities import IdentityDesk
from issuance_backend.registry_work.indices import IndexOffice
from issuance_backend.registry_work.life_events import LifeEventDesk
from issuance_backend.registry_work.merges import MergeOffice
from issuance_backend.registry_work.publications import PublicationDesk
from issuance_backend.service_tokens import ServiceCaller, load_callers, require_service, service_or
from issuance_backend.settings import IssuanceSettings, require_printer
from issuance_backend.statistics import record_check_gauge
from issuance_backend.statistics.api import (
    TARGETS_ROLE,
    own_targets_blueprint,
    statistics_blueprint,
    targets_blueprint,
)
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.service import StatisticsOffice
from issuance_backend.statistics.target_desk import TargetDesk
from issuance_backend.storage import issuance_database
from issuance_backend.unit_names.api import unit_names_blueprint
from issuance_backend.unit_names.registry_map import UnitMap, UnitMapOverHttp
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret, read_settings
from monitoring.harness import Awaited, Guard, instrument, mount, open_to_all
from verification.errors import FieldsRefused
from verification.messages.enrollment import MAX_CAPTURE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What every desk stands on, and who is let in: officers who are signed in, programs with a token."""

    app: Flask
    database: Database
    clock: Clock
    officer: Guard
    callers: dict[str, ServiceCaller]

    def for_officers(self, *blueprints: Blueprint) -> None:
        """Mount what officers do."""
        for blueprint in blueprints:
            mount(self.app, blueprint, guard=self.officer)

    def for_programs(self, blueprint: Blueprint, *roles: str) -> None:
        """Mount what programs of these roles ask."""
        mount(self.app, blueprint, guard=require_service(self.callers, *roles))


def create_issuance_app(
    settings: IssuanceSettings,
    *,
    clock: Clock = utc_now,
    registry: Registry | None = None,
    units: UnitMap | None = None,
    extracts: ExtractSource | None = None,
    records: RegistryRecords | None = None,
) -> Flask:
    """The issuance office over HTTP; tests hand in another clock and registry."""
    require_printer(settings)
    database = Database(settings.database_url)
    asking = settings.registry_url, read_secret(settings.registry_token_file)
    source = registry or RegistryOverHttp(*asking, reading_of_request)
    unit_map = units or UnitMapOverHttp(*asking)
    scanner, judge = scanner_at(settings.content_scanner), judge_from(settings.model_dir)
    pictures = Pictures(database, open_store(settings.store_place, database, clock))
    checks = CaptureChecks(source, judge, scanner)
    neighbours, terms = Neighbours(order_ended, require_certified), _approval_terms(settings)
    office = ApplicationOffice(database, checks, pictures, clock, neighbours=neighbours, terms=terms)
    site = _opened_site(settings, database, scanner, clock)
    paper = PaperDesk(office, clock, units=unit_map, status_address=settings.status_address)
    production, drawer = ProductionDesk(database, clock), CardDrawer(settings.card_dir)
    _mount_dossiers(site, office, paper, production)
    site.for_officers(notices_blueprint(NoticeDesk(database, clock, unit_map), office.view))
    _mount_production(site, production, drawer)
    _mount_delivery(site, settings, office, drawer)
    _mount_accounts(site)
    _mount_status(site, unit_map)
    _mount_citizens(site, settings, records or RecordsOverHttp(*asking))
    _mount_figures(site)
    _mount_registry(site, *asking)
    if settings.intake_key_dir is not None:
        place = IntakePlace(settings.intake_dir, settings.intake_key_dir)
        dossiers = dossier_door(database, PacketDesk(checks, pictures))
        _mount_intake(site, place, dossiers, extracts or ExtractsOverHttp(*asking), scanner)
    if settings.search_key_dir is not None:
        further = further_modalities(settings.modalities, settings.profile)
        modalities = installed_modalities(judge.engine, further)
        search = SearchDesk(database, KeyRoom(settings.search_key_dir), modalities, clock)
        makers = Makers(face_maker(modalities, settings.model_dir), finger_maker(modalities))
        _mount_search(site, search, office, PictureSearchDesk(search, makers, scanner, clock))
    return site.app


def _opened_site(
    settings: IssuanceSettings, database: Database, scanner: ContentScanner, clock: Clock
) -> _Site:
    """An application that is watched, and that officers sign in to."""
    app, door = Flask(__name__), OfficerDoor(database, clock)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CAPTURE_BYTES
    _watch(app, database, scanner, clock)
    register = RequestRegister(database, clock)
    officer = answered_once(require_officer(door), lambda: acting_officer().id, register)
    callers = load_callers(settings.service_tokens)
    site = _Site(app=app, database=database, clock=clock, officer=officer, callers=callers)
    mount(app, sign_in_blueprint(door), guard=open_to_all)
    holds = holding(database, clock)
    certification = CertificationDesk(database, clock, recorded_events.append, holds)
    site.for_officers(sign_out_blueprint(door), certificates_blueprint(certification))
    return site


def _watch(app: Flask, database: Database, scanner: ContentScanner, clock: Clock) -> None:
    def parts() -> dict[str, bool | Awaited]:
        awaited = {} if scanner is UNSCANNED else {"scanner": Awaited(scanner.answers())}
        return {"database": database.answers(), **awaited}

    instrument(app, "issuance", ready=parts, statuses=STATUSES)
    gauge, checks = CertificateGauge(database, clock), RecordCheckDesk(database, clock)

    def measure() -> None:
        if request.path == "/metrics":
            gauge.measure()
            record_check_gauge.measure(checks)

    app.before_request(measure)
    app.register_error_handler(FieldsRefused, fields_problem)
    # First of all: whatever reads a request meets its limit.
    app.before_request(dc01_work.permit_scans)
    app.before_request(refuse_nul)


def _mount_dossiers(
    site: _Site, office: ApplicationOffice, paper: PaperDesk, production: ProductionDesk
) -> None:
    """What officers do with applications."""
    site.for_officers(
        prefill_blueprint(office),
        counter_blueprint(office.counter, office.view),
        agreements_blueprint(office.counter),
        counter_prints_blueprint(office.counter.prints),
        recaptures_blueprint(office.counter),
        dossiers_blueprint(office),
        decisions_blueprint(office, production.queue),
        lookups_blueprint(office),
        legal_blueprint(office),
        approval_lists_blueprint(office),
        application_forms_blueprint(paper),
    )


def _mount_status(site: _Site, units: UnitMap) -> None:
    """What the public page asks: where an application stands, and what the office is called."""
    desk = StatusDesk(site.database, site.clock)
    site.for_programs(application_status_blueprint(desk), APPLICATION_STATUS_ROLE)
    either = service_or(site.officer, site.callers, APPLICATION_STATUS_ROLE)
    mount(site.app, unit_names_blueprint(units), guard=either)


def _mount_citizens(site: _Site, settings: IssuanceSettings, records: RegistryRecords) -> None:
    """What a citizen at the counter sees of their own data, and complaints with their answers."""
    database, clock = site.database, site.clock
    receipts = ReceiptDesk(load_receipt_keys(settings.receipt_keys_file))
    own = OwnRecordDesk(database, clock, receipts, records, StatusDesk(database, clock))
    complaints = ComplaintDesk(database, clock, own, records)
    site.for_officers(visits_blueprint(own, complaints), complaints_blueprint(complaints))
    site.for_programs(complaint_status_blueprint(complaints), APPLICATION_STATUS_ROLE)


def _mount_registry(site: _Site, url: str, token: str) -> None:
    """What officers do in the registry: forms, publications, merges, life events, how good the data are."""
    asking = url, token, dc01_work.key_of_request
    office, identities = FormOffice(RegistryForms(*asking)), registry_parts.identities(*asking)
    site.for_officers(
        indices_blueprint(IndexOffice(registry_parts.quality_indices(*asking))),
        publications_blueprint(PublicationDesk(registry_parts.publications(*asking))),
        merges_blueprint(MergeOffice(registry_parts.merges(*asking))),
        life_events_blueprint(LifeEventDesk(registry_parts.life_events(*asking))),
        people_blueprint(IdentityDesk(identities)),
        identities_blueprint(IdentityDesk(identities)),
        dc01_work.work_blueprint(office),
        dc01_work.forms_blueprint(office),
        dc01_work.pages_blueprint(office),
        dc01_work.readings_blueprint(office),
        dc01_work.batches_blueprint(office),
    )


def _mount_production(site: _Site, production: ProductionDesk, drawer: CardDrawer) -> None:
    """Batches of cards, and the blanks that they are made of."""
    stock = StockOffice(site.database, site.clock, drawer.destroy)
    look = PrintedLook(site.database, drawer.printed)
    site.for_officers(
        production_blueprint(production),
        printed_cards_blueprint(look),
        stock_blueprint(stock),
        destructions_blueprint(stock),
    )


def _mount_figures(site: _Site) -> None:
    """What is counted and planned, and what subscribers are told."""
    statistics = StatisticsOffice(site.database, site.clock)
    checks, targets = RecordCheckDesk(site.database, site.clock), TargetDesk(site.database, site.clock)
    site.for_officers(
        campaign_plans_blueprint(PlanningDesk()),
        statistics_blueprint(statistics, checks),
        own_targets_blueprint(targets),
    )
    site.for_programs(targets_blueprint(targets), TARGETS_ROLE)
    site.for_programs(events_blueprint(NoticeBoard(site.database, site.clock)), *EVENT_ROLES)


def _mount_delivery(
    site: _Site, settings: IssuanceSettings, office: ApplicationOffice, drawer: CardDrawer
) -> None:
    """Cards on their way, at the hand-over, and those that are good no longer; what gateways ask of them."""
    database, clock = site.database, site.clock
    receipts = ReceiptDesk(load_receipt_keys(settings.receipt_keys_file))
    delivery = DeliveryDesk(database, clock, receipts, office.complete)
    site.for_officers(
        credentials_blueprint(delivery),
        boxes_blueprint(ShippingDesk(database, clock, card_revoked)),
        suspensions_blueprint(SuspensionDesk(database, clock, card_revoked)),
        undelivered_blueprint(UndeliveredDesk(database, clock, card_destroyed, drawer.destroy)),
    )
    site.for_programs(status_blueprint(delivery), STATUS_ROLE)


def _mount_accounts(site: _Site) -> None:
    """Electronic accounts, for officers and for the program where citizens sign in."""
    accounts = AccountOffice(site.database, site.clock)
    site.for_officers(accounts_blueprint(accounts))
    site.for_programs(activations_blueprint(accounts), ACTIVATION_ROLE)


def _mount_intake(
    site: _Site, place: IntakePlace, dossiers: Dossiers, source: ExtractSource, scanner: ContentScanner
) -> None:
    """Sealed packets on their way in, the kits that send them, what those take along and are told."""
    packets = intake(site.database, place, dossiers, site.clock, scanner)
    extracts = extract_desk(site.database, place, source, site.clock)
    site.for_programs(packets_blueprint(packets.desk), PACKET_ROLE)
    site.for_programs(extracts_blueprint(extracts), PACKET_ROLE)
    site.for_programs(returns_blueprint(packets.returns), PACKET_ROLE)
    site.for_officers(kits_blueprint(packets.kits))


def _mount_search(
    site: _Site, search: SearchDesk, office: ApplicationOffice, by_picture: PictureSearchDesk
) -> None:
    """Who else looks like this, the officers who judge it, and searches under a warrant, by picture too."""
    applications = Applications(stands=awaits_examiners, took_part=acts.worked_on, fingers=fingers)
    shown = CasePictures(portrait=office.picture, finger=office.finger)
    examiners = ExaminersDesk(site.database, site.clock, shown, applications=applications)
    site.for_programs(tasks_blueprint(search), *SEARCH_ROLES)
    site.for_officers(adjudication_blueprint(examiners))
    site.for_officers(investigations_blueprint(search), investigation_pictures_blueprint(by_picture))


def issuance_from(environ: Mapping[str, str]) -> Flask:
    """The issuance office as ``ISSUANCE_*`` sets it; raises ConfigurationFault for another's database."""
    settings = read_settings(IssuanceSettings, "ISSUANCE_", environ)
    app = create_issuance_app(settings)
    database = issuance_database(environ)
    with database.writing() as connection:
        store_profile.claim(connection, settings.profile)
    database.close()
    return app


def _approval_terms(settings: IssuanceSettings) -> ApprovalTerms:
    if settings.profile == store_profile.PRODUCTION and settings.search_key_dir is None:
        raise ConfigurationFault("ISSUANCE_SEARCH_KEY_DIR: only a demonstration goes without a search")
    key = load_key(settings.approval_key_file) if settings.approval_key_file else None
    return ApprovalTerms(key, are_searched=settings.search_key_dir is not None)
