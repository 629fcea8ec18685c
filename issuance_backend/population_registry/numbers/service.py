"""The office that gives out citizen numbers: reserve, then confirm or give back."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from issuance_backend.moments import Clock
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.numbers import domain, issuing, repository
from issuance_backend.population_registry.numbers.domain import NumberRequest, NumberState
from issuance_backend.population_registry.numbers.issuing import DrawKey, Issuing
from issuance_backend.population_registry.numbers.repository import DrawnNumber
from issuance_backend.refusals import NumberBlockExhausted
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.identity.administrative_units import province
from verification.messages.national_time import vietnam_date
from verification.messages.registry_numbers import NumberBlock, NumberReservation, NumberWanted

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


class NumberOffice:
    """Owns the transactions around numbers; ``draw_key`` is another source of keys in tests."""

    def __init__(self, database: Database, clock: Clock, draw_key: DrawKey = secrets.token_bytes) -> None:
        self._database = database
        self._clock = clock
        self._draw_key = draw_key

    def reserve(self, actor: str, wanted: NumberWanted) -> NumberReservation:
        """Keep a number for a request; the same request again has the same one.

        Raises FieldsRefused, IdempotencyConflict, NumberBlockExhausted.
        """
        return self.reserve_all(actor, [_request(wanted, self._clock)])[0]

    def reserve_all(self, actor: str, requests: Sequence[NumberRequest]) -> list[NumberReservation]:
        """Keep a number for each of many requests, all or none of them."""
        with self._issuing(actor) as act:
            return [_reservation(number) for number in issuing.reserve(act, requests)]

    def confirm(self, actor: str, request_id: str) -> NumberReservation:
        """Issue the number that is kept for a request; raises NumberReservationUnknown."""
        with self._issuing(actor) as act:
            return _reservation(issuing.confirm(act, request_id))

    def release(self, actor: str, request_id: str) -> None:
        """Give the number of a request back; raises NumberReservationUnknown, TransitionRefused."""
        with self._issuing(actor) as act:
            issuing.release(act, request_id)

    def blocks(self, asked: PageAsked, *, alarming: bool) -> Page[NumberBlock]:
        """Blocks by prefix, all or only those that are nearly used up, with what stands in them."""
        after = asked.after[0] if asked.after else ""
        with self._database.reading() as connection:
            found = repository.blocks(
                connection,
                after=after,
                limit=asked.limit + 1,
                drawn_at_least=domain.ALARM_AT if alarming else 0,
            )
            entries = []
            for block in found:
                amounts = repository.counted(connection, block.prefix)
                entries.append(
                    NumberBlock(
                        prefix=block.prefix,
                        undrawn=domain.BLOCK_SIZE - block.position,
                        free=amounts[NumberState.FREE],
                        reserved=amounts[NumberState.RESERVED],
                        issued=amounts[NumberState.ISSUED],
                        alarmed_at=block.alarmed_at,
                    )
                )
        return page_of(entries, asked, lambda block: (block.prefix,))

    @contextmanager
    def _issuing(self, actor: str) -> Iterator[Issuing]:
        try:
            with self._database.writing() as connection:
                moment = journal.begin(connection, self._clock())
                yield Issuing(connection, actor, moment, self._draw_key)
        except NumberBlockExhausted:
            logger.error("number block exhausted", extra={"code": NumberBlockExhausted.code})  # noqa: TRY400
            raise


def _request(wanted: NumberWanted, clock: Clock) -> NumberRequest:
    faults = {}
    if not _REQUEST_ID.fullmatch(wanted.request_id):
        faults["request_id"] = "FIELD_CHARACTERS"
    if province(wanted.province) is None:
        faults["province"] = "CITIZEN_NUMBER_PROVINCE_UNKNOWN"
    if wanted.sex not in {"M", "F"}:
        faults["sex"] = "FIELD_CHARACTERS"
    if not wanted.date_of_birth.year >= 1900 or wanted.date_of_birth > vietnam_date(clock()):
        faults["date_of_birth"] = "FIELD_DATE"
    if faults:
        raise FieldsRefused(faults)
    prefix = domain.prefix_of(wanted.province, wanted.date_of_birth, wanted.sex)
    return NumberRequest(wanted.request_id, prefix)


def _reservation(number: DrawnNumber) -> NumberReservation:
    return NumberReservation(
        request_id=number.request_id or "",
        citizen_number=number.citizen_number,
        state=number.state.value,
        expires_at=number.expires_at,
    )
