"""The printed forms of a dossier, as they were on its own day."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient, FileAnswer
from enrollment_admin.sign_in.routes import officers_backend
from verification.messages.forms import FormEdition, FormException


def forms_blueprint(backend: BackendClient) -> Blueprint:
    """/dossiers/{id}/forms."""
    blueprint = Blueprint("printed_forms", __name__)

    @blueprint.get("/dossiers/<dossier>/forms/<code>.pdf")
    def printed(dossier: str, code: str) -> ResponseReturnValue:
        return file_response(officers_backend(backend).file(f"{_forms(dossier)}/{quote(code, safe='')}.pdf"))

    return blueprint


def file_response(file: FileAnswer) -> Response:
    """A paper as the backend sends it."""
    response = Response(file.content, content_type=file.content_type)
    response.headers["Content-Disposition"] = file.disposition
    return response


def exceptions_today(backend: BackendClient) -> list[FormException]:
    """The reasons for which a form of today lets an item be left out."""
    forms = backend.ask("GET", "/v1/forms", list[FormEdition])
    known = {stated.code: stated for form in forms if form.use == "dossier" for stated in form.exceptions}
    return list(known.values())


def forms_of(backend: BackendClient, dossier: str) -> list[FormEdition]:
    """The editions that were used when a dossier was captured."""
    return backend.ask("GET", _forms(dossier), list[FormEdition])


def _forms(dossier: str) -> str:
    return f"/v1/dossiers/{quote(dossier, safe='')}/forms"
