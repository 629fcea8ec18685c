"""The SQL of returned captures: read from the recorded steps themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, false, or_, select, true

from issuance_backend.listing import lies_in
from issuance_backend.schema import EVENTS
from issuance_backend.statistics.returns import CAPTURED, RETURNED, Span, StepOfCapture
from issuance_backend.statistics.tables import FIGURE_MOVES
from issuance_backend.statistics.units import NATION

_AT_ONCE = 500
_STEPS = (
    select(EVENTS.c.sequence, EVENTS.c.subject, EVENTS.c.event, EVENTS.c.actor, EVENTS.c.detail)
    .where(
        EVENTS.c.subject.in_(bindparam("subjects", expanding=True)),
        EVENTS.c.event.in_((*CAPTURED, RETURNED)),
        EVENTS.c.sequence <= bindparam("last"),
    )
    .order_by(EVENTS.c.subject, EVENTS.c.sequence)
)


def steps_of_captures(connection: Connection, areas: Sequence[str], span: Span) -> Iterator[StepOfCapture]:
    """Captures and returns of every dossier that was captured in some areas in a span, one after another."""
    in_areas = or_(
        false(), *(lies_in(FIGURE_MOVES.c.unit, area) if area != NATION else true() for area in areas)
    )
    question = (
        select(EVENTS.c.subject)
        .distinct()
        .join(FIGURE_MOVES, FIGURE_MOVES.c.sequence == EVENTS.c.sequence)
        .where(EVENTS.c.sequence >= span.first, EVENTS.c.sequence <= span.last)
        .where(EVENTS.c.event.in_(CAPTURED), FIGURE_MOVES.c.kind == "dossier", in_areas)
        .order_by(EVENTS.c.subject)
    )
    subjects = list(connection.execute(question).scalars())
    for start in range(0, len(subjects), _AT_ONCE):
        asked = {"subjects": subjects[start : start + _AT_ONCE], "last": span.last}
        for sequence, subject, event, actor, detail in connection.execute(_STEPS, asked):
            said = msgspec.json.decode(detail, type=dict[str, str])
            yield StepOfCapture(sequence, subject, event, actor, said)
