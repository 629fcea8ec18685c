"""Who is certified to capture: what ends soon, and for supervisors the forms that certify and withdraw."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, shown_outcome, typed
from verification.messages.national_time import VIETNAM
from verification.messages.officer_certificates import (
    CertificateGrant,
    CertificatesWithdrawn,
    CertificateWithdrawal,
    OfficerCertificate,
)

LEVELS = ("capture", "approval", "trainee")
_CERTIFICATES = "/v1/officer-certificates"


def certificates_blueprint(backend: BackendClient) -> Blueprint:
    """/officer-certificates."""
    blueprint = Blueprint("certificates", __name__, url_prefix="/officer-certificates")

    @blueprint.get("")
    def ending() -> ResponseReturnValue:
        return _ending_page(backend, {})

    @blueprint.post("")
    def certify() -> ResponseReturnValue:
        names = ("officer", "level", "valid_from", "valid_until", "issuer")
        asked = CertificateGrant(**{name: typed(name) for name in names})
        return outcome_of(
            lambda: officers_backend(backend).ask("POST", _CERTIFICATES, OfficerCertificate, asked),
            target=url_for("certificates.ending"),
            done="done.certified",
            again=lambda faults: _ending_page(backend, faults),
            status=201,
        )

    @blueprint.post("/withdrawal")
    def withdraw() -> ResponseReturnValue:
        whose, back = typed("officer"), url_for("certificates.ending")
        path = f"{_CERTIFICATES}/{quote(whose or '-', safe='')}/withdrawal"
        asked = CertificateWithdrawal(since=_moment(typed("since")), case_id=typed("case_id"))
        return shown_outcome(
            lambda: officers_backend(backend).ask("POST", path, CertificatesWithdrawn, asked),
            target=back,
            again=lambda faults: _ending_page(backend, faults),
            shown=lambda found: page("withdrawn.html", found=found, said=asked, whose=whose, back=back),
        )

    return blueprint


def _moment(text: str) -> str:
    """What a field for a local day and time carries, with the zone that officers live in; else as it is."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).isoformat()
    except ValueError:
        return text


def _ending_page(backend: BackendClient, faults: dict[str, str]) -> ResponseReturnValue:
    """The list and the forms; a fault stands in the one that was sent, and what was typed there stays."""
    cursor = request.args.get("cursor")
    found = officers_backend(backend).listed(_CERTIFICATES, {}, cursor, OfficerCertificate)
    return page(
        "certificates.html",
        422 if faults else 200,
        certificates=found.entries,
        following=found.cursor and url_for("certificates.ending", cursor=found.cursor),
        is_supervisor="supervisor" in session["officer"]["roles"],
        levels=LEVELS,
        step=request.endpoint,
        faults=faults,
        typed=request.form,
    )
