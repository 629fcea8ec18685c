"""Where the parts of the enrolment pages are put together."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException

from enrollment_admin.adjudication.routes import adjudication_blueprint, examiners_blueprint
from enrollment_admin.backend_client import BackendClient
from enrollment_admin.decisions.routes import decisions_blueprint, legal_blueprint, lookups_blueprint
from enrollment_admin.delivery.routes import delivery_blueprint, suspensions_blueprint
from enrollment_admin.forms.routes import forms_blueprint
from enrollment_admin.intake.routes import intake_blueprint
from enrollment_admin.planner.routes import planner_blueprint
from enrollment_admin.production.routes import production_blueprint
from enrollment_admin.reports.routes import reports_blueprint
from enrollment_admin.review.routes import review_blueprint
from enrollment_admin.settings import AdminSettings
from enrollment_admin.shipping.routes import shipping_blueprint
from enrollment_admin.sign_in.routes import require_form_token, require_officer, sign_in_blueprint
from enrollment_admin.signers.routes import signers_blueprint
from enrollment_admin.station.routes import station_blueprint
from enrollment_admin.stock.routes import stock_blueprint
from enrollment_admin.ui.pages import error_page, http_error_page, prepare
from enrollment_admin.ui.routes import language_blueprint
from monitoring.environment import read_secret, read_settings
from monitoring.harness import instrument, mount
from verification.errors import VerificationError

PAGES = (
    station_blueprint,
    review_blueprint,
    decisions_blueprint,
    lookups_blueprint,
    legal_blueprint,
    production_blueprint,
    delivery_blueprint,
    suspensions_blueprint,
    shipping_blueprint,
    stock_blueprint,
    intake_blueprint,
    signers_blueprint,
    forms_blueprint,
    adjudication_blueprint,
    examiners_blueprint,
    reports_blueprint,
    planner_blueprint,
)
MAX_FORM_BYTES = 14 * 1024 * 1024
"""A picture that is too large by half must arrive whole, to be refused beside its field."""


class LoopbackAwareSessions(SecureCookieSessionInterface):
    """Session cookies go over TLS only, except to the machine that the pages run on."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the cookie is marked Secure."""
        del app
        return request.host.partition(":")[0] not in {"127.0.0.1", "localhost"}


def create_app(settings: AdminSettings) -> Flask:
    """The enrolment pages over one issuance backend."""
    app = Flask(__name__, static_folder="ui/static", template_folder="ui/templates")
    app.secret_key = read_secret(settings.secret_key_file)
    app.session_interface = LoopbackAwareSessions()
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        SESSION_COOKIE_NAME="enrolment",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )
    backend = BackendClient(settings.backend_url)
    instrument(app, "admin", ready=lambda: {"backend": backend.answers()})
    app.register_error_handler(VerificationError, error_page)
    app.register_error_handler(HTTPException, http_error_page)
    prepare(app)
    mount(app, language_blueprint(), guard=require_form_token)
    mount(app, sign_in_blueprint(backend), guard=require_form_token)
    for blueprint in PAGES:
        mount(app, blueprint(backend), guard=require_officer)
    return app


def application_from(environ: Mapping[str, str]) -> Flask:
    """The pages as ``ADMIN_*`` sets them."""
    return create_app(read_settings(AdminSettings, "ADMIN_", environ))
