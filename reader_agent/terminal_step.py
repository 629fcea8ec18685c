"""Terminal authentication at a counter that holds certificates: DG3 and DG4, where the chip opens them."""

from __future__ import annotations

from reader_agent.session.card_reading import NOT_OFFERED, CardReading
from verification.chip.reading import DocumentReader
from verification.chip.terminal_authentication import Terminal
from verification.errors import MalformedDocument, VerificationError
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.lds.files import LdsFile
from verification.lds.security_infos import TERMINAL_AUTHENTICATION, parse_card_access, parse_dg14

NOT_DONE = CheckResult(Outcome.UNDETERMINED)

TerminalSupply = Terminal | VerificationError | None
"""The terminal of this counter, why its certificates cannot be used, or None where it has none."""

_PROTECTED = frozenset({LdsFile.DG3, LdsFile.DG4})


def prove_terminal(reader: DocumentReader, reading: CardReading, supply: TerminalSupply) -> CheckResult:
    """Show the chip who reads and add what it opens to ``reading``; a lost card is raised.

    It comes right after chip authentication: without that the chip does not know whose
    signature it is given, and nothing is tried.
    """
    if not _asks_for_terminal(reading):
        return NOT_OFFERED
    if supply is None:
        return NOT_DONE
    if isinstance(supply, VerificationError):
        return CheckResult(Outcome.FAILED, supply.code)
    if reading.chip_authentication != PASSED:
        return NOT_DONE
    try:
        reader.authenticate_terminal(supply)
    except VerificationError as error:
        if error.retryable:
            raise
        return CheckResult(Outcome.FAILED, error.code)
    reading.files = {**reading.files, **reader.read_locked()}
    reading.locked = tuple(reader.locked)
    return PASSED


def _asks_for_terminal(reading: CardReading) -> bool:
    if not _PROTECTED.isdisjoint(reading.locked):
        return True
    for file, parse in ((LdsFile.DG14, parse_dg14), (LdsFile.CARD_ACCESS, parse_card_access)):
        try:
            infos = parse(reading.files[file])
        except (KeyError, MalformedDocument):
            continue  # not there, or the inspection says what is wrong with it
        others = (info.protocol for info in infos.unknown)
        if infos.terminal_authentication or TERMINAL_AUTHENTICATION in others:
            return True
    return False
