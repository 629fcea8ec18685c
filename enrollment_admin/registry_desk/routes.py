"""The population registry for its officers: how good the data of a unit are."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.registry_desk import drawing, indices_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import page, wants_json

_BESIDE = {"UNIT_UNKNOWN": "area", "REGISTRY_AREA_ELSEWHERE": "area"}
"""Refusals of what was typed, and the field they stand beside."""


def indices_blueprint(backend: BackendClient) -> Blueprint:
    """/registry/indices: đúng, đủ, sạch, sống of a unit on a day, and the forms that fail one."""
    blueprint = Blueprint("registry_indices", __name__, url_prefix="/registry/indices")

    @blueprint.get("")
    def shown() -> ResponseReturnValue:
        return _indices_page(backend)

    @blueprint.get("/<index>")
    def failing(index: str) -> ResponseReturnValue:
        asked = _asked()
        found = indices_client.failing(officers_backend(backend), index, asked, request.args.get("cursor"))
        return page(
            "registry_failing.html",
            index=index,
            forms=found.entries,
            asked=asked,
            following=found.cursor
            and url_for("registry_indices.failing", index=index, **asked, cursor=found.cursor),
        )

    return blueprint


def _indices_page(backend: BackendClient) -> ResponseReturnValue:
    asked, status, faults = _asked(), 200, {}
    try:
        units = drawing.by_unit(indices_client.indices(officers_backend(backend), asked))
    except BackendRefused as refusal:
        code = refusal.answered_code
        faults = refusal.fields or {_BESIDE.get(code, ""): code}
        if wants_json() or "" in faults:
            raise
        status, units = refusal.status, {}
    first = next(iter(units), None)
    return page(
        "registry_indices.html",
        status,
        unit=first,
        indices=units.pop(first) if first is not None else (),
        below=units,
        asked=asked,
        faults=faults,
    )


def _asked() -> dict[str, str]:
    """The unit and the day that this page is about, without what is left empty."""
    return {name: text for name in ("area", "on") if (text := request.args.get(name, "").strip())}
