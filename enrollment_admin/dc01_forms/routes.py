"""Forms DC01 from the list of residents to an accepted batch: each officer finds what waits for them."""

from __future__ import annotations

from datetime import date
from typing import get_args

import msgspec
from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.dc01_forms import drawing, forms_client
from enrollment_admin.dc01_forms.fields import BLOOD_GROUPS, GROUPS, MARITAL, NAMES
from enrollment_admin.forms.routes import file_response
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import (
    answer,
    error_page,
    outcome_of,
    page,
    refused,
    typed,
    typed_words,
    wants_json,
)
from verification.errors import FieldsRefused
from verification.messages.dc01 import (
    MAX_FORM_BYTES,
    MAX_PAGE_BYTES,
    MAX_PAGES,
    BatchWanted,
    CorrectionReview,
    FormValues,
    FormView,
    PaperCollected,
    PaperIndexed,
    PaperRead,
    PaperScanned,
    ResidentsListed,
    ToldApartBy,
)

AQLS = ("0.10", "0.15", "0.25", "0.40", "0.65", "1.0", "1.5", "2.5", "4.0", "6.5")
LEVELS = ("I", "II", "III")
USUAL_AQL, USUAL_LEVEL = "1.0", "II"
TOLD_APART_BY: tuple[ToldApartBy, ...] = get_args(ToldApartBy)
LISTED = ("planned", "collected", "scanned", "conflict", "correction", "clean")
"""The states of which officers look through the forms; what is keyed comes one by one."""

OTHER = "other"
MOST_TEXT, MOST_BARCODES, MOST_BARCODE = 200, 200, 40

Faults = dict[str, str]


def forms_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01: what waits, lists of forms, and what is done with one before it is keyed."""
    blueprint = Blueprint("dc01_forms", __name__, url_prefix="/dc01")

    @blueprint.get("")
    def desk() -> ResponseReturnValue:
        return _desk_page(backend)

    @blueprint.get("/forms")
    def forms() -> ResponseReturnValue:
        return _list_page(backend)

    @blueprint.post("/forms")
    def plan() -> ResponseReturnValue:
        return _plan(backend)

    @blueprint.post("/forms/<form>/collection")
    def collect(form: str) -> ResponseReturnValue:
        return _collect(backend, form)

    @blueprint.get("/forms/<form>/index")
    def to_index(form: str) -> ResponseReturnValue:
        return _index_page(backend, form)

    @blueprint.post("/forms/<form>/index")
    def index(form: str) -> ResponseReturnValue:
        said = PaperIndexed(batch=typed("batch"))
        return outcome_of(
            lambda: forms_client.step(officers_backend(backend), form, "index", said),
            target=url_for("dc01_forms.forms", state="scanned"),
            done="done.dc01_indexed",
            again=lambda faults: _index_page(backend, form, faults),
        )

    @blueprint.get("/forms/<form>/pages/<number>")
    def picture(form: str, number: str) -> ResponseReturnValue:
        return file_response(forms_client.picture(officers_backend(backend), form, number))

    return blueprint


def people_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01/forms/<form>/person: under which number the registry holds a form's person."""
    blueprint = Blueprint("dc01_people", __name__, url_prefix="/dc01/forms/<form>/person")

    @blueprint.get("")
    def shown(form: str) -> ResponseReturnValue:
        officers = officers_backend(backend)
        found = forms_client.form(officers, form)
        return page("dc01_person.html", form=found, person=forms_client.person(officers, form))

    return blueprint


def scans_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01/forms/<form>/scan: the pictures of a form's pages come in."""
    blueprint = Blueprint("dc01_scans", __name__, url_prefix="/dc01/forms/<form>/scan")

    @blueprint.get("")
    def to_scan(form: str) -> ResponseReturnValue:
        return _scan_page(backend, form)

    @blueprint.post("")
    def scan(form: str) -> ResponseReturnValue:
        try:
            pages = read_pages()
        except FieldsRefused as fault:
            return error_page(fault) if wants_json() else _scan_page(backend, form, dict(fault.fields))
        return outcome_of(
            lambda: forms_client.scan(officers_backend(backend), form, pages),
            target=url_for("dc01_forms.forms", state="collected"),
            done="done.dc01_scanned",
            again=lambda faults: _scan_page(backend, form, faults),
        )

    return blueprint


def keyings_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01: what clerks read, first, blindly again, and where two differ."""
    blueprint = Blueprint("dc01_keyings", __name__, url_prefix="/dc01")

    @blueprint.get("/keying")
    def next_keying() -> ResponseReturnValue:
        return _next(forms_client.next_keying(officers_backend(backend)), "dc01_keyings.to_key")

    @blueprint.get("/second-keying")
    def next_second_keying() -> ResponseReturnValue:
        return _next(forms_client.next_second_keying(officers_backend(backend)), "dc01_keyings.to_key_again")

    @blueprint.get("/forms/<form>/keying")
    def to_key(form: str) -> ResponseReturnValue:
        return _keying_page(backend, form)

    @blueprint.post("/forms/<form>/keying")
    def key(form: str) -> ResponseReturnValue:
        return _key(backend, form)

    @blueprint.get("/forms/<form>/second-keying")
    def to_key_again(form: str) -> ResponseReturnValue:
        return _second_keying_page(backend, form)

    @blueprint.post("/forms/<form>/second-keying")
    def key_again(form: str) -> ResponseReturnValue:
        return _key_again(backend, form)

    return blueprint


def differences_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01/differences: two clerks read something else, and a third says what the paper has."""
    blueprint = Blueprint("dc01_differences", __name__, url_prefix="/dc01/differences")

    @blueprint.get("")
    def next_difference() -> ResponseReturnValue:
        return _difference_page(backend)

    @blueprint.post("/<form>")
    def decide(form: str) -> ResponseReturnValue:
        return _decide(backend, form)

    return blueprint


def corrections_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01/forms/<form>: what contradicts the registry is corrected, and looked at by another officer."""
    blueprint = Blueprint("dc01_corrections", __name__, url_prefix="/dc01/forms/<form>")

    @blueprint.get("/correction")
    def to_correct(form: str) -> ResponseReturnValue:
        return _correction_page(backend, form)

    @blueprint.post("/correction")
    def correct(form: str) -> ResponseReturnValue:
        return outcome_of(
            lambda: forms_client.step(officers_backend(backend), form, "correction", read_values()),
            target=url_for("dc01_forms.forms", state="conflict"),
            done="done.dc01_corrected",
            again=lambda faults: _correction_page(backend, form, faults),
        )

    @blueprint.get("/review")
    def to_review(form: str) -> ResponseReturnValue:
        return _review_page(backend, form)

    @blueprint.post("/review")
    def review(form: str) -> ResponseReturnValue:
        if typed("is_right") not in {"yes", "no"}:
            return _review_page(backend, form, {"is_right": "FIELD_MISSING"})
        by = next((each for each in TOLD_APART_BY if each == typed("told_apart_by")), None)
        if by is None and typed("told_apart_by"):
            return _review_page(backend, form, {"told_apart_by": "FIELD_CHARACTERS"})
        said = CorrectionReview(is_right=typed("is_right") == "yes", told_apart_by=by)
        return outcome_of(
            lambda: forms_client.step(officers_backend(backend), form, "review", said),
            target=url_for("dc01_forms.forms", state="correction"),
            done="done.dc01_reviewed",
            again=lambda faults: _review_page(backend, form, faults),
        )

    return blueprint


def batches_blueprint(backend: BackendClient) -> Blueprint:
    """/dc01/batches: a batch with its plan, its sample and its verdict."""
    blueprint = Blueprint("dc01_batches", __name__, url_prefix="/dc01/batches")

    @blueprint.post("")
    def open_batch() -> ResponseReturnValue:
        return _open_batch(backend)

    @blueprint.get("/<batch>")
    def shown(batch: str) -> ResponseReturnValue:
        found = forms_client.batch(officers_backend(backend), batch)
        return page(
            "dc01_batch.html",
            batch=found,
            parts_drawn=drawing.progress(found),
            stages=drawing.STAGES,
            verdict=drawing.verdict(found),
        )

    @blueprint.post("/<batch>/<any(sample, matching, registration):step>")
    def take(batch: str, step: str) -> ResponseReturnValue:
        return outcome_of(
            lambda: forms_client.batch_step(officers_backend(backend), batch, step),
            target=url_for("dc01_batches.shown", batch=batch),
            done=f"done.dc01_{step}",
            again=lambda _faults: redirect(url_for("dc01_batches.shown", batch=batch), 303),
        )

    return blueprint


def read_pages() -> PaperScanned:
    """The pictures that were chosen, in their order; raises FieldsRefused before anything is sent on."""
    # A page more than there may be is enough to know that there are too many.
    chosen = [upload for upload in request.files.getlist("pages") if upload.filename][: MAX_PAGES + 1]
    pages = tuple(upload.read(MAX_PAGE_BYTES + 1) for upload in chosen)
    if not pages:
        raise FieldsRefused({"pages": "FIELD_MISSING"})
    if len(pages) > MAX_PAGES:
        raise FieldsRefused({"pages": "DC01_SCAN_NO_PICTURE"})
    if max(map(len, pages)) > MAX_PAGE_BYTES or sum(map(len, pages)) > MAX_FORM_BYTES:
        raise FieldsRefused({"pages": "DC01_SCAN_TOO_LARGE"})
    return PaperScanned(pages=pages)


def read_values() -> PaperRead:
    """What was keyed, without the fields that were left empty; raises BackendRefused."""
    return _read({name: typed(name) for name in NAMES if typed(name)})


def read_choices() -> PaperRead:
    """One of two readings, an empty one too, or something else that was typed; raises BackendRefused."""
    chosen = {name: typed(f"choice_{name}") for name in NAMES if f"choice_{name}" in request.form}
    return _read(
        {
            # A reading stands behind a sign, or one that reads "other" would not be told from the button.
            name: typed(f"other_{name}") if choice == OTHER else choice.removeprefix("=").strip()
            for name, choice in chosen.items()
        }
    )


def _read(values: dict[str, str]) -> PaperRead:
    too_long = {name: "FIELD_TOO_LONG" for name, value in values.items() if len(value) > MOST_TEXT}
    if too_long:
        raise BackendRefused(422, FieldsRefused.code, too_long)
    return PaperRead(values=values)


def _desk_page(
    backend: BackendClient, status: int = 200, faults: Faults | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = forms_client.batches(officers, request.args.get("cursor"))
    roles = set(session["officer"]["roles"])
    return page(
        "dc01_desk.html",
        status,
        work=forms_client.work(officers),
        batches=[(each, drawing.progress(each)) for each in found.entries],
        following=found.cursor and url_for("dc01_forms.desk", cursor=found.cursor),
        rates=forms_client.clerk_rates(officers)
        if roles & {"team_leader", "district_chief", "auditor"}
        else (),
        stages=drawing.STAGES,
        aqls=AQLS,
        levels=LEVELS,
        unit=session["officer"]["unit"] or "",
        faults=faults or {},
        typed={"aql": USUAL_AQL, "level": USUAL_LEVEL, **request.form},
    )


def _list_page(
    backend: BackendClient, status: int = 200, faults: Faults | None = None
) -> ResponseReturnValue:
    state = request.args.get("state", LISTED[0])
    found = forms_client.forms(officers_backend(backend), state, request.args.get("cursor"))
    return page(
        "dc01_forms.html",
        status,
        forms=found.entries,
        following=found.cursor and url_for("dc01_forms.forms", state=state, cursor=found.cursor),
        state=state,
        states=LISTED,
        faults=faults or {},
        typed=request.form,
    )


def _plan(backend: BackendClient) -> ResponseReturnValue:
    residents = ResidentsListed(unit=typed("unit"), barcodes=typed_words("barcodes"))
    if not residents.barcodes:
        return _desk_page(backend, 422, {"barcodes": "FIELD_MISSING"})
    if len(residents.barcodes) > MOST_BARCODES or max(map(len, residents.barcodes)) > MOST_BARCODE:
        return _desk_page(backend, 422, {"barcodes": "FIELD_TOO_LONG"})

    def act() -> None:
        forms_client.plan(officers_backend(backend), residents)

    return outcome_of(
        act,
        target=url_for("dc01_forms.forms", state="planned"),
        done="done.dc01_planned",
        again=lambda faults: _desk_page(backend, 422, faults),
    )


def _collect(backend: BackendClient, form: str) -> ResponseReturnValue:
    try:
        said = PaperCollected(collected_on=date.fromisoformat(typed("collected_on")))
    except ValueError:
        return _list_page(backend, 422, {form: "FIELD_DATE"})
    return outcome_of(
        lambda: forms_client.step(officers_backend(backend), form, "collection", said),
        target=url_for("dc01_forms.forms", state="planned"),
        done="done.dc01_collected",
        again=lambda faults: _list_page(backend, 422, {form: next(iter(faults.values()))}),
    )


def _open_batch(backend: BackendClient) -> ResponseReturnValue:
    if typed("aql") not in AQLS or typed("level") not in LEVELS:
        return _desk_page(backend, 422, {"aql": "FIELD_CHARACTERS"})
    wanted = msgspec.convert(
        {"unit": typed("unit"), "aql": typed("aql"), "level": typed("level")}, BatchWanted, strict=False
    )
    return outcome_of(
        lambda: forms_client.open_batch(officers_backend(backend), wanted),
        target=url_for("dc01_forms.desk"),
        done="done.dc01_batch_opened",
        again=lambda faults: _desk_page(backend, 422, faults),
    )


def _scan_page(backend: BackendClient, form: str, faults: Faults | None = None) -> ResponseReturnValue:
    found = forms_client.form(officers_backend(backend), form)
    return page("dc01_scan.html", 422 if faults else 200, form=found, faults=faults or {}, most=MAX_PAGES)


def _index_page(backend: BackendClient, form: str, faults: Faults | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = forms_client.form(officers, form)
    waiting = forms_client.batches(officers, state="open", unit=found.unit).entries
    return _reading_page("index", found, faults, batches=waiting)


def _next(form: str | None, endpoint: str) -> ResponseReturnValue:
    return page("dc01_nothing.html") if form is None else redirect(url_for(endpoint, form=form), 303)


def _keying_page(backend: BackendClient, form: str, faults: Faults | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = forms_client.form(officers, form)
    # Only who keyed it sees what is keyed, and only until the batch is closed.
    keyed = forms_client.values(officers, form) if found.state == "auto_checked" else None
    return _reading_page("key", found, faults, keyed)


def _key(backend: BackendClient, form: str) -> ResponseReturnValue:
    try:
        keyed = forms_client.step(officers_backend(backend), form, "keying", read_values())
    except BackendRefused as fault:
        if fault.fields and not wants_json():
            return _keying_page(backend, form, fault.fields)
        return refused(fault, url_for("dc01_forms.desk"))
    if keyed.findings:
        return answer(keyed, url_for("dc01_keyings.to_key", form=form), "done.dc01_keyed_with_findings")
    return answer(keyed, url_for("dc01_keyings.next_keying"), "done.dc01_keyed")


def _second_keying_page(
    backend: BackendClient, form: str, faults: Faults | None = None
) -> ResponseReturnValue:
    return _reading_page("key_again", forms_client.form(officers_backend(backend), form), faults)


def _key_again(backend: BackendClient, form: str) -> ResponseReturnValue:
    def act() -> None:
        forms_client.blind_step(officers_backend(backend), form, "second-keying", read_values())

    return outcome_of(
        act,
        target=url_for("dc01_keyings.next_second_keying"),
        done="done.dc01_read_blindly",
        again=lambda faults: _second_keying_page(backend, form, faults),
    )


def _difference_page(backend: BackendClient, faults: Faults | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = forms_client.next_difference(officers)
    if found is None:
        return page("dc01_nothing.html")
    form = forms_client.form(officers, found.form)
    return _reading_page("decide", form, faults, differences=found.differences)


def _decide(backend: BackendClient, form: str) -> ResponseReturnValue:
    def act() -> None:
        forms_client.blind_step(officers_backend(backend), form, "decision", read_choices())

    return outcome_of(
        act,
        target=url_for("dc01_differences.next_difference"),
        done="done.dc01_decided",
        again=lambda faults: _difference_page(backend, faults),
    )


def _correction_page(backend: BackendClient, form: str, faults: Faults | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    return _reading_page(
        "correct", forms_client.form(officers, form), faults, forms_client.values(officers, form)
    )


def _review_page(backend: BackendClient, form: str, faults: Faults | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found, keyed = forms_client.form(officers, form), forms_client.values(officers, form)
    is_like = any(each.startswith("LIKE_") for each in keyed.conflicts)
    return _reading_page("review", found, faults, keyed, told_apart_by=TOLD_APART_BY if is_like else ())


def _reading_page(
    step: str, form: FormView, faults: Faults | None, keyed: FormValues | None = None, **more: object
) -> ResponseReturnValue:
    """A picture beside what is read of it."""
    return page(
        "dc01_reading.html",
        422 if faults else 200,
        step=step,
        form=form,
        keyed=keyed,
        groups=GROUPS,
        marital=MARITAL,
        blood_groups=BLOOD_GROUPS,
        faults=faults or {},
        typed=request.form if request.method == "POST" else (keyed.values if keyed else {}),
        **more,
    )
