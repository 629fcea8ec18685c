"""Where the agent's parts are put together; nothing else knows them all."""

from __future__ import annotations

import gc
import logging
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flask import Flask, Response

from monitoring.environment import ConfigurationFault, read_settings
from monitoring.harness import instrument, mount
from reader_agent.api.guards import LocalGuard
from reader_agent.api.pictures import pictures_blueprint
from reader_agent.api.sessions import sessions_blueprint
from reader_agent.api.status import CounterStatus, status_blueprint
from reader_agent.attached_reader import AttachedReader
from reader_agent.cameras.choose import choose_camera
from reader_agent.device_key import load_device_key
from reader_agent.face_supply import FaceSupply
from reader_agent.gateway_client import GatewayClient, Signatory
from reader_agent.ports import Camera, CardReader, FaceMatcher, ListedStanding
from reader_agent.refusals import (
    AgentClientMissing,
    ConsentMissing,
    CounterBusy,
    CounterSessionUnknown,
    ManualFaceNotExpected,
)
from reader_agent.session.counter_session import CounterSession, Portrait
from reader_agent.session.desk import CounterDesk
from reader_agent.session.visit import CounterParts, Visit
from reader_agent.settings import AgentSettings
from reader_agent.transports.open_reader import open_reader
from reader_agent.trust_folder import TrustFolder
from reader_agent.ui.routes import PageSettings, page_blueprint
from reader_agent.version import AGENT_VERSION, API_LEVEL
from verification.errors import AccessSecretMalformed, RequestMalformed, VerificationError
from verification.lds.files import LdsFile

SERVER_THREADS = 6
MAX_BUFFERED_BODY_BYTES = 1_048_576
"""Three may hold event streams; the others answer at once."""

MAX_BODY_BYTES = 16_384
"""No order and no comparison by eye is longer."""

STATUSES: dict[type[VerificationError], int] = {
    RequestMalformed: 400,
    AccessSecretMalformed: 422,
    AgentClientMissing: 400,
    ConsentMissing: 422,
    CounterBusy: 409,
    CounterSessionUnknown: 404,
    ManualFaceNotExpected: 409,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Agent:
    """The web application and the parts that its caller also needs."""

    app: Flask
    desk: CounterDesk
    reader: CardReader


def utc_now() -> datetime:
    """The one clock of the agent."""
    return datetime.now(UTC)


def settings_from(environ: Mapping[str, str]) -> AgentSettings:
    """The settings in ``AGENT_*`` variables; raises ConfigurationFault."""
    return read_settings(AgentSettings, "AGENT_", environ)


def make_parts(settings: AgentSettings) -> CounterParts:
    """Adapters as the settings say; raises ConfigurationFault."""
    try:
        camera: Camera = choose_camera(settings.camera)
    except ValueError as fault:
        raise ConfigurationFault(f"AGENT_CAMERA: {fault}") from None
    if not settings.trust_dir.is_dir():
        raise ConfigurationFault("AGENT_TRUST_DIR: is not a folder")
    return CounterParts(
        agent_id=settings.id,
        reader=AttachedReader(settings.reader, open_reader),
        gateway=gateway_client(settings, seconds=settings.gateway_seconds),
        trust=TrustFolder(settings.trust_dir).store,
        camera=camera,
        faces=FaceSupply(partial(load_matcher, settings.model_dir)),
        clock=utc_now,
        random=secrets.token_bytes,
        card_wait_seconds=settings.card_wait_seconds,
        offline_standing=partial(offline_standing, settings),
    )


def gateway_client(settings: AgentSettings, *, seconds: float) -> GatewayClient:
    """The way to the gateway, signing as this counter; raises ConfigurationFault."""
    signatory = Signatory(settings.id, load_device_key(settings.device_key), utc_now, secrets.token_bytes)
    return GatewayClient(settings.gateway_url, signatory, seconds=seconds)


def offline_standing(settings: AgentSettings, files: Mapping[LdsFile, bytes]) -> ListedStanding | None:
    """What this counter's own list says of a card; None where there is none, or only one too old."""
    if settings.status_list is None:
        return None
    # Only a visit without the gateway needs it.
    from reader_agent.offline_status import listed_standing  # noqa: PLC0415

    found = listed_standing(settings.status_list, settings.trust_dir, files, utc_now())
    if found is None or found.is_listed:
        return found
    return found if found.age_seconds <= settings.status_list_hours * 3_600 else None


def load_matcher(model_dir: Path | None) -> FaceMatcher | None:
    """The face engine of this machine; None where no models are installed."""
    if model_dir is None:
        return None
    # numpy, OpenCV and onnxruntime cost 100 MB: not before the first face.
    from reader_agent.engine_matcher import load_engine_matcher  # noqa: PLC0415

    return load_engine_matcher(model_dir)


def portrait_jpeg(portrait: Portrait) -> bytes:
    """A chip's portrait as every browser shows it; raises ImageUndecodable."""
    if portrait.media_type == "image/jpeg":
        return portrait.image
    # The JPEG 2000 decoder comes with OpenCV: not before the first face.
    from reader_agent.engine_matcher import jpeg_from_portrait  # noqa: PLC0415

    return jpeg_from_portrait(portrait.image)


def create_agent(settings: AgentSettings, parts: CounterParts | None = None) -> Agent:
    """The agent of one counter; ``parts`` stand in for the adapters in tests."""
    used = parts or make_parts(settings)
    desk = CounterDesk(partial(_visit, used), session_seconds=settings.session_seconds)
    guard = LocalGuard(settings.port)
    app = _web_program(used, guard)
    mount(app, status_blueprint(partial(counter_status, used, desk)), guard=guard.require_local)
    mount(app, sessions_blueprint(desk), guard=guard.require_client)
    mount(app, pictures_blueprint(desk, portrait_jpeg), guard=guard.require_local)
    page = PageSettings(purposes=settings.purpose_list, language=settings.language)
    mount(app, page_blueprint(page), guard=guard.require_local)
    return Agent(app, desk, used.reader)


def _web_program(parts: CounterParts, guard: LocalGuard) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    instrument(
        app,
        "reader_agent",
        ready=lambda: {"trust": bool(parts.trust().authorities)},
        statuses=STATUSES,
        # A counter is one of thousands: nobody collects its metrics, and their library takes memory.
        exports_metrics=False,
        # A page asks several times a second, all day.
        logs_reading=False,
    )
    # Not only the blueprints: a foreign page may not even learn which addresses there are.
    app.before_request(guard.require_local)
    app.after_request(_keep_out_of_caches)
    return app


def _keep_out_of_caches(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def counter_status(parts: CounterParts, desk: CounterDesk) -> CounterStatus:
    """Reader, card, engine and camera as they are now; a running visit is not disturbed."""
    reader: str | None = None
    present, fault = desk.holds_reader, None
    if not desk.holds_reader:
        try:
            reader = parts.reader.name
            present = parts.reader.wait_for_card(0)
        except VerificationError as error:
            fault = error.code
    return CounterStatus(
        api_level=API_LEVEL,
        version=AGENT_VERSION,
        reader=reader,
        card_present=present,
        busy=desk.is_busy,
        engine=parts.faces.state,
        camera=parts.camera.name,
        fault=fault,
    )


def serve(settings: AgentSettings) -> None:
    """Run until ended. waitress, because counters run Windows too."""
    # The tests' client needs no server.
    from waitress import serve as serve_forever  # type: ignore[import-untyped]  # noqa: PLC0415

    agent = create_agent(settings)
    threading.excepthook = _log_thread_fault
    with suppress(VerificationError):
        # A virtual reader listens from here on; a real one is looked for again at every customer.
        agent.reader.wait_for_card(0)
    logger.info("counter open", extra={"port": settings.port, "version": AGENT_VERSION})
    gc.collect()  # what importing left behind: 0.1 MB, all day long
    serve_forever(
        agent.app,
        host=settings.host.strip("[]"),
        port=settings.port,
        threads=SERVER_THREADS,
        ident="",
        channel_timeout=30,
        # Ours are refused above 16 kB with a sentence; this bounds what is taken in before that.
        max_request_body_size=MAX_BUFFERED_BODY_BYTES,
        clear_untrusted_proxy_headers=True,
    )


def _visit(parts: CounterParts, session: CounterSession) -> None:
    Visit(session, parts).run()


def _log_thread_fault(arguments: threading.ExceptHookArgs) -> None:
    """Type and place only: the text of an exception may quote a document."""
    if arguments.exc_value is not None:
        logger.error(
            "unexpected error in a thread",
            exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback),
        )
