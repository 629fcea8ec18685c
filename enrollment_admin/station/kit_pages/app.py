"""Where the kit's pages are put together: one kit on one machine, for its officers, on loopback only."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask, request
from werkzeug.exceptions import BadRequest, HTTPException

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.desks import Desks
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_pages.carriers import Carriers, carriers_blueprint
from enrollment_admin.station.kit_pages.door import door_blueprint, require_signed_in
from enrollment_admin.station.kit_pages.drafts import drafts_blueprint
from enrollment_admin.station.kit_pages.sending import Sending
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.refused_packets import RefusedPackets
from enrollment_admin.station.returns import Returns
from enrollment_admin.ui.navigation import Entry
from enrollment_admin.ui.pages import STATION, error_page, http_error_page, prepare, unexpected_error_page
from enrollment_admin.ui.routes import language_blueprint
from enrollment_admin.ui.sessions import MAX_FORM_BYTES, keep_sessions, require_form_token
from monitoring.harness import instrument, mount
from verification.errors import VerificationError

HOST = "127.0.0.1"
HOSTS = frozenset({HOST, "localhost"})
"""Asked by any other name, somebody else's page may have led an officer's browser here."""

STICKS = Path("/media")
IDLE = timedelta(minutes=30)
"""An officer who went away is signed out."""

SERVER_THREADS = 4
ENTRIES = (
    Entry("station.drafts", "kit.list.title", frozenset({STATION})),
    Entry("carriers.outbox", "kit.outbox.title", frozenset({"carriers"})),
)

logger = logging.getLogger(__name__)


def create_kit_app(kit: Kit, centre: CentreClient | None, sticks: Path = STICKS) -> Flask:
    """The pages of one kit. The secret that signs its sessions dies with the program, and so do they."""
    app = Flask("enrollment_admin", static_folder="ui/static", template_folder="ui/templates")
    keep_sessions(app, "kit", secrets.token_bytes(32))
    app.permanent_session_lifetime = IDLE
    instrument(app, "kit", ready=lambda: {"store": kit.folder.is_dir()}, exports_metrics=False)
    app.register_error_handler(VerificationError, error_page)
    app.register_error_handler(HTTPException, http_error_page)
    app.register_error_handler(Exception, unexpected_error_page)
    app.before_request(_require_own_name)
    prepare(app, ENTRIES)
    outbox, returns = Outbox(kit), Returns(kit)
    sending = Sending(outbox, returns, centre)
    carriers = Carriers(kit, outbox, returns, RefusedPackets(kit), sending, centre, sticks)
    mount(app, language_blueprint(), guard=require_form_token)
    mount(app, door_blueprint(kit.officers), guard=require_form_token)
    mount(app, drafts_blueprint(Desks(kit)), guard=require_signed_in)
    mount(app, carriers_blueprint(carriers), guard=require_signed_in)
    return app


def _require_own_name() -> None:
    if request.host.partition(":")[0] not in HOSTS:
        raise BadRequest


def serve(app: Flask, port: int) -> None:
    """Run until ended. waitress, because kits run Windows too."""
    # The tests' client needs no server.
    from waitress import serve as serve_forever  # type: ignore[import-untyped]  # noqa: PLC0415

    logger.info("kit open", extra={"port": port})
    serve_forever(
        app,
        host=HOST,
        port=port,
        threads=SERVER_THREADS,
        ident="",
        max_request_body_size=MAX_FORM_BYTES,
        clear_untrusted_proxy_headers=True,
    )
