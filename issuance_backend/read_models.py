"""What is kept up to date with every recorded step, in that step's own transaction: one call each.

Notices are written with each step; figures count all steps of a transaction at once, before it is committed.

Whatever is called here is imported by ``recorded_events``: it may know ``steps``, never ``recorded_events``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from issuance_backend.outbox import repository as outbox
from issuance_backend.statistics.roll_up import roll_up
from issuance_backend.steps import Step
from monitoring.database import before_commit


def follow(connection: Connection, first: int, steps: Sequence[Step]) -> None:
    """Tell every read model of steps that were just recorded under this number and the next ones."""
    numbered = enumerate(steps, start=first)
    outbox.add(connection, [(number, step.notice, step.at) for number, step in numbered if step.notice])
    before_commit(connection, roll_up)
