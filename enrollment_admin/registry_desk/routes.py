"""The population registry for its officers: how good the data of a unit are, and what is published."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.registry_desk import drawing, indices_client, publications_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, outcome_of, page, refused, typed, wants_json
from verification.messages.publication import PublicationView, PublicationWanted, ValuesSigned

ATTRIBUTES = (
    *("full_name", "date_of_birth", "sex", "nationality", "ethnicity", "religion", "place_of_origin"),
    *("birth_registration_place", "permanent_residence", "current_residence", "identification"),
    *("blood_group", "marital_status", "occupation", "education", "father", "mother", "spouse"),
    *("household_head", "relation_to_head", "old_id", "life_status", "life_status_since"),
)
"""What may be published, in the order in which an entry is read."""

TO_SIGN = ("checked", "signed_once")
STATES = (*TO_SIGN, "refused", "outdated", "published", "rejected")

Faults = dict[str, str]

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


def _asked() -> dict[str, Any]:
    """The unit and the day that this page is about, without what is left empty."""
    return {name: text for name in ("area", "on") if (text := request.args.get(name, "").strip())}


def publications_blueprint(backend: BackendClient) -> Blueprint:
    """/registry/publications: proposed by one officer, signed by two others, each in their own name."""
    blueprint = Blueprint("registry_publications", __name__, url_prefix="/registry/publications")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return _list_page(backend)

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return _propose(backend)

    @blueprint.get("/missing")
    def missing() -> ResponseReturnValue:
        found = publications_client.missing(officers_backend(backend), request.args.get("cursor"))
        following = found.cursor and url_for("registry_publications.missing", cursor=found.cursor)
        return page("registry_missing.html", deliveries=found.entries, following=following)

    @blueprint.get("/<publication>")
    def shown(publication: str) -> ResponseReturnValue:
        return _publication_page(backend, publication)

    @blueprint.post("/<publication>/signature")
    def sign(publication: str) -> ResponseReturnValue:
        said = ValuesSigned(values_digest=typed("values_digest"), approves=typed("approves") == "yes")
        return outcome_of(
            lambda: publications_client.sign(officers_backend(backend), publication, said),
            target=url_for("registry_publications.shown", publication=publication),
            done="done.publication_signed" if said.approves else "done.publication_rejected",
            again=lambda faults: _publication_page(backend, publication, faults),
        )

    return blueprint


def _list_page(
    backend: BackendClient, status: int = 200, faults: Faults | None = None
) -> ResponseReturnValue:
    state = request.args.get("state", STATES[0])
    found = publications_client.in_state(officers_backend(backend), state, request.args.get("cursor"))
    return page(
        "registry_publications.html",
        status,
        publications=found.entries,
        following=found.cursor and url_for("registry_publications.listed", state=state, cursor=found.cursor),
        state=state,
        states=STATES,
        attributes=ATTRIBUTES,
        chosen=request.form.getlist("attributes"),
        faults=faults or {},
        typed=request.form,
    )


def _propose(backend: BackendClient) -> ResponseReturnValue:
    chosen = tuple(name for name in request.form.getlist("attributes") if name in ATTRIBUTES)
    wanted = PublicationWanted(citizen_number=typed("citizen_number"), attributes=chosen)
    try:
        made = publications_client.propose(officers_backend(backend), wanted)
    except BackendRefused as refusal:
        code = refusal.answered_code
        faults = refusal.fields or ({"citizen_number": code} if code == "REGISTRY_PERSON_UNKNOWN" else {})
        if faults and not wants_json():
            return _list_page(backend, refusal.status, faults)
        return refused(refusal, url_for("registry_publications.listed"))
    target = url_for("registry_publications.shown", publication=made.id)
    return answer(made, target, "done.publication_proposed", 201)


def _publication_page(
    backend: BackendClient, publication: str, faults: Faults | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = publications_client.publication(officers, publication)
    # A look at the values is recorded: it is taken by whoever may sign, and by nobody else.
    signs = _may_sign(found)
    return page(
        "registry_publication.html",
        422 if faults else 200,
        publication=found,
        faults=faults or {},
        signs=signs,
        to_sign=publications_client.values(officers, publication) if signs else None,
        waits=found.state in TO_SIGN,
    )


def _may_sign(publication: PublicationView) -> bool:
    officer = session["officer"]
    has_part = officer["id"] in {publication.proposed_by, *publication.signed_by}
    return publication.state in TO_SIGN and "registrar" in officer["roles"] and not has_part
