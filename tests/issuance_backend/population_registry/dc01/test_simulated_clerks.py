"""F24 through the office itself: clerks of known error rates, readers who err, batches that come back."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from tests.support.dc01_office import COMMUNE, WHOLE, Dc01Office
from tests.support.engines import Sqlite

RATES = (0.02, 0.08, 0.3)
CLERKS, LOT, ROUNDS = 15, 13, 2
"""Of each rate; a lot that is keyed again whole, so that no chance but the readers' is left."""

SECOND_READER = 0.2


@pytest.mark.slow
def test_the_interval_that_the_office_tells_holds_the_rate_of_93_clerks_in_100(tmp_path: Path) -> None:
    """On one engine: what is judged is arithmetic."""
    office = Dc01Office(Sqlite(tmp_path).new())
    chance, slips = random.Random(2021), itertools.count()  # noqa: S311 - the same clerks in every run

    def readings(rate: float) -> list[dict[str, str]]:
        """Of a whole lot; no two slips are alike."""
        wrong = (
            "SAI " + "".join(chr(ord("A") + int(digit)) for digit in str(next(slips))) for _ in range(LOT)
        )
        return [{**WHOLE, "mother": text} if chance.random() < rate else WHOLE for text in wrong]

    rates = {f"clerk.{rate}.{number}": rate for rate in RATES for number in range(CLERKS)}
    again = 0
    for clerk, rate in rates.items():
        batch, ids = office.indexed(LOT)
        for _ in range(ROUNDS):
            office.key(ids, clerk, readings(rate).__getitem__)
            office.batches.draw(batch, "leader")
            office.recheck(ids, readings(SECOND_READER).__getitem__)
            if office.batches.batch(batch).state == "accepted":
                break
            again += 1
    told = {found.clerk: found for found in office.batches.clerk_rates(COMMUNE)}
    assert told.keys() == rates.keys()
    held = [found.low <= rates[clerk] <= found.high for clerk, found in told.items()]
    assert sum(held) / len(held) >= 0.93
    assert again > CLERKS, "batches came back"
    assert sum(found.forms for found in told.values()) > LOT * len(rates), "and were counted as well"
    # An interval that held everything would say nothing: careful and hasty are told apart.
    assert max(told[f"clerk.{RATES[0]}.{n}"].high for n in range(CLERKS)) < 0.6
    assert sum(told[f"clerk.{RATES[-1]}.{n}"].low > RATES[0] for n in range(CLERKS)) > CLERKS / 2
