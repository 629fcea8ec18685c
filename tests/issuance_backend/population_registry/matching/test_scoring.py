from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from issuance_backend.biometric_search.adjudication import wilson
from issuance_backend.population_registry.birth import read_birth_date
from issuance_backend.population_registry.matching.domain import Claim, prepare_claim, prepare_person
from issuance_backend.population_registry.matching.keys import SOUGHT, index_keys, sought_keys
from issuance_backend.population_registry.matching.scoring import Likeness
from issuance_backend.population_registry.nation.old_records import old_records
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.nation.spoiling import Mistake
from issuance_backend.population_registry.nation.tables_of_names import Names
from tests.support.lookalikes import sibling_of
from tests.support.matching_trial import TODAY, best_edit_distance, exact_hash, make_trial, ours
from tests.support.memory_index import MemoryIndex
from tests.support.stopwatch import require_in_time
from verification.identity.legacy_encodings import to_tcvn3

NATION = list(make_nation(NationPlan(people=4_000, seed=3, today=TODAY)))
INDEX = MemoryIndex([prepare_person(person.entry) for person in NATION])
SOMEBODY = next(p.entry for p in NATION if p.entry.old_id and len(p.entry.full_name.split()) == 3)


def claim_of(**changes: object) -> Claim:
    entry = SOMEBODY
    claim = Claim(
        full_name=entry.full_name,
        date_of_birth=read_birth_date(entry.date_of_birth.isoformat()),
        sex=entry.sex,
        place_of_origin=entry.place_of_origin,
        father=entry.father,
        mother=entry.mother,
    )
    return replace(claim, **changes)  # type: ignore[arg-type]


def best(claim: Claim) -> tuple[str, Likeness]:
    candidate = INDEX.find(prepare_claim(claim))[0]
    return candidate.citizen_number, INDEX.scorer.likeness(candidate.bits)


def test_every_piece_of_evidence_is_named_and_adds_up() -> None:
    candidate = INDEX.find(prepare_claim(claim_of()))[0]
    assert {item.field: item.level for item in candidate.evidence} == {
        "full_name": "same",
        "date_of_birth": "same",
        "sex": "same",
        "place_of_origin": "same-commune",
        "father": "same",
        "mother": "same",
    }
    assert candidate.bits == pytest.approx(sum(item.bits for item in candidate.evidence), abs=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"full_name": to_tcvn3(SOMEBODY.full_name), "father": None},
        {"full_name": " ".join(reversed(SOMEBODY.full_name.split()))},
        {"date_of_birth": read_birth_date(str(SOMEBODY.date_of_birth.year))},
        {"date_of_birth": None, "number": SOMEBODY.old_id},
        {"date_of_birth": None, "number": f" {SOMEBODY.citizen_number[:6]} {SOMEBODY.citizen_number[6:]} "},
        {"sex": None, "place_of_origin": None},
    ],
)
def test_one_thing_wrong_or_missing_is_found_all_the_same(changes: dict[str, object]) -> None:
    assert best(claim_of(**changes)) == (SOMEBODY.citizen_number, Likeness.LIKELY)


SURNAME, MIDDLE, GIVEN = SOMEBODY.full_name.split()


@pytest.mark.parametrize(
    "name",
    [
        f"{GIVEN} {SURNAME}",
        f"{GIVEN} {SURNAME}{MIDDLE}",
        f"{GIVEN}{SURNAME} {MIDDLE}",
        f"{SURNAME}{MIDDLE}{GIVEN}",
    ],
)
def test_two_things_wrong_in_a_name_are_found_with_the_year_alone(name: str) -> None:
    year = read_birth_date(str(SOMEBODY.date_of_birth.year))
    assert best(claim_of(full_name=name, date_of_birth=year)) == (SOMEBODY.citizen_number, Likeness.LIKELY)


@pytest.mark.parametrize(("kept", "heard"), [("L", "N"), ("N", "L"), ("Tr", "T"), ("Ch", "C"), ("Gi", "G")])
@pytest.mark.parametrize("order", ["Phạm Văn {}", "{} Phạm Văn"])
def test_a_given_name_that_begins_as_the_ear_has_it_shares_a_key(kept: str, heard: str, order: str) -> None:
    year = read_birth_date("1950")
    person = prepare_claim(Claim(full_name=f"Phạm Văn {kept}ang", date_of_birth=year))
    asked = prepare_claim(Claim(full_name=order.format(f"{heard}ang"), date_of_birth=year))
    assert index_keys(person).head in sought_keys(asked)["head"]


def test_nobody_is_looked_for_under_more_keys_than_a_question_has_room_for() -> None:
    for record in old_records(NATION, 5):
        for name, keys in sought_keys(prepare_claim(record.claim)).items():
            assert len(keys) <= SOUGHT.get(name, 1)


def test_another_name_under_the_very_number_is_listed_and_not_taken_for_the_same() -> None:
    other = claim_of(full_name="Quách Bửu Khuê", number=SOMEBODY.citizen_number, date_of_birth=None)
    found = INDEX.find(prepare_claim(replace(other, father=None, mother=None)))
    assert [candidate.citizen_number for candidate in found] == [SOMEBODY.citizen_number]
    assert INDEX.scorer.likeness(found[0].bits) is Likeness.POSSIBLE


def test_a_twin_is_not_taken_for_the_sibling() -> None:
    person = next(p for p in NATION if p.entry is SOMEBODY)
    twin = sibling_of(lambda: 0.37, person, Names(), is_twin=True)
    found = INDEX.find(prepare_claim(claim_of(full_name=twin.full_name)))
    assert SOMEBODY.citizen_number not in {
        candidate.citizen_number
        for candidate in found
        if INDEX.scorer.likeness(candidate.bits) is Likeness.LIKELY
    }


def test_nothing_known_finds_nobody() -> None:
    assert INDEX.find(prepare_claim(Claim(full_name="..."))) == []
    assert index_keys(prepare_claim(Claim(full_name="Lê Hoa"))).whole_year == 0


def test_a_person_does_not_show_in_what_may_be_logged() -> None:
    asked = prepare_claim(claim_of())
    for thing in (claim_of(), asked, INDEX.find(asked)[0]):
        assert SOMEBODY.citizen_number not in repr(thing)
        assert SOMEBODY.full_name not in repr(thing)


@pytest.mark.timed
def test_a_labelled_nation_is_matched_better_than_by_plain_methods() -> None:
    """A small nation; ``python -m tests.benchmarks.demographic_matching --people 1000000`` is the whole."""
    trial = make_trial(people=8_000, questions=3_000, seed=41)
    result = ours(trial)
    assert result.recall >= 0.995
    assert result.precision >= 0.99
    require_in_time(result.milliseconds / 1000, 0.005)
    for plain in (exact_hash(trial), best_edit_distance(trial)):
        assert result.recall > plain.recall
        assert result.error < plain.error / 3


ASKED_OF_EACH, FOUND_OF_EACH, SURELY_OF_EACH = 900, 0.98, 0.965


def test_every_kind_of_mistake_is_found_by_itself() -> None:
    """Papers with each kind of mistake, alone or among others; nobody else is taken for them.

    Over all kinds together one that is weak would not show. Held are the share itself and what Wilson's
    interval (95 %) leaves of it.
    """
    people = make_trial(people=8_000, questions=0, seed=41).people
    index = MemoryIndex([prepare_person(person.entry) for person in people])
    asked, found, wrong = Counter[str](), Counter[str](), 0
    for record in chain.from_iterable(old_records(people, seed) for seed in range(40)):
        kinds = [kind for kind in record.mistakes if asked[kind] < ASKED_OF_EACH]
        if kinds:
            likely = {
                candidate.citizen_number
                for candidate in index.find(prepare_claim(record.claim))
                if index.scorer.likeness(candidate.bits) is Likeness.LIKELY
            }
            asked.update(kinds)
            found.update(kind for kind in kinds if record.about in likely)
            wrong += len(likely - {record.about})
    assert dict(asked) == dict.fromkeys(Mistake, ASKED_OF_EACH)
    assert not {kind: found[kind] for kind in asked if found[kind] < FOUND_OF_EACH * ASKED_OF_EACH}
    assert not {kind: found[kind] for kind in asked if wilson(found[kind], ASKED_OF_EACH)[1] < SURELY_OF_EACH}
    assert wrong <= sum(found.values()) / 100
