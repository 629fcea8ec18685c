"""The one way to a capture at a counter that is not sealed, and to what it looks like."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from issuance_backend import recorded_events
from issuance_backend.dossiers.counter import repository
from issuance_backend.dossiers.counter.acts import forget, written
from issuance_backend.dossiers.counter.domain import ATTEMPTS, SLAP_ATTEMPTS, CounterEvent, CounterRow
from issuance_backend.dossiers.counter.hands import fingers_of, photos_of, slaps_of
from issuance_backend.dossiers.counter.refusals import CounterCaptureUnknown
from issuance_backend.dossiers.pictures import Pictures, StoredPicture
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.capture_form.filled_form import PORTRAIT
from verification.capture_form.print_gate import JudgedPrints
from verification.fingerprint.print_attempts import FingerAttempts
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.counter_capture import CounterCapture, PaperMark

READERS = (Role.CAPTURE, Role.SUPERVISOR, Role.AUDITOR)
"""Who may look: at one's own captures, and those who oversee an area at all of it."""

OVERSEEING = frozenset({Role.SUPERVISOR, Role.AUDITOR})


class Drafts:
    """Reads and changes captures; whatever names one raises CounterCaptureUnknown for another's."""

    def __init__(self, database: Database, pictures: Pictures, clock: Clock) -> None:
        self.database = database
        self.pictures = pictures
        self.clock = clock

    def own(self, officer: Officer, which: str) -> CounterRow:
        """A capture of the officer who asks."""
        officer.require(Role.CAPTURE)
        row = self.seen(officer, which)
        if row.officer != officer.id:
            raise CounterCaptureUnknown("begun by another officer")
        return row

    def seen(self, officer: Officer, which: str) -> CounterRow:
        """The same, or one that the officer oversees."""
        officer.require(*READERS)
        with self.database.reading() as connection:
            row = repository.find(connection, which)
        if row is None or not (row.officer == officer.id or _is_overseen(row, officer)):
            raise CounterCaptureUnknown("no such capture")
        return row

    def changed(
        self,
        former: CounterRow,
        row: CounterRow,
        event: CounterEvent,
        officer: Officer,
        said: dict[str, str],
        pictures: Sequence[StoredPicture] = (),
    ) -> CounterCapture:
        """Write what an event made of a capture, and forget the pictures that it names no more."""
        moment = self.clock()
        with self.database.writing() as connection:
            Pictures.keep(connection, *pictures)
            step = written(connection, row, event, officer.id, moment, said)
            forget(connection, former.names - row.names, moment)
            recorded_events.append(connection, step)
        return self.view(officer, row.id)

    def view(self, officer: Officer, which: str) -> CounterCapture:
        """One capture with its fingers."""
        row = self.seen(officer, which)
        tried = self.tried(row)
        return msgspec.structs.replace(
            summary(row),
            fingers=fingers_of(row, tried),
            slaps=slaps_of(row, tried),
            hand_photos=photos_of(row),
        )

    def tried(self, row: CounterRow) -> JudgedPrints:
        """How fingers and slaps were tried; it holds templates, and lies sealed as pictures do."""
        of_fingers, of_slaps = self._record(row, ATTEMPTS), self._record(row, SLAP_ATTEMPTS)
        return JudgedPrints(
            msgspec.json.decode(of_fingers, type=dict[str, FingerAttempts]),
            msgspec.json.decode(of_slaps, type=dict[str, SlapAttempts]),
        )

    def _record(self, row: CounterRow, name: str) -> bytes:
        kept = row.items.get(name)
        return self.pictures.read(kept.picture) if kept else b"{}"

    def contents(self, row: CounterRow) -> dict[str, bytes]:
        """What the form is made of: the portrait, the prints and the photographs of hands."""
        names = {item: each.picture for item, each in row.captured.items()}
        if row.portrait is not None:
            names[PORTRAIT] = row.portrait
        return {item: self.pictures.read(name) for item, name in names.items()}


def summary(row: CounterRow) -> CounterCapture:
    """A capture as lists show it."""
    capture, paper = row.capture, row.paper
    return CounterCapture(
        id=row.id,
        state=row.state.value,
        officer=row.officer,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        missing=row.missing,
        exceptions=row.codes,
        print_reasons=row.print_reasons,
        unit=row.unit,
        dossier=row.dossier,
        slap_scanner=row.slap_scanner,
        citizen_number=capture.citizen_number if capture else None,
        full_name=capture.person.full_name if capture else None,
        form=row.form,
        language=row.language,
        is_signed=row.is_signed,
        paper=PaperMark(paper.limits, paper.score) if paper else None,
        unsigned=row.unsigned,
        answered_by=row.answered_by,
    )


def _is_overseen(row: CounterRow, officer: Officer) -> bool:
    if OVERSEEING.isdisjoint(officer.roles):
        return False
    return officer.area is None or (row.unit is not None and lies_in(row.unit, officer.area))
