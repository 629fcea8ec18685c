"""What came back, was left out or spoiled, and how old what waits is: out of the recorded events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from issuance_backend.paging import PageAsked
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.figures import older_hold
from issuance_backend.statistics.service import Asked, Period, StatisticsOffice
from issuance_backend.statistics.tables import FIGURE_DAYS
from monitoring.database import Database
from tests.support.cause_codes import CODES
from tests.support.figure_history import START, Told, record
from verification.messages.statistics import CauseFigure, OlderThan, Report, StageFigure

DAY = timedelta(days=1)


def told(day: int, subject: str, state: str, **detail: str) -> Told:
    return Told(START + day * DAY, subject, state, {"unit": "001", **detail})


def office(database: Database, day: int) -> StatisticsOffice:
    return StatisticsOffice(database, lambda: START + day * DAY)


def share(report: Report, name: str) -> tuple[int, int] | None:
    return next(((each.part, each.whole) for each in report.shares if each.definition == name), None)


def test_a_dossier_is_captured_again_only_after_it_was_returned(database: Database) -> None:
    record(database, [
        told(0, "dossier/1", "captured"),
        told(0, "dossier/2", "received"),
        told(0, "dossier/2", "suspended"),
        told(1, "dossier/2", "received"),
        told(1, "dossier/3", "captured"),
        told(1, "dossier/3", "returned"),
    ])  # fmt: skip
    assert share(office(database, 1).report(Asked()), "recaptured_of_captured") == (0, 3)
    record(database, [
        told(2, "dossier/3", "received"),
        told(3, "dossier/3", "returned"),
        told(4, "dossier/3", "captured"),
    ])  # fmt: skip
    assert share(office(database, 4).report(Asked()), "recaptured_of_captured") == (1, 3)


def test_agreement_is_of_pairs_on_which_two_have_answered(database: Database) -> None:
    record(database, [
        told(0, "adjudication/a", "open"),
        told(0, "adjudication/a", "one"),
        told(0, "adjudication/a", "decided", outcome="same_person"),
        told(0, "adjudication/b", "open"),
        told(0, "adjudication/b", "one"),
        told(0, "adjudication/b", "differ"),
        told(0, "adjudication/c", "open"),
        told(0, "adjudication/c", "one"),
    ])  # fmt: skip
    first = office(database, 0).report(Asked())
    assert share(first, "differed_of_compared") == (1, 2)
    assert share(first, "decided_of_adjudications") == (1, 3)
    record(database, [told(9, "adjudication/b", "decided", outcome="fraud")])
    later = office(database, 9).report(Asked(period=Period.WEEK))
    assert share(later, "differed_of_compared") == (1, 2)
    assert later.total.in_period["adjudications_decided"] == 1
    assert {each.code: (each.to_date, each.in_period) for each in later.causes} == {
        "fraud": (1, 1),
        "same_person": (1, 0),
    }


def test_codes_are_counted_each_time_and_what_is_none_is_other(database: Database) -> None:
    record(database, [
        told(0, "card/1", "qa_failed", faults="a:QC_PORTRAIT_BLURRED,b:QC_FILE_MISSING,c:QC_FILE_MISSING"),
        told(0, "card/1", "spoiled"),
        told(1, "card/2", "spoiled", faults="no such: code=1, <script>," + "A" * 41),
        told(1, "dossier/1", "captured", exceptions="finger_worn", faults="QC_FILE_MISSING"),
    ])  # fmt: skip
    report = office(database, 1).report(Asked())
    assert report.causes == (
        CauseFigure("exceptions", 1, "finger_worn", 1, 1),
        CauseFigure("spoilage", 1, "QC_FILE_MISSING", 1, 0),
        CauseFigure("spoilage", 1, "QC_PORTRAIT_BLURRED", 1, 0),
        CauseFigure("spoilage", 1, "no", 1, 1),
        CauseFigure("spoilage", 1, "other", 1, 1),
    )
    assert report.total.to_date["spoiled"] == 2
    behind = office(database, 1).records(Asked(), "cause.spoilage.QC_FILE_MISSING", PageAsked(9, None))
    assert [line.subject for line in behind.entries] == ["card/1"]


def test_every_code_that_is_defined_fits_a_figure_and_is_no_other() -> None:
    assert CODES.keys() == {cause.id for cause in vocabulary().causes}
    longest = FIGURE_DAYS.c.figure.type.length
    for cause, known in CODES.items():
        assert len(f"cause.{cause}.") + 40 <= longest
        assert all(code.isidentifier() and len(code) <= 40 for code in known)


def test_age_of_what_waits_at_the_office_is_told_by_unit_and_only_of_the_present(database: Database) -> None:
    cards = [told(day, f"card/{day}", "at_office") for day in (0, 50, 100)]
    record(database, [*cards[:2], Told(START + 50 * DAY, "card/9", "at_office", {"unit": "036"}), cards[2]])
    record(database, [told(100, "card/0", "undelivered")])

    def stages(unit: str, day: int) -> dict[str, StageFigure]:
        report = office(database, 120).report(Asked(unit=unit, as_of=START + day * DAY))
        assert not [each for each in report.identities if each.broken]
        return {each.state: each for each in report.stages}

    now = stages("", 120)
    assert now["at_office"].older == (OlderThan(10, 3), OlderThan(30, 2), OlderThan(90, 0))
    assert now["undelivered"].older == (OlderThan(30, 0), OlderThan(90, 0), OlderThan(180, 0))
    assert stages("001", 120)["at_office"].older == (OlderThan(10, 2), OlderThan(30, 1), OlderThan(90, 0))
    assert stages("", 60)["at_office"].older == ()


@pytest.mark.parametrize("amounts", [(4, 1), (1, 2), (2, -1)])
def test_ages_that_cannot_be_are_seen(amounts: tuple[int, int]) -> None:
    older = tuple(OlderThan(days, amount) for days, amount in zip((10, 30), amounts, strict=True))
    stage = StageFigure("card", "at_office", 3, None, None, None, None, is_bottleneck=False, older=older)
    assert older_hold([stage]).broken == ("card.at_office",)
