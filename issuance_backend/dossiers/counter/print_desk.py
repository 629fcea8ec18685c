"""Where the prints of a capture at a counter are taken, by the same rules as at a kit (F02, F03)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.capture_desk import NO_SCANNER
from issuance_backend.dossiers.counter.domain import (
    ATTEMPTS,
    SLAP_ATTEMPTS,
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
from verification.capture_form.print_gate import JudgedPrints, incomplete_slaps
from verification.capture_form.print_pictures import absent_fingers, is_judged
from verification.capture_form.scanned_prints import print_type
from verification.capture_form.stated_reasons import with_exception, without_contradicted
from verification.errors import FieldsRefused
from verification.lds.image_header import JPEG
from verification.messages.asked_prints import (
    ALL_SLAPS,
    FINGERPRINTS,
    NO_SLAP_SCANNER,
    excusable_fingers,
    is_contradicted,
    is_reason_for,
)
from verification.messages.counter_capture import CounterCapture, CounterPrints
from verification.messages.enrollment_packet import CaptureException
from verification.messages.hand_photos import HAND_PHOTOS, NEEDLESS, photo_fault

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
        photos = {item for item in taken.prints if item in HAND_PHOTOS}
        kept = sorted(judged.kept | photos)
        stored = self._drafts.pictures.put_all([(taken.prints[item], types[item]) for item in kept])
        items = {item: CounterItem(each.name, types[item]) for item, each in zip(kept, stored, strict=True)}
        reasons = without_contradicted(row.print_reasons, judged.kept)
        changed = replace(row, items={**row.items, **items}, print_reasons=reasons)
        said = {"items": " ".join(sorted(taken.prints)), "kept": " ".join(kept)}
        return self._tried(officer, row, changed, judged, said, stored)

    def tell_scanner(self, officer: Officer, which: str, *, takes_slaps: bool) -> CounterCapture:
        """Whether several fingers can be taken at once here: where not, slaps have that reason."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        no_scanner = CaptureException(ALL_SLAPS, NO_SLAP_SCANNER)
        reasons = tuple(each for each in row.print_reasons if each != no_scanner)
        changed = replace(row, slap_scanner=takes_slaps, print_reasons=reasons)
        said = {"slap_scanner": "yes" if takes_slaps else "no"}
        return self._tried(officer, row, changed, self._drafts.tried(row), said)

    def drop(self, officer: Officer, which: str, item: str) -> CounterCapture:
        """Take a print away that is not this finger's; its attempts stay. Raises CounterPrintUnknown."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        if item not in row.captured:
            raise CounterPrintUnknown("no such print")
        tried = self._drafts.tried(row).without(item)
        items = {name: each for name, each in row.items.items() if name != item}
        return self._tried(officer, row, replace(row, items=items), tried, {"dropped": item})

    def state_reason(self, officer: Officer, which: str, stated: CaptureException) -> CounterCapture:
        """Why a finger or slap, or all of them, has no print, by a code of the form; raises FieldsRefused."""
        row = self._drafts.own(officer, which)
        TABLE.advance(row.state, CounterEvent.TAKE_PRINTS)
        _require_excusable(row, stated)
        changed = replace(row, print_reasons=with_exception(row.print_reasons, stated))
        said = {"items": stated.item, "reason": stated.code.lower()}
        return self._tried(officer, row, changed, self._drafts.tried(row), said)

    def picture(self, officer: Officer, which: str, item: str) -> PrintPicture:
        """A print, for its officer and for who may answer for it; raises CounterPrintUnknown."""
        row = self._drafts.seen(officer, which)
        if row.officer != officer.id and Role.SUPERVISOR not in officer.roles:
            raise RoleMissing("prints are shown to who takes and who answers for them")
        found = row.captured.get(item)
        if found is None:
            raise CounterPrintUnknown("no such print")
        return PrintPicture(self._drafts.pictures.read(found.picture), found.media_type)

    def _judged(self, row: CounterRow, taken: CounterPrints) -> JudgedPrints:
        gate, before = gate_of(row), self._drafts.tried(row)
        prints = {item: taken.prints[item] for item in sorted(taken.prints) if is_judged(item)}
        if gate is None or not prints:
            return replace(before, kept=frozenset(prints))
        absent = absent_fingers(row.print_reasons)
        return gate.taken(self._checks.fingers(), before, prints, taken.capture_method, absent)

    def _tried(
        self,
        officer: Officer,
        row: CounterRow,
        changed: CounterRow,
        tried: JudgedPrints,
        said: dict[str, str],
        stored: Sequence[StoredPicture] = (),
    ) -> CounterCapture:
        """Keep what follows from the attempts: what is to be taken again, and what is the best available."""
        changed = changed.unprinted()
        gate, items, pictures = gate_of(row), dict(changed.items), list(stored)
        reasons = changed.print_reasons
        again = incomplete_slaps(tried.slaps, absent_fingers(reasons))
        if gate is not None:
            again |= {item for item, each in gate.seen(tried.attempts).items() if each.is_again}
            reasons = gate.with_best_available(reasons, tried.attempts)
        for item in changed.prints:
            items[item] = replace(items[item], is_again=item in again)
        for name, kept in ((ATTEMPTS, tried.attempts), (SLAP_ATTEMPTS, tried.slaps)):
            if kept:
                record = self._drafts.pictures.put(msgspec.json.encode(kept), _RECORD)
                items[name] = CounterItem(record.name, _RECORD)
                pictures.append(record)
        stands = replace(changed, items=items, print_reasons=reasons).settled()
        return self._drafts.changed(row, stands, CounterEvent.TAKE_PRINTS, officer, said, pictures)


def _types(row: CounterRow, taken: CounterPrints) -> dict[str, str]:
    """The media types of what may be taken; raises FieldsRefused before anything is decoded."""
    if not taken.prints:
        raise FieldsRefused({FINGERPRINTS: "FIELD_MISSING"})
    if not all(is_judged(item) or item in HAND_PHOTOS for item in taken.prints):
        raise FieldsRefused({FINGERPRINTS: "PRINT_OF_NO_FINGER"})
    asked = {*row.fingers, *row.slaps_to_take(has_scanner=True), *row.hand_photos}
    strange = sorted(taken.prints.keys() - asked)
    if strange:
        code = "ITEM_NOT_RETURNED" if row.dossier is not None else "PRINT_NOT_TAKEN_AT_THIS_AGE"
        raise FieldsRefused({item: NEEDLESS if item in HAND_PHOTOS else code for item in strange})
    return {item: _type_of(item, content) for item, content in taken.prints.items()}


def _type_of(item: str, content: bytes) -> str:
    if item not in HAND_PHOTOS:
        return print_type(item, content)
    fault = photo_fault(content)
    if fault is not None:
        raise FieldsRefused({item: fault})
    return JPEG


def _require_excusable(row: CounterRow, stated: CaptureException) -> None:
    """The form knows this reason for what is asked and not here; raises FieldsRefused."""
    is_no_answer = row.dossier is not None and stated.code == NO_SCANNER.upper()
    slaps = row.slaps_to_take(has_scanner=True)
    fingers = excusable_fingers(row.fingers, slaps, is_answer=row.dossier is not None)
    both = {item for item, of_all in ((FINGERPRINTS, row.fingers), (ALL_SLAPS, slaps)) if of_all}
    if stated.item not in both.union(fingers, slaps) or is_no_answer:
        raise FieldsRefused({"item": "EXCEPTION_UNKNOWN"})
    known = capture_form(row.day).exceptions
    if not any(each.code.upper() == stated.code and is_reason_for(each, stated.item) for each in known):
        raise FieldsRefused({stated.item: "EXCEPTION_UNKNOWN"})
    if is_contradicted(stated.item, row.prints.keys()):
        raise FieldsRefused({stated.item: "EXCEPTION_CONTRADICTED"})
