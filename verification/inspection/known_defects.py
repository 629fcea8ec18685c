"""What a defect list changes in a report (BSI TR-03135-1: the defect list overrides).

A fault that the issuer has told of leaves a failed check open, for a person to decide with the
reason at hand; a key that the issuer has given up proves nothing any more. Nothing here ever
makes a check succeed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from verification.errors import SignerRevoked
from verification.inspection.report import Check, CheckResult, Outcome
from verification.pki.defect_list import Defect, DefectKind

KNOWN_DEFECT = "CHIP_KNOWN_DEFECT"

_TOLD_OF: Mapping[DefectKind, tuple[Check, ...]] = {
    DefectKind.SECURITY_OBJECT_INVALID: (Check.SOD_DIGEST, Check.SOD_SIGNATURE),
    DefectKind.DATA_GROUP_MALFORMED: (Check.DOCUMENT_STRUCTURE,),
    DefectKind.FILE_LIST_INCONSISTENT: (Check.COM_CONSISTENCY,),
}
_GIVEN_UP: Mapping[DefectKind, tuple[Check, ...]] = {
    DefectKind.CHIP_AUTHENTICATION_KEY_REVOKED: (
        Check.CHIP_AUTHENTICATION,
        Check.CHIP_AUTHENTICATION_MAPPING,
    ),
    DefectKind.ACTIVE_AUTHENTICATION_KEY_REVOKED: (Check.ACTIVE_AUTHENTICATION,),
}


def with_defects(
    results: Mapping[Check, CheckResult], defects: Iterable[Defect]
) -> Mapping[Check, CheckResult]:
    """The same results after what is known of the signer's documents."""
    changed = dict(results)
    for defect in defects:
        reason = f"defect list: {defect.reason}"
        if defect.kind is DefectKind.SIGNER_REVOKED:
            changed[Check.SIGNER_REVOCATION] = CheckResult(Outcome.FAILED, SignerRevoked.code, reason)
        _leave_open(changed, _TOLD_OF.get(defect.kind, ()), Outcome.FAILED, reason)
        _leave_open(changed, _GIVEN_UP.get(defect.kind, ()), Outcome.SUCCESSFUL, reason)
    return changed


def _leave_open(
    results: dict[Check, CheckResult], checks: Iterable[Check], outcome: Outcome, reason: str
) -> None:
    for check in checks:
        if check in results and results[check].outcome is outcome:
            results[check] = CheckResult(Outcome.UNDETERMINED, KNOWN_DEFECT, reason)
