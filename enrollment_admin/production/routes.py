"""Making a card again after quality control stopped one."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, refused


def production_blueprint(backend: BackendClient) -> Blueprint:
    """POST /dossiers/{id}/production."""
    blueprint = Blueprint("production", __name__)

    @blueprint.post("/dossiers/<dossier>/production")
    def produce(dossier: str) -> ResponseReturnValue:
        target = url_for("review.dossier", dossier=dossier)
        try:
            view = officers_backend(backend).decide(dossier, "production")
        except BackendRefused as fault:
            return refused(fault, target)
        return answer(view, target, "done.produced")

    return blueprint
