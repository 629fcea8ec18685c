"""Whoever is rejected after the central approval is no longer among those whom others are compared with."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from issuance_backend.biometric_search.adjudication import CaseKind, Finding
from issuance_backend.biometric_search.case_repository import find, of_encounter
from issuance_backend.biometric_search.cases import Pair, open_case
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.case_parts import findings
from issuance_backend.dossiers.retention import all_rules
from issuance_backend.dossiers.retention_desk import RetentionDesk
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from tests.support.application_desk import THU
from tests.support.deduplication_centre import EXCHANGED, Centre, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, citizens

NUMBER = citizens()[0].citizen_number


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    return make_centre(tmp_path, database_engine)


def erased_in_time(centre: Centre) -> int:
    centre.desk.now[0] = NOW + 2 * all_rules()[-1].period("rejected.not_entitled")
    return RetentionDesk(centre.desk.database, lambda: centre.desk.now[0]).erase()


def enrolments(centre: Centre) -> int:
    return len(centre.bed.worker.index("national"))


def test_a_rejected_applicant_is_forgotten_and_only_then_erased(centre: Centre) -> None:
    dossier = centre.enrolled(0, 0)
    assert centre.members() == {NUMBER}
    centre.reject(dossier)
    assert erased_in_time(centre) == 0, "others are still compared with it"
    centre.run()
    assert (centre.members(), enrolments(centre)) == (set(), 0)
    assert erased_in_time(centre) == 1
    assert centre.run() == 0


def test_what_another_dossier_of_the_number_enrolled_stays(centre: Centre) -> None:
    former = centre.enrolled(0, 0)
    centre.card_becomes(former, "active")
    later = centre.apply(0, 0, touch=2, number=9, terms=EXCHANGED)
    centre.run()
    centre.desk.office.approvals.approve_centrally(THU, later)
    centre.run()
    assert enrolments(centre) == 2
    centre.reject(later)
    centre.run()
    assert (centre.members(), enrolments(centre)) == ({NUMBER}, 1)
    under_another_name = centre.apply(1, 0, touch=3)
    centre.run()
    with centre.desk.database.reading() as connection:
        (case,) = of_encounter(connection, centre.encounter(under_another_name))
    assert case.candidate_encounter == centre.encounter(former)


def test_whoever_is_rejected_before_being_enrolled_never_is(centre: Centre) -> None:
    dossier = centre.apply(0, 0)
    centre.run()
    centre.desk.office.approvals.approve_centrally(THU, dossier)
    centre.reject(dossier)
    with centre.desk.database.reading() as connection:
        assert repository.due_for_enrolment(connection, "", 10) == []
    centre.run()
    assert (centre.members(), erased_in_time(centre)) == (set(), 1)


# -- databases from before


def migrate(connection: Connection, version: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(ISSUANCE_MIGRATIONS))
    configuration.attributes["connection"] = connection
    newer = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() > version
    (command.downgrade if newer else command.upgrade)(configuration, version)


def test_whoever_was_rejected_before_is_forgotten_too(centre: Centre) -> None:
    rejected, kept = centre.enrolled(0, 0), centre.enrolled(1, 1)
    centre.reject(rejected)
    with centre.desk.database.writing() as connection:
        connection.execute(text("UPDATE dossiers SET pending_member = NULL"))
        migrate(connection, "0015")
        migrate(connection, "head")
    centre.run()
    assert (centre.members(), kept != rejected) == ({citizens()[1].citizen_number}, True)


def test_the_marks_of_cases_become_kinds_and_can_go_back(centre: Centre) -> None:
    pairs = [
        Pair(probe_encounter="one", candidate_encounter="other", kind=CaseKind.FOUND, took_part=("lan",)),
        Pair(probe_encounter="one", candidate_encounter="other", kind=CaseKind.BAIT, truth=False),
        Pair(probe_encounter="two", candidate_encounter="claimed", kind=CaseKind.CLAIMED),
    ]
    with centre.desk.database.writing() as connection:
        # A bait first: to a real case it is none.
        assert all(open_case(connection, pair, NOW) for pair in reversed(pairs))
        assert not open_case(connection, pairs[1], NOW)
        (claimed,) = of_encounter(connection, "two")
    for examiner, finding in zip("ab", [Finding.DIFFERENT_PERSONS] * 2, strict=True):
        told = text(
            "INSERT INTO adjudication_decisions VALUES (:case, :place, :examiner, :finding, 'x', 'y', 'z')"
        )
        values = {"case": claimed.id, "place": ord(examiner), "examiner": examiner, "finding": finding.value}
        with centre.desk.database.writing() as connection:
            connection.execute(told, values)
            connection.execute(
                text("UPDATE adjudication_cases SET outcome = :finding, state = 'decided' WHERE id = :case"),
                values,
            )
    read = text("SELECT * FROM adjudication_cases ORDER BY id")
    with centre.desk.database.writing() as connection:
        before = connection.execute(read).all()
        migrate(connection, "0014")
        marked = connection.execute(text("SELECT candidate_encounter FROM adjudication_cases")).scalars()
        assert sorted(marked) == [":other", "=claimed", "other"]
        migrate(connection, "head")
        assert connection.execute(read).all() == before
        assert find(connection, claimed.id) is not None
        # Whoever is not the one whose number they apply under applies as somebody else.
        assert findings(connection, "two") == [Finding.FRAUD]
        assert connection.execute(text("SELECT count(*) FROM adjudication_decisions")).scalar_one() == 2
