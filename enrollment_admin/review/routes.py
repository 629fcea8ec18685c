"""The work list, and one dossier with what its reader may do with it."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.forms.routes import forms_of
from enrollment_admin.review.open_acts import (
    Reader,
    awaits_check,
    is_barred_by_part,
    is_card_of_others,
    likely_others,
    may_be_others,
    may_see_who,
    open_acts,
)
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.navigation import entries_for
from enrollment_admin.ui.pages import form_token, page, wants_json
from verification.messages.asked_prints import SLAP_ITEMS
from verification.messages.enrollment import DossierView
from verification.messages.forms import FormEdition, FormException
from verification.messages.hand_photos import HAND_PHOTOS
from verification.messages.person_match import MatchAnswer

STATES = (
    "received",
    "validated",
    "archive_lookup",
    "dedup_1n",
    "adjudication",
    "central_approved",
    "returned",
    "suspended",
    "completed",
    "rejected",
    "withdrawn",
)
"""The tabs of the work list, in the order of the work."""

APPROVABLE = "validated"
LIST_READERS = frozenset({"processor", "approver", "central_approver", "district_chief", "auditor"})
"""Who may look at lists of local approvals."""

NOTICE_COUNTERS = frozenset({"capture", "office"})
NOTICE_READERS = NOTICE_COUNTERS | {"approver", "district_chief", "central_approver", "supervisor"}
"""Who may print the notice of a rejection; of these, counters hand it over."""

RETURN_ITEMS = (
    *("portrait", "fingerprints", *SLAP_ITEMS, *HAND_PHOTOS),
    *("form", "particulars", "identification", "place_of_residence"),
)
LOOKUP_REASONS = ("no_data", "contradicting_data", "paper_prints")
LOOKUP_RESULTS = ("agrees", "contradicts", "nothing")
REJECTION_REASONS = ("duplicate_person", "fraud", "not_entitled", "not_a_citizen", "false_documents")
ORDER_REJECTION_REASONS = ("card_unprintable", *REJECTION_REASONS)
"""Where a card is ordered, that it cannot be printed is what is met first."""


def review_blueprint(backend: BackendClient) -> Blueprint:
    """The work list and one dossier."""
    blueprint = Blueprint("review", __name__)

    @blueprint.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for(entries_for(session["officer"]["roles"])[0].endpoint), 303)

    @blueprint.get("/dossiers")
    def work_list() -> ResponseReturnValue:
        return work_list_page(backend, request.args.get("state", ""), request.args.get("cursor"))

    @blueprint.get("/dossiers/<dossier>")
    def dossier(dossier: str) -> ResponseReturnValue:
        return dossier_page(backend, dossier)

    @blueprint.get("/dossiers/<dossier>/hand_photos/<any(left,right):hand>.jpg")
    def hand_photo(dossier: str, hand: str) -> ResponseReturnValue:
        return Response(officers_backend(backend).hand_photo(dossier, hand), content_type="image/jpeg")

    @blueprint.get("/dossiers/<dossier>/portrait.jpg")
    def portrait(dossier: str) -> ResponseReturnValue:
        return Response(officers_backend(backend).portrait(dossier), content_type="image/jpeg")

    @blueprint.get("/dossiers/<dossier>/candidates")
    def candidates(dossier: str) -> ResponseReturnValue:
        path = f"/v1/dossiers/{quote(dossier, safe='')}/candidates"
        found = officers_backend(backend).ask("GET", path, MatchAnswer)
        return page("candidates.html", found=found, dossier=dossier)

    return blueprint


def work_list_page(
    backend: BackendClient, state: str, cursor: str | None, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    """Dossiers in a state; after a refused list of approvals with the fault beside each in the way."""
    unchecked = state == APPROVABLE and request.args.get("unchecked") == "true"
    found = officers_backend(backend).dossiers(state, cursor, unchecked=unchecked)
    asked = partial(url_for, "review.work_list", state=state or None, unchecked="true" if unchecked else None)
    following = found.cursor and asked(cursor=found.cursor)
    if wants_json():
        entries = [{"id": entry.id, "state": entry.state} for entry in found.entries]
        return jsonify(csrf_token=form_token(), dossiers=entries, next=following)
    return page(
        "list.html",
        422 if faults else 200,
        faults=faults or {},
        chosen=request.form.getlist("dossiers"),
        approves=state == APPROVABLE and "approver" in session["officer"]["roles"],
        reads_lists=not LIST_READERS.isdisjoint(session["officer"]["roles"]),
        dossiers=found.entries,
        unchecked={entry.id for entry in found.entries if awaits_check(entry, _reader())},
        state=state,
        states=STATES,
        following=following,
        first=cursor and asked(),
        only_unchecked=unchecked,
        may_ask_unchecked=_reader().is_provincial and _reader().is_any("processor", "approver"),
    )


def dossier_page(
    backend: BackendClient, dossier: str, status: int = 200, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    """One dossier; after a refused step with the faults beside their fields and what was typed."""
    officers = officers_backend(backend)
    view = officers.dossier(dossier)
    if wants_json():
        return jsonify(
            id=view.id,
            state=view.state,
            search=view.search,
            credential=view.credential,
            credential_state=view.credential_state,
            csrf_token=form_token(),
        )
    roles = frozenset(session["officer"]["roles"])
    reader = _reader()
    forms = forms_of(officers, dossier)
    return page(
        "dossier.html",
        status,
        dossier=view,
        roles=roles,
        acts=open_acts(view, reader),
        reads_lists=not LIST_READERS.isdisjoint(roles),
        reads_notices=not NOTICE_READERS.isdisjoint(roles),
        hands_notices=not NOTICE_COUNTERS.isdisjoint(roles),
        awaits_check=awaits_check(view, reader),
        barred=is_barred_by_part(view, reader),
        card_of_others=is_card_of_others(view, reader),
        likely_others=likely_others(view, reader),
        may_be_others=may_be_others(view, reader),
        may_see_who=may_see_who(view, reader),
        forms=forms,
        return_items=RETURN_ITEMS,
        returned_items=view.returned.items if view.returned else (),
        without_prints=_without_prints(view, forms),
        found_wrong=_found_wrong(view),
        lookup_reasons=LOOKUP_REASONS,
        lookup_results=LOOKUP_RESULTS,
        rejection_reasons=ORDER_REJECTION_REASONS if view.state == "central_approved" else REJECTION_REASONS,
        faults=faults or {},
        refused_step=request.endpoint.rpartition(".")[2] if faults and request.endpoint else "",
        typed=request.form,
        typed_items=request.form.getlist("items"),
    )


def _reader() -> Reader:
    officer = session["officer"]
    return Reader(officer["id"], frozenset(officer["roles"]), officer.get("unit"))


def _found_wrong(view: DossierView) -> list[list[str]]:
    """What the rules returned a dossier for, item by item; nothing where an officer wrote why."""
    last = next((step for step in reversed(view.steps) if step.event == "return"), None)
    if view.returned is None or last is None or last.actor != "system":
        return []
    return [each.split(": ", 1) for each in view.returned.comment.split(", ") if ": " in each]


def _without_prints(view: DossierView, forms: list[FormEdition]) -> FormException | None:
    """Why somebody who must give prints gave none: whoever approves answers for it."""
    whole = {each.code: each for form in forms for each in form.exceptions if each.whole}
    stated = [code for step in view.steps for code in step.detail.get("exceptions", "").split()]
    return next((whole[code] for code in stated if code in whole and not view.prints), None)
