"""kill -9 of a production worker at every step: no half-written card is good, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardState
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.batches.service import ProductionDesk
from issuance_backend.personalization.blank_stock import repository as blanks
from issuance_backend.personalization.blank_stock.domain import Account
from issuance_backend.personalization.service import WRITING_TIME
from tests.support.blank_books import blanks_by_account, posted_balances
from tests.support.dying_programs import produce
from tests.support.engines import Engine
from tests.support.issuance_office import Office, citizens, make_office
from tests.support.killing import is_killed, require_sound
from tests.support.running import run_pending
from verification.messages.production import BatchOrder

# The step, and the blanks that the order has cost when another worker is done with it.
STEPS = {
    "order taken": 1,
    "blank used up": 2,
    "chip half written": 2,
    "chip written": 2,
    "faces printed": 2,
    "writing recorded": 2,
    "card read back": 2,
    "card good": 1,
    "card destroyed": 2,
    "card spoiled": 2,
}


@pytest.fixture(scope="module")
def pki_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("production") / "pki"


def ordered(office: Office) -> tuple[str, str]:
    """A dossier whose card stands in a batch, and its number."""
    person = citizens()[4]
    dossier = office.sign_in("lan.capture").capture(person).get_json()["id"]
    office.approve_all(dossier)
    office.receive_blanks(20)
    operator = Officer("hoa.production", "Hoa", frozenset({Role.PRODUCTION}))
    ProductionDesk(office.database, lambda: office.now[0]).make_batch(operator, BatchOrder(limit=10))
    return dossier, person.citizen_number


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_leaves_one_good_card(
    step: str, tmp_path: Path, pki_dir: Path, database_engine: Engine
) -> None:
    office = make_office(tmp_path, pki_dir, database_engine)
    _, number = ordered(office)
    assert is_killed(produce, office.settings, office.now[0], step)
    line = office.card_line()
    if step not in {"card spoiled", "card good"}:
        assert run_pending(line) == 0, "another worker takes nothing that may still be in work"
    office.now[0] += WRITING_TIME + timedelta(seconds=1)
    run_pending(line)
    with office.database.reading() as connection:
        made = sorted(cards.of_number(connection, number), key=lambda card: card.attempt)
        serials = {card.id: blanks.blank_of_card(connection, card.id) for card in made}
        books = blanks.balances(connection)
        assert books == posted_balances(connection)
        assert blanks_by_account(connection) == books
    require_sound(office.database)
    # Each blank for one card, each interrupted card spoiled, the last one good.
    assert [card.attempt for card in made] == list(range(1, STEPS[step] + 1))
    assert [card.state for card in made[:-1]] == [CardState.SPOILED] * (len(made) - 1)
    assert made[-1].state is CardState.QA_PASSED
    assert Counter(serials.values()).most_common(1)[0][1] == 1
    assert None not in serials.values()
    assert books[Account.ISSUED] == 1
    assert books[Account.SPOILED] == len(made) - 1
    assert -books[Account.SUPPLIER] == 20 == books[Account.STOCK] + len(made)
    # Nothing of an interrupted chip is left, not even half of its file.
    assert {path.name.partition(".")[0] for path in office.card_dir.iterdir()} == {made[-1].id}
