"""Forms DC01 that become entries, over HTTP: of a batch, and whose a form is."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.dc01.api import asking_officer, reading_of
from issuance_backend.population_registry.dc01.batch_desk import BatchDesk
from issuance_backend.population_registry.registration.service import RegistrationDesk
from issuance_backend.service_tokens import calling_service
from verification.messages.dc01 import Acting


def registration_blueprint(desk: RegistrationDesk, batches: BatchDesk) -> Blueprint:
    """/v1/dc01/batches/{id}/registration and /v1/dc01/forms/{id}/person."""
    blueprint = Blueprint("dc01_registration", __name__, url_prefix="/v1/dc01")

    @blueprint.post("/batches/<batch_id>/registration")
    def register(batch_id: str) -> ResponseReturnValue:
        batch, said = batches.batch(batch_id), read_body(Acting)
        return answer({"registered": desk.register(batch.id, said.officer)})

    @blueprint.get("/forms/<form_id>/person")
    def person(form_id: str) -> ResponseReturnValue:
        return answer(desk.person(form_id, calling_service().name, reading_of(asking_officer())))

    return blueprint
