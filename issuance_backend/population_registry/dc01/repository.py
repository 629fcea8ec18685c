"""The SQL of DC01 forms, batches and checks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, text, update

from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.dc01.domain import (
    CLEAN_STATES,
    Batch,
    BatchState,
    Form,
    FormState,
    Recheck,
    Values,
)
from issuance_backend.population_registry.dc01.likeness import likeness_key
from issuance_backend.population_registry.dc01.tables import (
    BATCHES,
    FORMS,
    KEYINGS,
    NOT_KEYED_AGAIN,
    RECHECKS,
    TO_BE_DECIDED,
)

_TEXTS = ("findings", "missing", "conflicts")
_BATCH_FIELDS = tuple(Batch.__dataclass_fields__)
_CHOICE = 50
"""Among so many forms an officer's own is chosen."""

_CLEAN = sorted(state.value for state in CLEAN_STATES)

WITHOUT_NUMBER = FORMS.c.citizen_number.is_(None)
"""Forms that bear no number."""

NOBODYS = FORMS.c.person.is_(None)
"""Forms of whom the registry has no entry, as far as is known."""


def add_form(connection: Connection, form: Form) -> None:
    """Write a new form."""
    connection.execute(insert(FORMS).values(id=form.id, barcode=form.barcode, **_columns(form)))


def save_form(connection: Connection, form: Form) -> None:
    """Write a form's new version over the one before it."""
    done = connection.execute(
        update(FORMS)
        .where(FORMS.c.id == form.id, FORMS.c.version == form.version - 1)
        .values(**_columns(form))
    )
    if done.rowcount != 1:
        raise RuntimeError("a form changed under the journal's lock")


def form(connection: Connection, form_id: str) -> Form | None:
    """The form with this id."""
    row = connection.execute(select(FORMS).where(FORMS.c.id == form_id)).one_or_none()
    return _form(row) if row else None


def form_with_barcode(connection: Connection, barcode: str) -> Form | None:
    """The form with this barcode."""
    row = connection.execute(select(FORMS).where(FORMS.c.barcode == barcode)).one_or_none()
    return _form(row) if row else None


def forms_of_batch(
    connection: Connection, batch_id: str, state: FormState | None = None, limit: int | None = None
) -> list[Form]:
    """The forms of a batch, of one state where it is given."""
    question = select(FORMS).where(FORMS.c.batch == batch_id).order_by(FORMS.c.id).limit(limit)
    if state is not None:
        question = question.where(FORMS.c.state == state.value)
    return [_form(row) for row in connection.execute(question)]


def states_in_batch(connection: Connection, batch_id: str) -> dict[FormState, int]:
    """How many forms of a batch stand where."""
    question = select(FORMS.c.state, func.count()).where(FORMS.c.batch == batch_id).group_by(FORMS.c.state)
    return {FormState(state): count for state, count in connection.execute(question)}


def forms_in(
    connection: Connection, state: FormState, asked: PageAsked, units: Collection[str] | None = None
) -> list[Form]:
    """Forms of one state, of these units where any are given; one more than a page holds."""
    question = select(FORMS).where(FORMS.c.state == state.value)
    if units is not None:
        question = question.where(FORMS.c.unit.in_(units))
    if asked.after is not None:
        question = question.where(FORMS.c.id > asked.after[0])
    return [_form(row) for row in connection.execute(question.order_by(FORMS.c.id).limit(asked.limit + 1))]


def states_in(connection: Connection, units: Collection[str] | None) -> dict[FormState, int]:
    """How many forms stand where, of these units where any are given."""
    question = select(FORMS.c.state, func.count()).group_by(FORMS.c.state)
    if units is not None:
        question = question.where(FORMS.c.unit.in_(units))
    return {FormState(state): count for state, count in connection.execute(question)}


def next_to_key(connection: Connection, officer: str, units: Collection[str] | None = None) -> Form | None:
    """A form that waits for its first keying, or for another after its batch was rejected."""
    states = [FormState.INDEXED.value, FormState.BATCH_REJECTED.value]
    question = select(FORMS.c.id).where(FORMS.c.state.in_(states))
    if units is not None:
        question = question.where(FORMS.c.unit.in_(units))
    waiting = connection.execute(question.order_by(FORMS.c.state, FORMS.c.id).limit(_CHOICE)).scalars().all()
    return form(connection, _own(waiting, officer)) if waiting else None


def forms_of_numbers(connection: Connection, numbers: Collection[str]) -> list[Form]:
    """Every form that is found again by one of these numbers."""
    question = select(FORMS).where(FORMS.c.citizen_number.in_(numbers)).order_by(FORMS.c.id)
    return [_form(row) for row in connection.execute(question)]


def clean_forms_of_likeness(connection: Connection, key: int, *only: ColumnElement[bool]) -> Iterator[Form]:
    """Clean forms under a key of :func:`likeness_key` by id, all or only some of them."""
    question = select(FORMS).where(FORMS.c.likeness == key, FORMS.c.state.in_(_CLEAN), *only)
    for row in connection.execute(question.order_by(FORMS.c.id)):
        yield _form(row)


def unregistered(connection: Connection, batch_id: str, after: str, limit: int) -> list[str]:
    """The clean forms of a batch that are nobody's in the registry, by id."""
    question = select(FORMS.c.id).where(FORMS.c.batch == batch_id, FORMS.c.state.in_(_CLEAN), NOBODYS)
    return list(
        connection.execute(question.where(FORMS.c.id > after).order_by(FORMS.c.id).limit(limit)).scalars()
    )


def count_unregistered(connection: Connection, batch_id: str) -> int:
    """How many clean forms of a batch are nobody's in the registry."""
    question = select(func.count()).where(FORMS.c.batch == batch_id, FORMS.c.state.in_(_CLEAN), NOBODYS)
    return connection.execute(question).scalar_one()


def barcodes_of(connection: Connection, citizen_number: str) -> list[str]:
    """The barcodes of a person's forms."""
    return list(connection.execute(select(FORMS.c.barcode).where(FORMS.c.person == citizen_number)).scalars())


def make_likeness(connection: Connection, limit: int) -> list[Form]:
    """Give forms of before their key of likeness, at most ``limit``; which."""
    question = select(FORMS).where(FORMS.c.likeness.is_(None)).order_by(FORMS.c.id).limit(limit)
    found = [_form(row) for row in connection.execute(question)]
    for each in found:
        key = likeness_key(each.values or {})
        connection.execute(update(FORMS).where(FORMS.c.id == each.id).values(likeness=key))
    return found


def lacks_likeness(connection: Connection) -> bool:
    """Whether a form of before has no key of likeness yet."""
    return (
        connection.execute(select(FORMS.c.id).where(FORMS.c.likeness.is_(None)).limit(1)).first() is not None
    )


def aged_forms(connection: Connection, fresh_from: date, limit: int) -> list[Form]:
    """Clean and living forms that nothing, not even their collection, confirmed since a day."""
    old = func.coalesce(FORMS.c.confirmed_on, FORMS.c.collected_on) < fresh_from
    states = [FormState.CLEAN.value, FormState.LIVE.value]
    question = select(FORMS).where(FORMS.c.state.in_(states), old).order_by(FORMS.c.id).limit(limit)
    return [_form(row) for row in connection.execute(question)]


def add_keying(connection: Connection, form: Form, officer: str, values: Values, moment: str) -> None:
    """Keep what somebody keyed, whatever becomes of it."""
    connection.execute(
        insert(KEYINGS).values(
            form=form.id,
            version=form.version,
            officer=officer,
            particulars=_json(dict(values)),
            keyed_at=moment,
        )
    )


def add_batch(connection: Connection, batch: Batch, moment: str) -> None:
    """Write a new batch."""
    connection.execute(insert(BATCHES).values(**_batch_columns(batch), opened_at=moment))


def save_batch(connection: Connection, batch: Batch, first_verdict_at: str | None = None) -> None:
    """Write a batch's new version over the one before it."""
    values: dict[str, object] = _batch_columns(batch)
    if first_verdict_at is not None:
        values["first_verdict_at"] = first_verdict_at
    done = connection.execute(
        update(BATCHES)
        .where(BATCHES.c.id == batch.id, BATCHES.c.version == batch.version - 1)
        .values(**values)
    )
    if done.rowcount != 1:
        raise RuntimeError("a batch changed under the journal's lock")


def batch(connection: Connection, batch_id: str) -> Batch | None:
    """The batch with this id."""
    row = connection.execute(select(BATCHES).where(BATCHES.c.id == batch_id)).one_or_none()
    return _batch(row) if row else None


def batches(
    connection: Connection,
    asked: PageAsked,
    state: BatchState | None,
    unit: str | None,
    units: Collection[str] | None = None,
) -> list[Batch]:
    """Batches by id, one more than a page holds."""
    question = select(BATCHES)
    if state is not None:
        question = question.where(BATCHES.c.state == state.value)
    if unit is not None:
        question = question.where(BATCHES.c.unit == unit)
    if units is not None:
        question = question.where(BATCHES.c.unit.in_(units))
    if asked.after is not None:
        question = question.where(BATCHES.c.id > asked.after[0])
    rows = connection.execute(question.order_by(BATCHES.c.id).limit(asked.limit + 1))
    return [_batch(row) for row in rows]


def first_verdicts(connection: Connection, unit: str) -> list[bool]:
    """Whether each batch of a unit passed its first sample, oldest first."""
    columns = BATCHES.c
    question = select(columns.first_verdict).where(columns.unit == unit, columns.first_verdict.is_not(None))
    rows = connection.execute(question.order_by(columns.first_verdict_at, columns.id)).scalars()
    return [verdict == BatchState.ACCEPTED.value for verdict in rows]


def add_recheck(connection: Connection, recheck: Recheck) -> None:
    """Write that a form was drawn."""
    connection.execute(
        insert(RECHECKS).values(
            form=recheck.form,
            round=recheck.round,
            batch=recheck.batch,
            first_clerk=recheck.first_clerk,
            differing=_json(()),
        )
    )


def save_recheck(connection: Connection, recheck: Recheck) -> None:
    """Write how far a check has come."""
    connection.execute(
        update(RECHECKS)
        .where(RECHECKS.c.form == recheck.form, RECHECKS.c.round == recheck.round)
        .values(
            second_clerk=recheck.second_clerk,
            second_values=None if recheck.second_values is None else _json(dict(recheck.second_values)),
            differing=_json(recheck.differing),
            decided_by=recheck.decided_by,
            first_wrong=None if recheck.first_wrong is None else _json(recheck.first_wrong),
        )
    )


def rechecks(connection: Connection, batch_id: str, round_: int) -> list[Recheck]:
    """The checks of one sample."""
    question = select(RECHECKS).where(RECHECKS.c.batch == batch_id, RECHECKS.c.round == round_)
    return [_recheck(row) for row in connection.execute(question.order_by(RECHECKS.c.form))]


def recheck(connection: Connection, form_id: str, round_: int) -> Recheck | None:
    """The check of a form in one round."""
    question = select(RECHECKS).where(RECHECKS.c.form == form_id, RECHECKS.c.round == round_)
    row = connection.execute(question).one_or_none()
    return _recheck(row) if row else None


def next_for(
    connection: Connection, officer: str, *, differing: bool, units: Collection[str] | None = None
) -> tuple[Recheck, Form] | None:
    """A drawn form that this officer may key again; or, ``differing``, may decide between two readings."""
    columns = RECHECKS.c
    if differing:
        fits = and_(text(TO_BE_DECIDED), columns.first_clerk != officer, columns.second_clerk != officer)
    else:
        fits = and_(text(NOT_KEYED_AGAIN), columns.first_clerk != officer)
    question = select(columns.form, columns.round).where(fits)
    if units is not None:
        its_batch = BATCHES.c.id == columns.batch
        question = question.join_from(RECHECKS, BATCHES, its_batch).where(BATCHES.c.unit.in_(units))
    question = question.order_by(columns.batch, columns.form).limit(_CHOICE)
    rounds = {row.form: row.round for row in connection.execute(question)}
    if not rounds:
        return None
    chosen = _own(rounds, officer)
    found, its_form = recheck(connection, chosen, rounds[chosen]), form(connection, chosen)
    return (found, its_form) if found is not None and its_form is not None else None


def judged_rechecks(connection: Connection, units: Collection[str] | None) -> list[Recheck]:
    """The finished checks of every sample whose verdict is known."""
    open_sample = and_(BATCHES.c.state == BatchState.SAMPLED.value, BATCHES.c.round == RECHECKS.c.round)
    question = (
        select(RECHECKS)
        .select_from(RECHECKS.join(BATCHES, BATCHES.c.id == RECHECKS.c.batch))
        .where(RECHECKS.c.first_wrong.is_not(None), ~open_sample)
        .order_by(RECHECKS.c.first_clerk)
    )
    if units is not None:
        question = question.where(BATCHES.c.unit.in_(units))
    return [_recheck(row) for row in connection.execute(question)]


def _own(forms: Iterable[str], officer: str) -> str:
    """One of some forms: another for each officer, or two who ask at once would do the same work."""
    return min(forms, key=lambda form_id: hashlib.sha256(f"{officer} {form_id}".encode()).digest())


def _columns(form: Form) -> dict[str, object]:
    return {
        "unit": form.unit,
        "state": form.state.value,
        "version": form.version,
        "batch": form.batch,
        "collected_on": form.collected_on,
        "pages": form.pages,
        "scan": form.scan,
        "particulars": None if form.values is None else _json(dict(form.values)),
        "citizen_number": form.number,
        "likeness": likeness_key(form.values or {}),
        "keyed_by": form.keyed_by,
        "keyed_round": form.keyed_round,
        "checked_right": form.checked_right,
        "corrected_by": form.corrected_by,
        "confirmed_on": form.confirmed_on,
        "person": form.person,
        **{name: _json(getattr(form, name)) for name in _TEXTS},
    }


def _form(row: Row[Any]) -> Form:
    columns = row._asdict()
    del columns["citizen_number"], columns["likeness"]
    columns["state"] = FormState(columns["state"])
    values = columns.pop("particulars")
    columns["values"] = None if values is None else msgspec.json.decode(values, type=dict[str, str])
    for name in _TEXTS:
        columns[name] = _texts(columns[name])
    return Form(**columns)


def _batch_columns(batch: Batch) -> dict[str, object]:
    return {**{name: getattr(batch, name) for name in _BATCH_FIELDS}, "state": batch.state.value}


def _batch(row: Row[Any]) -> Batch:
    columns = row._asdict()
    return Batch(**{**{name: columns[name] for name in _BATCH_FIELDS}, "state": BatchState(row.state)})


def _recheck(row: Row[Any]) -> Recheck:
    columns = row._asdict()
    if columns["second_values"] is not None:
        columns["second_values"] = msgspec.json.decode(columns["second_values"], type=dict[str, str])
    columns["differing"] = _texts(columns["differing"])
    if columns["first_wrong"] is not None:
        columns["first_wrong"] = _texts(columns["first_wrong"])
    return Recheck(**columns)


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _texts(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
