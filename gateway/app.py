"""The composition root: the only place that knows every part of the gateway."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from gateway.adapters.evidence_log import SqlEvidenceLog
from gateway.adapters.key_files import load_seal_secret, load_signing_key
from gateway.adapters.quota import SlidingQuota
from gateway.adapters.redis_once_only import RedisOnceOnly
from gateway.adapters.service_http import (
    CardEventsHttp,
    CredentialStatusHttp,
    RegistryHttp,
    ServiceHttp,
)
from gateway.adapters.sql_call_figures import SqlCallFigures
from gateway.adapters.sql_card_states import SqlCardStates
from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_once_only import SqlOnceOnly
from gateway.adapters.sql_sessions import SqlSessions
from gateway.adapters.sql_status_lists import SqlStatusLists
from gateway.adapters.trust_folder import TrustFolder
from gateway.api.chip_sessions import chip_sessions_blueprint
from gateway.api.contract import contract_blueprint
from gateway.api.evidence import evidence_blueprint
from gateway.api.figures import definitions, operator_figures_blueprint, partner_figures_blueprint
from gateway.api.guards import agent_guard, caller_guard, operator_guard, partner_guard
from gateway.api.log import log_blueprint
from gateway.api.sessions import sessions_blueprint
from gateway.api.status_lists import status_lists_blueprint
from gateway.api.tokens import tokens_blueprint
from gateway.domain.refusals import TrustUnavailable
from gateway.errors import STATUS_OF
from gateway.ports import (
    CardEvents,
    Clock,
    CredentialStatus,
    OnceOnly,
    PopulationRegistry,
    TrustSource,
)
from gateway.services.access_control import AccessControl
from gateway.services.call_figures import CallFiguresDesk
from gateway.services.card_follower import CardFollower
from gateway.services.card_status import CardStatusDesk
from gateway.services.chip_session import ChipSessions
from gateway.services.status_lists import StatusListMaker
from gateway.services.verification_desk import DeskParts, VerificationDesk
from gateway.settings import GatewaySettings
from monitoring.database import Database
from monitoring.environment import read_secret, read_settings
from monitoring.harness import instrument, mount, open_to_all
from verification.messages.evidence import MAX_EVIDENCE_BYTES
from verification.messages.seal import Sealer, derive_key
from verification.messages.signing_key import SigningKey

REDIS_SECONDS = 0.25
"""A cache that needs longer than this is slower than doing without it."""

INTERRUPTED_SECONDS = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world outside the process, where a test puts its own; what is None is made from settings."""

    clock: Clock = lambda: datetime.now(UTC)
    registry: PopulationRegistry | None = None
    card_status: CredentialStatus | None = None
    card_events: CardEvents | None = None
    trust: TrustSource | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """The WSGI program of one worker, and what the worker does beside answering."""

    app: Flask
    follower: CardFollower
    list_maker: StatusListMaker

    def begin_work(self) -> None:
        """Follow the issuer and make lists from here on, until the process ends."""
        never = threading.Event()
        for name, work in (("follow-cards", self.follower.run), ("make-lists", self.list_maker.run)):
            threading.Thread(target=keep_at, args=(work, never), name=name, daemon=True).start()


def keep_at(work: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Work until told to stop, also across a database that was away for a while."""
    while not stop.is_set():
        try:
            work(stop)
        except SQLAlchemyError as fault:
            logger.warning("work beside answering interrupted", extra={"fault": type(fault).__name__})
            stop.wait(INTERRUPTED_SECONDS)


def settings_from(environ: Mapping[str, str]) -> GatewaySettings:
    """The settings of a process; raises ConfigurationFault with every fault at once."""
    return read_settings(GatewaySettings, "GATEWAY_", environ)


def create_app(settings: GatewaySettings, outside: Outside | None = None) -> Flask:
    """The WSGI program; the database must have been migrated. Raises ConfigurationFault."""
    return create_gateway(settings, outside).app


def create_gateway(settings: GatewaySettings, outside: Outside | None = None) -> Gateway:
    """The WSGI program with the work beside it, not begun yet; raises ConfigurationFault."""
    outside = outside or Outside()
    store = _Store.opened(settings)
    trust = outside.trust or TrustFolder(settings.trust_dir, outside.clock)
    chip_sessions = ChipSessions(
        store.sessions, store.sealer("chip-session"), outside.clock, secrets.token_bytes
    )
    access = AccessControl(
        store.directory,
        _once_only(settings, store.database, outside.clock),
        SlidingQuota(settings.requests_per_minute, settings.workers, settings.redis_url),
        outside.clock,
        store.sealer("access-token"),
    )
    desk = _desk(settings, outside, store, trust, chip_sessions)
    app = Flask(__name__)
    instrument(app, "gateway", ready=_readiness(store.log, trust), statuses=STATUS_OF)
    base = settings.base_url
    mount(app, sessions_blueprint(desk), guard=caller_guard(access, base))
    mount(app, chip_sessions_blueprint(chip_sessions), guard=agent_guard(access, base))
    mount(app, evidence_blueprint(desk), guard=agent_guard(access, base, MAX_EVIDENCE_BYTES))
    mount(app, status_lists_blueprint(store.lists), guard=agent_guard(access, base))
    tokens = tokens_blueprint(access, base, timedelta(seconds=settings.token_seconds))
    mount(app, tokens, guard=open_to_all)
    mount(app, log_blueprint(store.log, store.log_key.public_key()), guard=open_to_all)
    mount(app, contract_blueprint(), guard=open_to_all)
    _mount_figures(app, settings, outside, store, access)
    return Gateway(app, _follower(settings, outside, store), _list_maker(settings, outside, store))


def _mount_figures(
    app: Flask, settings: GatewaySettings, outside: Outside, store: _Store, access: AccessControl
) -> None:
    desk = CallFiguresDesk(SqlCallFigures(store.database), outside.clock, definitions())
    secret = settings.operator_token_file
    mount(app, partner_figures_blueprint(desk), guard=partner_guard(access))
    operator = operator_guard(read_secret(secret) if secret else None)
    mount(app, operator_figures_blueprint(desk), guard=operator)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """What the gateway keeps, and its own keys."""

    database: Database
    log: SqlEvidenceLog
    log_key: SigningKey
    secret: bytes
    sessions: SqlSessions
    directory: SqlDirectory
    states: SqlCardStates
    lists: SqlStatusLists

    @classmethod
    def opened(cls, settings: GatewaySettings) -> _Store:
        database = Database(settings.database_url)
        log_key = load_signing_key(settings.log_key)
        return cls(
            database=database,
            log=SqlEvidenceLog(database, settings.origin, log_key),
            log_key=log_key,
            secret=load_seal_secret(settings.seal_key),
            sessions=SqlSessions(database),
            directory=SqlDirectory(database),
            states=SqlCardStates(database),
            lists=SqlStatusLists(database),
        )

    def sealer(self, use: str) -> Sealer:
        return Sealer((self.secret,), use, secrets.token_bytes)


def _desk(
    settings: GatewaySettings,
    outside: Outside,
    store: _Store,
    trust: TrustSource,
    chip_sessions: ChipSessions,
) -> VerificationDesk:
    registry, card_status = _services(settings, outside)
    return VerificationDesk(
        DeskParts(
            sessions=store.sessions,
            directory=store.directory,
            log=store.log,
            registry=registry,
            card_status=CardStatusDesk(store.states, card_status, outside.clock),
            trust=trust,
            chip_sessions=chip_sessions,
            executor=ThreadPoolExecutor(max_workers=2 * settings.threads, thread_name_prefix="ask"),
            clock=outside.clock,
            random=secrets.token_bytes,
            subject_key=derive_key(store.secret, "subject"),
            references=store.sealer("partner-reference"),
            lifetime=timedelta(seconds=settings.session_seconds),
            # Connecting and answering each have their own limit; a queue before them is in this one.
            patience=2 * settings.service_seconds,
        )
    )


def _follower(settings: GatewaySettings, outside: Outside, store: _Store) -> CardFollower:
    token = read_secret(settings.service_token_file)
    # The issuer answers "nothing" after a second: its time is that, and a service's usual patience.
    issuer = ServiceHttp(settings.credentials_url, token, 1 + settings.service_seconds)
    worker = f"{os.getpid()}-{secrets.token_hex(8)}"
    events = outside.card_events or CardEventsHttp(issuer)
    return CardFollower(events, store.states, outside.clock, worker)


def _list_maker(settings: GatewaySettings, outside: Outside, store: _Store) -> StatusListMaker:
    return StatusListMaker(
        store.states,
        store.lists,
        outside.clock,
        every=timedelta(seconds=settings.status_list_seconds),
        origin=settings.origin,
        key=store.log_key,
    )


def _once_only(settings: GatewaySettings, database: Database, clock: Clock) -> OnceOnly:
    authority = SqlOnceOnly(database, clock)
    if settings.redis_url is None:
        return authority
    client = redis.Redis.from_url(
        settings.redis_url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS
    )
    return RedisOnceOnly(client, authority, clock)


def _services(settings: GatewaySettings, outside: Outside) -> tuple[PopulationRegistry, CredentialStatus]:
    token = read_secret(settings.service_token_file)
    registry = ServiceHttp(settings.registry_url, token, settings.service_seconds)
    issuer = ServiceHttp(settings.credentials_url, token, settings.service_seconds)
    return outside.registry or RegistryHttp(registry), outside.card_status or CredentialStatusHttp(issuer)


def _readiness(log: SqlEvidenceLog, trust: TrustSource) -> Callable[[], Mapping[str, bool]]:
    """Without database or trust nothing can be answered; registries and Redis only degrade us."""

    def database_answers() -> bool:
        try:
            log.checkpoint()
        except SQLAlchemyError:
            return False
        return True

    def trust_is_loaded() -> bool:
        try:
            trust()
        except TrustUnavailable:
            return False
        return True

    return lambda: {"database": database_answers(), "trust": trust_is_loaded()}
