"""The officers' work with the registry over HTTP, for those who are signed in."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.registry_work.identities import IdentityDesk
from issuance_backend.registry_work.indices import IndexOffice
from issuance_backend.registry_work.life_events import LifeEventDesk
from issuance_backend.registry_work.merges import MergeOffice
from issuance_backend.registry_work.publications import PublicationDesk
from verification.messages.life_event import LifeEventSeen
from verification.messages.publication import PublicationWanted, ValuesSigned
from verification.messages.registry_merge import EntriesJudged, MergeWanted
from verification.messages.registry_records import IdentityJudged

_BY_MOMENT = 2
"""These lists go by the moment of each entry, and by id where that is the same."""


def indices_blueprint(office: IndexOffice) -> Blueprint:
    """/v1/registry-indices: đúng, đủ, sạch, sống of a unit, and the forms that fail one of them."""
    blueprint = Blueprint("registry_indices", __name__, url_prefix="/v1/registry-indices")

    @blueprint.get("")
    def indices() -> ResponseReturnValue:
        return answer(office.indices(acting_officer(), *_area_and_day()))

    @blueprint.get("/<index>/failing")
    def failing(index: str) -> ResponseReturnValue:
        return page_answer(office.failing(acting_officer(), index, *_area_and_day(), read_page(1)))

    return blueprint


def publications_blueprint(desk: PublicationDesk) -> Blueprint:
    """/v1/registry-publications: proposed, signed by two others, withdrawn, acknowledged or not."""
    blueprint = Blueprint("registry_publications", __name__, url_prefix="/v1/registry-publications")

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return answer(desk.propose(acting_officer(), read_body(PublicationWanted)), 201)

    @blueprint.get("")
    def in_state() -> ResponseReturnValue:
        asked = read_page(_BY_MOMENT)
        return page_answer(desk.in_state(acting_officer(), request.args.get("state", ""), asked))

    @blueprint.get("/missing-acknowledgements")
    def missing() -> ResponseReturnValue:
        minutes = request.args.get("older_than_minutes")
        return page_answer(desk.missing(acting_officer(), minutes, read_page(_BY_MOMENT)))

    @blueprint.get("/<publication>")
    def view(publication: str) -> ResponseReturnValue:
        return answer(desk.view(acting_officer(), publication))

    @blueprint.get("/<publication>/values")
    def values(publication: str) -> ResponseReturnValue:
        return answer(desk.values(acting_officer(), publication))

    @blueprint.post("/<publication>/signature")
    def sign(publication: str) -> ResponseReturnValue:
        return answer(desk.sign(acting_officer(), publication, read_body(ValuesSigned)))

    return blueprint


def merges_blueprint(office: MergeOffice) -> Blueprint:
    """/v1/registry-merges: proposed by one registrar, looked at and decided by another."""
    blueprint = Blueprint("registry_merges", __name__, url_prefix="/v1/registry-merges")

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return answer(office.propose(acting_officer(), read_body(MergeWanted)), 201)

    @blueprint.get("")
    def in_state() -> ResponseReturnValue:
        asked = read_page(_BY_MOMENT)
        return page_answer(office.in_state(acting_officer(), request.args.get("state", ""), asked))

    @blueprint.get("/<proposal>")
    def view(proposal: str) -> ResponseReturnValue:
        return answer(office.view(acting_officer(), proposal))

    @blueprint.get("/<proposal>/entries")
    def entries(proposal: str) -> ResponseReturnValue:
        return answer(office.entries(acting_officer(), proposal))

    @blueprint.post("/<proposal>/decision")
    def decide(proposal: str) -> ResponseReturnValue:
        return answer(office.decide(acting_officer(), proposal, read_body(EntriesJudged)))

    return blueprint


def life_events_blueprint(desk: LifeEventDesk) -> Blueprint:
    """/v1/registry-life-events: what an officer of a commune reports."""
    blueprint = Blueprint("registry_life_events", __name__, url_prefix="/v1/registry-life-events")

    @blueprint.post("")
    def report() -> ResponseReturnValue:
        return answer(desk.report(acting_officer(), read_body(LifeEventSeen)), 201)

    return blueprint


def people_blueprint(desk: IdentityDesk) -> Blueprint:
    """/v1/registry-people: a person's record, for whoever judges its identities."""
    blueprint = Blueprint("registry_people", __name__, url_prefix="/v1/registry-people")

    @blueprint.get("/<citizen_number>")
    def record(citizen_number: str) -> ResponseReturnValue:
        return answer(desk.record(acting_officer(), citizen_number))

    return blueprint


def identities_blueprint(desk: IdentityDesk) -> Blueprint:
    """/v1/registry-identities: what a registrar decides of one."""
    blueprint = Blueprint("registry_identities", __name__, url_prefix="/v1/registry-identities")

    @blueprint.post("/<identity>/decision")
    def decide(identity: str) -> ResponseReturnValue:
        return answer(desk.decide(acting_officer(), identity, read_body(IdentityJudged)))

    return blueprint


def _area_and_day() -> tuple[str | None, str | None]:
    return request.args.get("area"), request.args.get("on")
