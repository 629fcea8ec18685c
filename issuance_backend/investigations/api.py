"""POST /v1/investigation-pictures, for officers with a warrant."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.investigations.service import PictureSearchDesk
from issuance_backend.officers.api import acting_officer
from verification.messages.biometric_search import InvestigationPictures


def investigation_pictures_blueprint(desk: PictureSearchDesk) -> Blueprint:
    """A search by warrant that begins with pictures; it is read and released as any other."""
    blueprint = Blueprint("investigation_pictures", __name__, url_prefix="/v1/investigation-pictures")

    @blueprint.post("")
    def investigate() -> ResponseReturnValue:
        return answer(desk.investigate(acting_officer(), read_body(InvestigationPictures)), 202)

    return blueprint
