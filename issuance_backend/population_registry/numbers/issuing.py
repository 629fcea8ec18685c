"""Drawing, confirming and giving back numbers inside a transaction that the caller owns.

The caller has begun its entry in the journal: nobody else draws meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.numbers import domain, repository
from issuance_backend.population_registry.numbers.domain import NumberEvent, NumberRequest, NumberState
from issuance_backend.population_registry.numbers.repository import Block, DrawnNumber
from issuance_backend.refusals import IdempotencyConflict, NumberBlockExhausted, NumberReservationUnknown
from issuance_backend.steps import Step

DrawKey = Callable[[int], bytes]
"""Gives random bytes: the key of a new block."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """One caller's transaction: who acts, when, and where new keys come from."""

    connection: Connection
    actor: str
    moment: datetime
    draw_key: DrawKey


def reserve(act: Issuing, requests: Sequence[NumberRequest]) -> list[DrawnNumber]:
    """A number for every request, in order; a request that was here before gets the number it has.

    Raises IdempotencyConflict for a known request with another prefix, NumberBlockExhausted.
    """
    if len({request.request_id for request in requests}) != len(set(requests)):
        raise IdempotencyConflict("one request for numbers of two blocks")
    known = repository.of_requests(act.connection, [request.request_id for request in requests])
    waiting: dict[str, list[NumberRequest]] = defaultdict(list)
    for request in requests:
        former = known.get(request.request_id)
        if former is None:
            waiting[request.prefix].append(request)
        elif former.prefix != request.prefix:
            raise IdempotencyConflict("this request was for a number of another block")
    # One order for everybody who draws from several blocks.
    for prefix in sorted(waiting):
        drawn = _draw(act, prefix, list(dict.fromkeys(waiting[prefix])))
        known.update({number.request_id or "": number for number in drawn})
    return [known[request.request_id] for request in requests]


def confirm(act: Issuing, request_id: str) -> DrawnNumber:
    """Make the reserved number somebody's for ever; again, nothing happens.

    Raises NumberReservationUnknown when the number went back to its block meanwhile, or its time is over
    and a form came in that bears it.
    """
    number = _of_request(act, request_id)
    if number.state is NumberState.ISSUED:
        return number
    if _is_overdue(number, act.moment) and repository.stands_on_a_form(act.connection, number.citizen_number):
        raise NumberReservationUnknown("the number turned out to be somebody's")
    return _step(act, number, NumberEvent.CONFIRM)


def release(act: Issuing, request_id: str) -> DrawnNumber:
    """Give a reserved number back; raises TransitionRefused once it is issued."""
    number = _of_request(act, request_id)
    return _step(act, replace(number, request_id=None), NumberEvent.RELEASE)


def adopt(act: Issuing, citizen_number: str) -> bool:
    """Note that a number is held by somebody already; whether that was news."""
    known = repository.find(act.connection, citizen_number)
    if known is not None and known.state is NumberState.ISSUED:
        return False
    if known is not None:
        _step(act, replace(known, request_id=None), NumberEvent.ADOPT)
        return True
    state = domain.advance(None, NumberEvent.ADOPT)
    moment = rfc3339(act.moment)
    number = DrawnNumber(citizen_number, citizen_number[:6], state, None, None, moment)
    repository.add(act.connection, [number])
    _record(act, number.prefix, NumberEvent.ADOPT, state, 1)
    return True


def is_drawn_for_somebody(connection: Connection, citizen_number: str, moment: datetime) -> bool:
    """Whether the number is kept for, or was issued to, a request: it is on no card of before."""
    known = repository.find(connection, citizen_number)
    return known is not None and known.request_id is not None and not _is_overdue(known, moment)


def _is_overdue(number: DrawnNumber, moment: datetime) -> bool:
    return number.expires_at is not None and number.expires_at <= rfc3339(moment)


def _of_request(act: Issuing, request_id: str) -> DrawnNumber:
    number = repository.of_requests(act.connection, [request_id]).get(request_id)
    if number is None:
        raise NumberReservationUnknown("no number is kept for this request")
    return number


def _draw(act: Issuing, prefix: str, requests: Sequence[NumberRequest]) -> list[DrawnNumber]:
    connection, moment = act.connection, rfc3339(act.moment)
    block = repository.locked_block(connection, prefix)
    if block is None:
        block = repository.add_block(connection, prefix, act.draw_key(32))
    overdue = repository.free_overdue(connection, prefix, moment)
    if overdue:
        _record(act, prefix, NumberEvent.RELEASE, NumberState.FREE, overdue)
    returned = repository.free(connection, prefix, len(requests))
    new, block = _next(connection, block, len(requests) - len(returned))
    drawn = [
        DrawnNumber(
            number,
            prefix,
            domain.advance(NumberState.FREE if number in returned else None, NumberEvent.RESERVE),
            request.request_id,
            rfc3339(act.moment + domain.RESERVATION_LENGTH),
            moment,
        )
        for number, request in zip([*returned, *new], requests, strict=True)
    ]
    for number in drawn[: len(returned)]:
        repository.save(connection, number)
    repository.add(connection, drawn[len(returned) :])
    _record(act, prefix, NumberEvent.RESERVE, NumberState.RESERVED, len(drawn))
    repository.save_block(connection, _alarmed(act, block))
    return drawn


def _next(connection: Connection, block: Block, amount: int) -> tuple[list[str], Block]:
    """The next numbers of a block that nobody holds; raises NumberBlockExhausted."""
    found: list[str] = []
    position = block.position
    while len(found) < amount:
        run = list(islice(domain.serials(block.order_key, position), amount - len(found)))
        if not run:
            raise NumberBlockExhausted("every number of the block is drawn")
        position += len(run)
        numbers = [f"{block.prefix}{serial:06d}" for serial in run]
        held = repository.taken(connection, numbers)
        found += [number for number in numbers if number not in held]
    return found, replace(block, position=position)


def _alarmed(act: Issuing, block: Block) -> Block:
    if block.alarmed_at is not None or block.position < domain.ALARM_AT:
        return block
    alarm = Step(
        subject=f"number-block/{block.prefix}",
        event="nearly_exhausted",
        state="alarm",
        actor=act.actor,
        at=rfc3339(act.moment),
        detail={"drawn": str(block.position)},
    )
    journal.record(act.connection, alarm)
    return replace(block, alarmed_at=rfc3339(act.moment))


def _step(act: Issuing, number: DrawnNumber, event: NumberEvent) -> DrawnNumber:
    state = domain.advance(number.state, event)
    changed = replace(number, state=state, expires_at=None, changed_at=rfc3339(act.moment))
    repository.save(act.connection, changed)
    _record(act, number.prefix, event, state, 1)
    return changed


def _record(act: Issuing, prefix: str, event: NumberEvent, state: NumberState, amount: int) -> None:
    # The prefix says province, sex and year, which many share; a whole number would name one person.
    step = Step(
        subject=f"number-block/{prefix}",
        event=event.value,
        state=state.value,
        actor=act.actor,
        at=rfc3339(act.moment),
        detail={"numbers": str(amount)},
    )
    journal.record(act.connection, step)
