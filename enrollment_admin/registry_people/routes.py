"""A person's record as a registrar sees it, with the identities that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, page, refused, typed, wants_json
from verification.messages.registry_records import IdentityJudged, PersonHistory, RecordedIdentity

DECISIONS: Mapping[str, tuple[str, ...]] = {
    "claimed": ("validate", "invalidate"),
    "valid": ("refer", "invalidate", "revoke"),
    "invalid": ("reopen",),
    "revoked": (),
}
"""What may be decided of an identity in each of its states."""


def people_blueprint(backend: BackendClient) -> Blueprint:
    """/registry/people: one person's record, and what is decided of each identity."""
    blueprint = Blueprint("registry_people", __name__, url_prefix="/registry/people")

    @blueprint.get("")
    def shown() -> ResponseReturnValue:
        return _record_page(backend, request.args.get("citizen_number", "").strip())

    @blueprint.post("/identities/<identity>")
    def decide(identity: str) -> ResponseReturnValue:
        said, number = IdentityJudged(typed("decision")), typed("citizen_number")
        path = f"/v1/registry-identities/{quote(identity, safe='')}/decision"
        target = url_for("registry_people.shown", citizen_number=number)
        try:
            made = officers_backend(backend).ask("POST", path, RecordedIdentity, said)
        except BackendRefused as refusal:
            return refused(refusal, target)
        return answer(made, target, "done.identity_decided")

    return blueprint


def _record_page(backend: BackendClient, number: str) -> ResponseReturnValue:
    record, status, code = None, 200, None
    if number:
        path = f"/v1/registry-people/{quote(number, safe='')}"
        try:
            record = officers_backend(backend).ask("GET", path, PersonHistory)
        except BackendRefused as refusal:
            if refusal.answered_code != "REGISTRY_PERSON_UNKNOWN" or wants_json():
                raise
            status, code = refusal.status, refusal.answered_code
    return page(
        "registry_person.html", status, record=record, number=number, fault_code=code, decisions=DECISIONS
    )
