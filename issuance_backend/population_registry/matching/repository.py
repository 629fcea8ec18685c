"""The SQL of the matching index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, func, insert, or_, select, update

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching.domain import Comparable, prepare_person, source_of
from issuance_backend.population_registry.matching.keys import (
    SOUGHT,
    Keys,
    index_keys,
    sought_keys,
    whole_date,
)
from issuance_backend.population_registry.matching.name import WordFrequencies, name_of_canonical
from issuance_backend.population_registry.matching.place import place_of_text
from issuance_backend.population_registry.matching.tables import MATCH_ENTRIES, MATCH_WORDS
from issuance_backend.population_registry.tables import PERSONS
from monitoring.bulk_load import load_rows
from verification.messages.person_query import LifeStatus

_ENTRY = MATCH_ENTRIES.c
_COMPARED = (
    _ENTRY.citizen_number,
    _ENTRY.old_id,
    _ENTRY.sex,
    _ENTRY.name,
    _ENTRY.father,
    _ENTRY.mother,
    _ENTRY.origin,
    _ENTRY.residence,
    _ENTRY.born,
)
_KEYS = tuple(
    (name, f"{name}_{slot}")
    for name in ("citizen_number", "old_id", "born", *Keys._fields)
    for slot in range(SOUGHT.get(name, 1))
)
BLOCK = (
    select(*_COMPARED)
    .where(or_(*(_ENTRY[name] == bindparam(slot) for name, slot in _KEYS)))
    .limit(bindparam("most", type_=Integer))
)
"""Each key is an equality of its own, so that both engines join the results of their indexes.

One statement for every question: it is built once, and prepared once by a connection.
"""

_ENTRY_COLUMNS = tuple(column.name for column in MATCH_ENTRIES.columns)
_NAME = _ENTRY_COLUMNS.index("name")
_PERSON_COLUMNS = [PERSONS.c[name] for name in RegistryPerson.__dataclass_fields__]
# Numbers of one statement: PostgreSQL and SQLite both take more.
_DELETED_AT_ONCE = 500
_WORD_LENGTH = 60
_NOT_COUNTED = 0
"""As the source of an entry: no digest of one."""

IndexRow = tuple[Any, ...]
"""One row of the index: its values in the order of the table's columns."""


def block(connection: Connection, asked: Comparable, limit: int) -> list[Comparable]:
    """The persons who share a key with the one asked for, at most ``limit``."""
    rows = connection.execute(BLOCK, {**keys_looked_up(asked), "most": limit})
    return [_comparable(row) for row in rows]


def of_letters_and_year(connection: Connection, whole_year: int) -> list[Comparable]:
    """The persons under one key of a name's letters with the year of birth, by number."""
    question = select(*_COMPARED).where(_ENTRY.whole_year == whole_year).order_by(_ENTRY.citizen_number)
    return [_comparable(row) for row in connection.execute(question)]


def keys_looked_up(asked: Comparable) -> dict[str, str | int | None]:
    """Key by parameter of ``BLOCK``; None, which equals nothing, for one that the question does not have."""
    sought: dict[str, tuple[str | int, ...]] = {
        "citizen_number": (asked.citizen_number,),
        "old_id": (asked.old_id,),
        "born": (whole_date(asked),),
        **sought_keys(asked),
    }
    found = {f"{name}_{slot}": key or None for name, keys in sought.items() for slot, key in enumerate(keys)}
    return dict.fromkeys(slot for _, slot in _KEYS) | found


def put(connection: Connection, persons: Iterable[RegistryPerson]) -> int:
    """Index persons; who stands already is replaced. To be called where an entry is written, or later."""
    rows = index_rows(persons)
    numbers = [row[0] for row in rows]
    for start in range(0, len(numbers), _DELETED_AT_ONCE):
        some = numbers[start : start + _DELETED_AT_ONCE]
        connection.execute(delete(MATCH_ENTRIES).where(_ENTRY.citizen_number.in_(some)))
    load_rows(connection, MATCH_ENTRIES.name, _ENTRY_COLUMNS, rows)
    return len(rows)


def keep(connection: Connection, person: RegistryPerson) -> None:
    """Let an entry be found from the moment it is written, where there is an index.

    It stays marked as changed: the next round counts the words of its name. An index that was never made is
    not begun with one entry, or it would pass for whole.
    """
    if not is_empty(connection):
        put(connection, [person])
        changed = update(MATCH_ENTRIES).where(_ENTRY.citizen_number == person.citizen_number)
        connection.execute(changed.values(source=_NOT_COUNTED))


def load(connection: Connection, rows: Iterable[IndexRow]) -> int:
    """Write the rows of persons who are known not to stand in the index yet."""
    return load_rows(connection, MATCH_ENTRIES.name, _ENTRY_COLUMNS, rows)


def not_indexed(connection: Connection, after: str, limit: int) -> tuple[list[RegistryPerson], str]:
    """Persons whose entry is not what the index was made from, of the next ``limit``, and the last number.

    The last number is empty when there are no further persons.
    """
    rows = connection.execute(
        select(*_PERSON_COLUMNS, _ENTRY.source.label("source"))
        .select_from(PERSONS.outerjoin(MATCH_ENTRIES, PERSONS.c.citizen_number == _ENTRY.citizen_number))
        .where(PERSONS.c.citizen_number > after)
        .order_by(PERSONS.c.citizen_number)
        .limit(limit)
    ).all()
    persons = [(_person(row), row.source) for row in rows]
    stale = [person for person, source in persons if source_of(person) != source]
    return stale, rows[-1].citizen_number if len(rows) == limit else ""


def is_empty(connection: Connection) -> bool:
    """Whether nobody is indexed."""
    return connection.execute(select(_ENTRY.citizen_number).limit(1)).first() is None


def was_indexed(connection: Connection) -> bool:
    """Whether an index was made to its end, where words are counted, or there is nobody to index."""
    has_words = connection.execute(select(MATCH_WORDS.c.word).limit(1)).first() is not None
    return (has_words and not is_empty(connection)) or not persons(connection, "", 1)


def persons(connection: Connection, after: str, limit: int) -> list[RegistryPerson]:
    """The next persons of the registry behind a number."""
    question = select(*_PERSON_COLUMNS).where(PERSONS.c.citizen_number > after)
    question = question.order_by(PERSONS.c.citizen_number).limit(limit)
    return [_person(row) for row in connection.execute(question)]


def names(connection: Connection) -> Iterator[str]:
    """Every name in the index, in its canonical words."""
    yield from connection.execute(select(_ENTRY.name).execution_options(yield_per=10_000)).scalars()


def write_frequencies(connection: Connection, people_of_word: Mapping[str, int]) -> None:
    """Replace the count of people by word."""
    connection.execute(delete(MATCH_WORDS))
    rows = [
        {"word": word, "people": people}
        for word, people in people_of_word.items()
        if len(word) <= _WORD_LENGTH
    ]
    if rows:
        connection.execute(insert(MATCH_WORDS), rows)


def frequencies(connection: Connection) -> WordFrequencies:
    """How much each word says among the people of the index."""
    people = connection.execute(select(func.count()).select_from(MATCH_ENTRIES)).scalar_one()
    words = connection.execute(select(MATCH_WORDS.c.word, MATCH_WORDS.c.people))
    return WordFrequencies({row.word: row.people for row in words}, people)


def index_rows(persons: Iterable[RegistryPerson]) -> list[IndexRow]:
    """The rows of the index for these persons."""
    return [_row(person) for person in persons]


def people_by_word(rows: Iterable[IndexRow]) -> Counter[str]:
    """How many of the persons of these rows bear each word in their name."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(set(name_of_canonical(row[_NAME]).bare))
    return counts


def _row(entry: RegistryPerson) -> IndexRow:
    person = prepare_person(entry)
    return (
        person.citizen_number,
        person.old_id,
        person.sex,
        person.name.text,
        person.father.text,
        person.mother.text,
        person.origin.text,
        person.residence.text,
        person.born,
        *index_keys(person),
        source_of(entry),
    )


def _comparable(row: Row[*tuple[Any, ...]]) -> Comparable:
    number, old_id, sex, name, father, mother, origin, residence, born = row
    return Comparable(
        name=name_of_canonical(name),
        born=born,
        sex=sex,
        citizen_number=number,
        old_id=old_id,
        origin=place_of_text(origin),
        residence=place_of_text(residence),
        father=name_of_canonical(father),
        mother=name_of_canonical(mother),
    )


def _person(row: Row[*tuple[Any, ...]]) -> RegistryPerson:
    values = {name: getattr(row, name) for name in RegistryPerson.__dataclass_fields__}
    return RegistryPerson(**{**values, "life_status": LifeStatus(values["life_status"])})
