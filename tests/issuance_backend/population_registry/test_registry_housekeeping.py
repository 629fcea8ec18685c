"""What the registry does while nobody waits for it, on both engines."""

from __future__ import annotations

import pytest

from issuance_backend.idempotency.domain import Attempt, KeptAnswer
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry import housekeeping_command
from issuance_backend.population_registry.matching.service import MatchingDesk
from tests.support.dc01_office import WHOLE, Dc01Office
from tests.support.engines import Engine
from verification.messages.person_match import MatchQuery

NUMBER = "001190012345"
LATER = "001190000002"
"""Registered after the first comparison, which indexed who was there."""
KEY = "registrar-00000001"


@pytest.fixture
def office(database_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Dc01Office:
    """A registry of the year 2021, for commands of today."""
    office = Dc01Office(database_engine.new())
    monkeypatch.setenv("REGISTRY_DATABASE_URL", office.url)
    return office


def keep_an_answer(office: Dc01Office) -> None:
    register = RequestRegister(office.database, office.clock)
    attempt = register.begin("civil-register", KEY, "digest")
    assert isinstance(attempt, Attempt)
    register.finish(attempt, KeptAnswer(201, "application/json", b"{}"))


def test_one_round_does_every_duty_and_the_next_finds_none(
    office: Dc01Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.register(NUMBER)
    forms = office.accepted(1, read=lambda _: {**WHOLE, "citizen_number": NUMBER})
    office.forms.match(office.forms.form(forms[0]).batch or "")
    office.register(LATER)
    keep_an_answer(office)
    assert office.states(forms) == ["clean"]
    assert command.main(["housekeeping", "--once"]) == 0
    told = capsys.readouterr().out.strip()
    duties = "1 old requests forgotten; 0 readings forgotten; 1 forms stale; 0 older forms doubtful"
    assert told == f"{duties}; 1 pictures of forms erased; 1 entries indexed; 2 people in new filters"
    assert office.states(forms) == ["stale"]
    found = MatchingDesk(office.database, office.clock).find(
        MatchQuery(full_name="Nguyen Thi Lan", date_of_birth="15/03/1990")
    )
    assert {candidate.citizen_number for candidate in found.candidates} == {NUMBER, LATER}
    assert command.main(["housekeeping", "--until-idle"]) == 0
    assert "1 " not in capsys.readouterr().out


def test_rounds_without_a_pause_are_refused(office: Dc01Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["housekeeping", "--once", "--every", "0"]) == 1
    assert "pause" in capsys.readouterr().err
    assert housekeeping_command.PAUSE_SECONDS >= 600
