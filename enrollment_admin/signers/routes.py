"""Whose keys may sign packets: kits and officers are registered, and an officer's keys revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec
from flask import Blueprint, flash, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.intake import kits_client
from enrollment_admin.intake.routes import revocation_page
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, typed, wants_json
from verification.errors import FieldsRefused
from verification.messages.approval_list import OFFICE
from verification.messages.national_time import VIETNAM
from verification.messages.packet_intake import KitRegistration, SignerRegistration
from verification.messages.signing_key import public_key_of, thumbprint

KINDS = ("officer", "kit")
"""Whose a further key may be."""

REVOCABLE = ("officer", "office")
"""Whose keys are revoked here; a kit has a page of its own."""

Said = TypeVar("Said", KitRegistration, SignerRegistration)


def signers_blueprint(backend: BackendClient) -> Blueprint:
    """/packet-signers, for supervisors."""
    blueprint = Blueprint("signers", __name__, url_prefix="/packet-signers")

    @blueprint.get("")
    def signers() -> ResponseReturnValue:
        if "supervisor" not in session["officer"]["roles"]:
            raise BackendRefused(403, "OFFICER_ROLE_MISSING", {})
        return _signers_page({})

    @blueprint.post("/kits")
    def register_kit() -> ResponseReturnValue:
        return _register(
            _kit, lambda kit: kits_client.register_kit(officers_backend(backend), kit), "done.kit_made"
        )

    @blueprint.post("")
    def register_signer() -> ResponseReturnValue:
        return _register(
            _signer,
            lambda signer: kits_client.register_signer(officers_backend(backend), signer),
            "done.signer_made",
        )

    @blueprint.post("/revocation")
    def revoke() -> ResponseReturnValue:
        kind = typed("kind") or REVOCABLE[0]
        owner = OFFICE if kind == "office" else typed("owner")
        return revocation_page(backend, kind, owner, url_for("signers.signers"), _signers_page)

    return blueprint


def _register(said: Callable[[], Said], act: Callable[[Said], None], done: str) -> ResponseReturnValue:
    """Register a key, and show its fingerprint: whoever pasted it compares it with the owner's screen."""

    def asked() -> None:
        try:
            registration = said()
            act(registration)
        except FieldsRefused as fault:
            raise BackendRefused(422, fault.code, dict(fault.fields)) from None
        if not wants_json():
            flash(thumbprint(public_key_of(registration.jwk)), "key")

    return outcome_of(asked, target=url_for("intake.kits"), done=done, again=_signers_page)


def _kit() -> KitRegistration:
    return KitRegistration(
        kit=typed("owner"), jwk=_key(), unit=typed("unit") or None, valid_until=_last_moment()
    )


def _signer() -> SignerRegistration:
    return SignerRegistration(
        kind=typed("kind"), owner=typed("owner"), jwk=_key(), valid_until=_last_moment()
    )


def _key() -> dict[str, str]:
    """The public key as the kit shows it; raises FieldsRefused."""
    try:
        key = msgspec.json.decode(typed("jwk"), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeError):
        code = "FIELD_CHARACTERS" if typed("jwk") else "FIELD_MISSING"
        raise FieldsRefused({"jwk": code}) from None
    if "d" in key:
        # A private key is neither sent on nor shown again.
        raise FieldsRefused({"jwk": "FIELD_CHARACTERS"})
    return key


def _last_moment() -> str | None:
    """The end of the last day, here; raises FieldsRefused."""
    text = typed("valid_until")
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise FieldsRefused({"valid_until": "FIELD_DATE"}) from None
    return day.replace(hour=23, minute=59, second=59, tzinfo=VIETNAM).isoformat()


def _signers_page(faults: dict[str, str]) -> ResponseReturnValue:
    """The forms; a fault stands in the one that was sent, and what was typed there stays."""
    kept = {name: value for name, value in request.form.items() if name != "jwk" or '"d"' not in value}
    status = 422 if faults else 200
    return page(
        "signers.html",
        status,
        kinds=KINDS,
        revocable=REVOCABLE,
        step=request.endpoint,
        faults=faults,
        typed=kept,
    )
