"""Notices of rejection over HTTP, for officers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.notices.service import NoticeDesk
from issuance_backend.http_body import answer
from issuance_backend.officers.api import acting_officer
from issuance_backend.officers.domain import Officer
from verification.messages.enrollment import DossierView

View = Callable[[Officer, str], DossierView]
"""A dossier as an officer sees it."""


def notices_blueprint(desk: NoticeDesk, view: View) -> Blueprint:
    """/v1/dossiers/{id}/rejection-notice: made, shown, handed over."""
    blueprint = Blueprint("rejection_notices", __name__, url_prefix="/v1/dossiers/<dossier>")

    @blueprint.get("/rejection-notice.pdf")
    def notice(dossier: str) -> ResponseReturnValue:
        response = Response(desk.notice(acting_officer(), dossier), content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="notice-{dossier}.pdf"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.post("/rejection-notice/handover")
    def hand_over(dossier: str) -> ResponseReturnValue:
        desk.hand_over(acting_officer(), dossier)
        return answer(view(acting_officer(), dossier))

    return blueprint
