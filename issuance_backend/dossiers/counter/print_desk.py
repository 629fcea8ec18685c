"""Where the prints of a capture at a counter are taken, by the same rules as at a kit (F02, F03)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import NO_SCANNER
from issuance_backend.dossiers.counter.domain import (
    ATTEMPTS,
    TABLE,
    CounterEvent,
    CounterItem,
    CounterRow,
)
from issuance_backend.dossiers.counter.drafts import Drafts
from issuance_backend.dossiers.counter.hands import gate_of
from issuance_backend.dossiers.counter.refusals import CounterPrintUnknown
from issuance_backend.dossiers.forms.catalogue import capture_form
from issuance_backend.dossiers.pictures import StoredPicture
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import RoleMissing
from verification.capture_form.print_gate import JudgedPrints
from verification.capture_form.print_pictures import seen_print
from verification.capture_form.scanned_prints import print_type
from verification.capture_form.stated_reasons import with_exception, without_contradicted
from verification.errors import FieldsRefused
from verification.fingerprint.print_attempts import FingerAttempts
from verification.messages.asked_prints import FINGERPRINTS, is_contradicted, is_reason_for, is_single_finger
from verification.messages.counter_capture import CounterCapture, CounterPrints
from verification.messages.enrollment_packet import CaptureException
from verification.messages.prints_taken import CaptureMethod

_RECORD = "application/json"


class PrintPicture(NamedTuple):
    """One print as it was taken."""

    content: bytes
    media_type: str


class PrintDesk:
    """Takes prints into captures that are not sealed; raises as ``Drafts`` does."""

    def __init__(self, drafts: Drafts, checks: CaptureChecks) -> None:
        self._drafts = drafts
        self._checks = checks

    def take(self, officer: Officer, which: str, taken: CounterPrints) -> CounterCapture:
        """Judge prints and keep those that may stand; each finger says what was wrong with it.

        Raises FieldsRefused, with nothing kept and nothing counted, for what is no print, for fingers that
        are not asked and for ink that is not due, and as ``ContentScanner`` does.
        """
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        types = _types(row, taken)
        for content in taken.prints.values():
            self._checks.require_clean_scan(content)
        judged = self._judged(row, taken)
        kept = sorted(judged.kept)
        stored = self._drafts.pictures.put_all([(taken.prints[item], types[item]) for item in kept])
        prints = {item: CounterItem(each.name, types[item]) for item, each in zip(kept, stored, strict=True)}
        reasons = without_contradicted(row.print_reasons, judged.kept)
        changed = replace(row, items={**row.items, **prints}, print_reasons=reasons)
        said = {"items": " ".join(sorted(taken.prints)), "kept": " ".join(kept)}
        return self._tried(officer, row, changed, judged.attempts, said, stored)

    def drop(self, officer: Officer, which: str, item: str) -> CounterCapture:
        """Take a print away that is not this finger's; its attempts stay. Raises CounterPrintUnknown."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        if item not in row.prints:
            raise CounterPrintUnknown("no such print")
        attempts = self._drafts.attempts(row)
        if item in attempts:
            attempts[item] = attempts[item].without_print()
        items = {name: each for name, each in row.items.items() if name != item}
        return self._tried(officer, row, replace(row, items=items), attempts, {"dropped": item})

    def state_reason(self, officer: Officer, which: str, stated: CaptureException) -> CounterCapture:
        """Why a finger, or every finger, has no print, by a code of the form; raises FieldsRefused."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        _require_excusable(row, stated)
        changed = replace(row, print_reasons=with_exception(row.print_reasons, stated))
        said = {"items": stated.item, "reason": stated.code.lower()}
        return self._tried(officer, row, changed, self._drafts.attempts(row), said)

    def picture(self, officer: Officer, which: str, item: str) -> PrintPicture:
        """A print, for its officer and for who may answer for it; raises CounterPrintUnknown."""
        row = self._drafts.seen(officer, which)
        if row.officer != officer.id and Role.SUPERVISOR not in officer.roles:
            raise RoleMissing("prints are shown to who takes and who answers for them")
        found = row.prints.get(item)
        if found is None:
            raise CounterPrintUnknown("no such print")
        return PrintPicture(self._drafts.pictures.read(found.picture), found.media_type)

    def _judged(self, row: CounterRow, taken: CounterPrints) -> JudgedPrints:
        gate, before = gate_of(row), self._drafts.attempts(row)
        if gate is None:
            return JudgedPrints(before, kept=frozenset(taken.prints))
        if taken.capture_method is CaptureMethod.INK_RESCAN:
            gate.require_ink_due(before, taken.prints)
        engine = self._checks.fingers()
        seen = {item: seen_print(engine, item, taken.prints[item]) for item in sorted(taken.prints)}
        return gate.judged(engine, JudgedPrints(before), seen, taken.capture_method)

    def _tried(
        self,
        officer: Officer,
        row: CounterRow,
        changed: CounterRow,
        attempts: Mapping[str, FingerAttempts],
        said: dict[str, str],
        stored: Sequence[StoredPicture] = (),
    ) -> CounterCapture:
        """Keep what follows from the attempts: what is to be taken again, and what is the best available."""
        changed = changed.unprinted()
        gate, items, pictures = gate_of(row), dict(changed.items), list(stored)
        reasons = changed.print_reasons
        if gate is not None:
            seen = gate.seen(attempts)
            for item in changed.prints:
                items[item] = replace(items[item], is_again=item in seen and seen[item].is_again)
            reasons = gate.with_best_available(reasons, attempts)
        if attempts:
            record = self._drafts.pictures.put(msgspec.json.encode(attempts), _RECORD)
            items[ATTEMPTS] = CounterItem(record.name, _RECORD)
            pictures.append(record)
        stands = replace(changed, items=items, print_reasons=reasons)
        return self._drafts.changed(row, stands, CounterEvent.TAKE_PRINTS, officer, said, pictures)


def _types(row: CounterRow, taken: CounterPrints) -> dict[str, str]:
    """The media types of prints that may be taken; raises FieldsRefused before anything is decoded."""
    if not taken.prints:
        raise FieldsRefused({FINGERPRINTS: "FIELD_MISSING"})
    if not all(is_single_finger(item) for item in taken.prints):
        raise FieldsRefused({FINGERPRINTS: "PRINT_OF_NO_FINGER"})
    strange = sorted(taken.prints.keys() - set(row.fingers))
    if strange:
        code = "ITEM_NOT_RETURNED" if row.dossier is not None else "PRINT_NOT_TAKEN_AT_THIS_AGE"
        raise FieldsRefused(dict.fromkeys(strange, code))
    return {item: print_type(item, content) for item, content in taken.prints.items()}


def _require_excusable(row: CounterRow, stated: CaptureException) -> None:
    """The form knows this reason for a finger that is asked and not here; raises FieldsRefused."""
    is_no_answer = row.dossier is not None and stated.code == NO_SCANNER.upper()
    if stated.item not in {*row.fingers, FINGERPRINTS} or not row.fingers or is_no_answer:
        raise FieldsRefused({"item": "EXCEPTION_UNKNOWN"})
    known = capture_form(row.day).exceptions
    if not any(each.code.upper() == stated.code and is_reason_for(each, stated.item) for each in known):
        raise FieldsRefused({stated.item: "EXCEPTION_UNKNOWN"})
    if is_contradicted(stated.item, row.prints.keys()):
        raise FieldsRefused({stated.item: "EXCEPTION_CONTRADICTED"})
