"""The composition root: the only place that knows every part of the gateway."""

from __future__ import annotations

import secrets
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
from gateway.adapters.service_http import CredentialStatusHttp, RegistryHttp, ServiceHttp
from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_once_only import SqlOnceOnly
from gateway.adapters.sql_sessions import SqlSessions
from gateway.adapters.trust_folder import TrustFolder
from gateway.api.chip_sessions import chip_sessions_blueprint
from gateway.api.contract import contract_blueprint
from gateway.api.evidence import evidence_blueprint
from gateway.api.guards import agent_guard, caller_guard
from gateway.api.log import log_blueprint
from gateway.api.sessions import sessions_blueprint
from gateway.api.tokens import tokens_blueprint
from gateway.domain.refusals import TrustUnavailable
from gateway.errors import STATUS_OF
from gateway.ports import Clock, CredentialStatus, OnceOnly, PopulationRegistry, TrustSource
from gateway.services.access_control import AccessControl
from gateway.services.chip_session import ChipSessions
from gateway.services.verification_desk import DeskParts, VerificationDesk
from gateway.settings import GatewaySettings
from monitoring.database import Database
from monitoring.environment import read_secret, read_settings
from monitoring.harness import instrument, mount, open_to_all
from verification.messages.evidence import MAX_EVIDENCE_BYTES
from verification.messages.seal import Sealer, derive_key

REDIS_SECONDS = 0.25
"""A cache that needs longer than this is slower than doing without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The world outside the process, where a test puts its own; what is None is made from settings."""

    clock: Clock = lambda: datetime.now(UTC)
    registry: PopulationRegistry | None = None
    card_status: CredentialStatus | None = None
    trust: TrustSource | None = None


def settings_from(environ: Mapping[str, str]) -> GatewaySettings:
    """The settings of a process; raises ConfigurationFault with every fault at once."""
    return read_settings(GatewaySettings, "GATEWAY_", environ)


def create_app(settings: GatewaySettings, outside: Outside | None = None) -> Flask:
    """The WSGI program; the database must have been migrated. Raises ConfigurationFault."""
    outside = outside or Outside()
    app = Flask(__name__)
    database = Database(settings.database_url)
    log_key = load_signing_key(settings.log_key)
    secret = load_seal_secret(settings.seal_key)
    log = SqlEvidenceLog(database, settings.origin, log_key)
    sessions = SqlSessions(database)
    directory = SqlDirectory(database)
    trust = outside.trust or TrustFolder(settings.trust_dir, outside.clock)
    chip_sessions = ChipSessions(
        sessions,
        Sealer((secret,), "chip-session", secrets.token_bytes),
        outside.clock,
        secrets.token_bytes,
    )
    access = AccessControl(
        directory,
        _once_only(settings, database, outside.clock),
        SlidingQuota(settings.requests_per_minute, settings.workers, settings.redis_url),
        outside.clock,
        Sealer((secret,), "access-token", secrets.token_bytes),
    )
    registry, card_status = _services(settings, outside)
    desk = VerificationDesk(
        DeskParts(
            sessions=sessions,
            directory=directory,
            log=log,
            registry=registry,
            card_status=card_status,
            trust=trust,
            chip_sessions=chip_sessions,
            executor=ThreadPoolExecutor(max_workers=2 * settings.threads, thread_name_prefix="ask"),
            clock=outside.clock,
            random=secrets.token_bytes,
            subject_key=derive_key(secret, "subject"),
            references=Sealer((secret,), "partner-reference", secrets.token_bytes),
            lifetime=timedelta(seconds=settings.session_seconds),
            # Connecting and answering each have their own limit; a queue before them is in this one.
            patience=2 * settings.service_seconds,
        )
    )
    base = settings.base_url
    instrument(app, "gateway", ready=_readiness(log, trust), statuses=STATUS_OF)
    mount(app, sessions_blueprint(desk), guard=caller_guard(access, base))
    mount(app, chip_sessions_blueprint(chip_sessions), guard=agent_guard(access, base))
    mount(app, evidence_blueprint(desk), guard=agent_guard(access, base, MAX_EVIDENCE_BYTES))
    tokens = tokens_blueprint(access, base, timedelta(seconds=settings.token_seconds))
    mount(app, tokens, guard=open_to_all)
    mount(app, log_blueprint(log, log_key.public_key()), guard=open_to_all)
    mount(app, contract_blueprint(), guard=open_to_all)
    return app


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
