"""Where the parts of the enrolment pages are put together."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from enrollment_admin.accounts.routes import accounts_blueprint
from enrollment_admin.adjudication.routes import adjudication_blueprint, examiners_blueprint
from enrollment_admin.approval_lists.routes import approval_lists_blueprint
from enrollment_admin.backend_client import BackendClient
from enrollment_admin.certificates.routes import certificates_blueprint
from enrollment_admin.citizen_access.routes import complaints_blueprint, own_record_blueprint
from enrollment_admin.counter.routes import counter_blueprint, counter_steps_blueprint
from enrollment_admin.counter_prints.routes import counter_prints_blueprint
from enrollment_admin.dc01_forms.routes import batches_blueprint as dc01_batches_blueprint
from enrollment_admin.dc01_forms.routes import corrections_blueprint as dc01_corrections_blueprint
from enrollment_admin.dc01_forms.routes import differences_blueprint as dc01_differences_blueprint
from enrollment_admin.dc01_forms.routes import forms_blueprint as dc01_forms_blueprint
from enrollment_admin.dc01_forms.routes import keyings_blueprint as dc01_keyings_blueprint
from enrollment_admin.dc01_forms.routes import people_blueprint as dc01_people_blueprint
from enrollment_admin.dc01_forms.routes import scans_blueprint as dc01_scans_blueprint
from enrollment_admin.decisions.routes import decisions_blueprint, legal_blueprint, lookups_blueprint
from enrollment_admin.delivery.routes import delivery_blueprint, suspensions_blueprint
from enrollment_admin.forms.routes import forms_blueprint
from enrollment_admin.intake.routes import intake_blueprint
from enrollment_admin.investigations.routes import investigations_blueprint
from enrollment_admin.life_events.routes import life_events_blueprint
from enrollment_admin.planner.routes import planner_blueprint
from enrollment_admin.production.routes import production_blueprint
from enrollment_admin.public_status.routes import IN_ALL, PER_ADDRESS, public_status_blueprint
from enrollment_admin.registry_desk.routes import indices_blueprint as registry_indices_blueprint
from enrollment_admin.registry_desk.routes import publications_blueprint as registry_publications_blueprint
from enrollment_admin.registry_merges.routes import merges_blueprint as registry_merges_blueprint
from enrollment_admin.registry_people.routes import people_blueprint as registry_people_blueprint
from enrollment_admin.reports.routes import reports_blueprint
from enrollment_admin.review.routes import review_blueprint
from enrollment_admin.settings import AdminSettings
from enrollment_admin.shipping.routes import shipping_blueprint
from enrollment_admin.sign_in.routes import officers_backend, require_officer, sign_in_blueprint
from enrollment_admin.signers.routes import signers_blueprint
from enrollment_admin.station.routes import station_blueprint
from enrollment_admin.stock.routes import stock_blueprint
from enrollment_admin.targets.routes import targets_blueprint
from enrollment_admin.ui.pages import error_page, http_error_page, prepare, unexpected_error_page
from enrollment_admin.ui.routes import language_blueprint
from enrollment_admin.ui.sessions import keep_sessions, require_form_token
from enrollment_admin.unit_names import UnitNames
from monitoring.call_limits import CallLimits
from monitoring.environment import read_secret, read_settings
from monitoring.harness import instrument, mount, public
from verification.errors import VerificationError

PAGES = (
    station_blueprint,
    counter_blueprint,
    counter_prints_blueprint,
    counter_steps_blueprint,
    review_blueprint,
    decisions_blueprint,
    lookups_blueprint,
    legal_blueprint,
    approval_lists_blueprint,
    production_blueprint,
    delivery_blueprint,
    suspensions_blueprint,
    accounts_blueprint,
    shipping_blueprint,
    stock_blueprint,
    own_record_blueprint,
    complaints_blueprint,
    intake_blueprint,
    signers_blueprint,
    certificates_blueprint,
    forms_blueprint,
    adjudication_blueprint,
    examiners_blueprint,
    investigations_blueprint,
    dc01_forms_blueprint,
    dc01_people_blueprint,
    dc01_scans_blueprint,
    dc01_keyings_blueprint,
    dc01_differences_blueprint,
    dc01_corrections_blueprint,
    dc01_batches_blueprint,
    registry_indices_blueprint,
    registry_publications_blueprint,
    registry_merges_blueprint,
    registry_people_blueprint,
    life_events_blueprint,
    reports_blueprint,
    targets_blueprint,
    planner_blueprint,
)


def create_app(settings: AdminSettings) -> Flask:
    """The enrolment pages over one issuance backend."""
    app = Flask(__name__, static_folder="ui/static", template_folder="ui/templates")
    keep_sessions(app, "enrolment", read_secret(settings.secret_key_file))
    backend = BackendClient(settings.backend_url)
    instrument(app, "admin", ready=lambda: {"backend": backend.answers()})
    app.register_error_handler(VerificationError, error_page)
    app.register_error_handler(HTTPException, http_error_page)
    app.register_error_handler(Exception, unexpected_error_page)
    prepare(app)
    app.template_filter("unit_name")(UnitNames(lambda: officers_backend(backend)).name)
    mount(app, language_blueprint(), guard=require_form_token)
    mount(app, sign_in_blueprint(backend), guard=require_form_token)
    for blueprint in PAGES:
        mount(app, blueprint(backend), guard=require_officer)
    if settings.status_token_file is not None:
        asking = backend.with_token(read_secret(settings.status_token_file))
        mount(app, public_status_blueprint(asking), guard=public(CallLimits(PER_ADDRESS, IN_ALL)))
    if settings.proxies:
        told = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
        app.wsgi_app = told  # type: ignore[method-assign]
    return app


def application_from(environ: Mapping[str, str]) -> Flask:
    """The pages as ``ADMIN_*`` sets them."""
    return create_app(read_settings(AdminSettings, "ADMIN_", environ))
