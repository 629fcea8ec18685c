"""Forms over HTTP, for officers."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.forms.service import PaperDesk
from issuance_backend.http_body import answer
from issuance_backend.officers.api import acting_officer
from verification.errors import FieldsRefused


def forms_blueprint(desk: PaperDesk) -> Blueprint:
    """/v1/forms, and /v1/dossiers/{id}/forms."""
    blueprint = Blueprint("printed_forms", __name__, url_prefix="/v1")

    @blueprint.get("/forms")
    def in_force() -> ResponseReturnValue:
        return answer(desk.in_force(_day()))

    @blueprint.get("/forms/<code>")
    def edition(code: str) -> ResponseReturnValue:
        return answer(desk.edition(code, _day()))

    @blueprint.get("/dossiers/<dossier>/forms")
    def of_dossier(dossier: str) -> ResponseReturnValue:
        return answer(desk.of_dossier(acting_officer(), dossier))

    @blueprint.get("/dossiers/<dossier>/forms/<code>.pdf")
    def printed(dossier: str, code: str) -> ResponseReturnValue:
        form = desk.printed(acting_officer(), dossier, code)
        response = Response(form.content, content_type="application/pdf")
        name = f"{form.edition.code}-{form.edition.edition}-{dossier}.pdf"
        response.headers["Content-Disposition"] = f'inline; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def _day() -> date | None:
    """The day that the request asks for; raises FieldsRefused."""
    asked = request.args.get("on")
    if asked is None:
        return None
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise FieldsRefused({"on": "FIELD_DATE"}) from None
