"""What was checked, and with what outcome; the verdict is derived from it, never stored.

Outcomes are the words of BSI TR-03135-1: a check that was not made is ``undetermined``,
``not supported`` or ``aborted`` and can never read as passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from verification.lds.files import LdsFile


class Outcome(StrEnum):
    """The five ways a check ends (BSI TR-03135-1, 4.2)."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    NOT_SUPPORTED = "not supported"
    ABORTED = "aborted"


class Check(StrEnum):
    """One question that an inspection asks."""

    ACCESS_CONTROL = "access_control"
    DOCUMENT_STRUCTURE = "document_structure"
    SOD_DIGEST = "sod_digest"
    SOD_SIGNATURE = "sod_signature"
    SIGNER_SIGNATURE = "signer_signature"
    SIGNER_TRUST = "signer_trust"
    SIGNER_VALIDITY_AT_SIGNING = "signer_validity_at_signing"
    SIGNER_VALIDITY_NOW = "signer_validity_now"
    SIGNER_REVOCATION = "signer_revocation"
    AUTHORITY_VALIDITY_NOW = "authority_validity_now"
    DATA_GROUP_HASHES = "data_group_hashes"
    COM_CONSISTENCY = "com_consistency"
    COUNTRY_MATCH = "country_match"
    HOLDER_CONSISTENCY = "holder_consistency"
    CARD_SECURITY = "card_security"
    CHIP_AUTHENTICATION_MAPPING = "chip_authentication_mapping"
    CHIP_AUTHENTICATION = "chip_authentication"
    ACTIVE_AUTHENTICATION = "active_authentication"
    TERMINAL_AUTHENTICATION = "terminal_authentication"


class Integrity(StrEnum):
    """What became of one data group (BSI TR-03135-1, 4.2)."""

    IDENTICAL = "identical"
    NOT_IDENTICAL = "not identical"
    PRESENT = "present"  # signed for, and not compared: it was not read, or its hash is not relied on
    NOT_PRESENT = "not present"
    NON_CONFORMANT = "non-conformance"  # read, and EF.SOD has no hash of it


class Verdict(StrEnum):
    """What the checks add up to."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check and, where there is more to say than success, a fault code.

    A check that succeeded with a code succeeded with a note: what was found is odd, or accepted
    only because the policy says so.
    """

    outcome: Outcome
    code: str | None = None
    reason: str = ""


PASSED = CheckResult(Outcome.SUCCESSFUL)
NOT_MADE = CheckResult(Outcome.UNDETERMINED, "CHECK_NOT_MADE", "the check was not made")

# All of these must have succeeded before data may be called authentic. Revocation is an outcome
# of its own: a reader without a CRL says "undetermined" there, and a decision policy asks for it.
PASSIVE_AUTHENTICATION = (
    Check.DOCUMENT_STRUCTURE,
    Check.SOD_SIGNATURE,
    Check.SIGNER_TRUST,
    Check.SIGNER_VALIDITY_AT_SIGNING,
    Check.DATA_GROUP_HASHES,
)

# Whether the chip opens more files to this terminal says nothing about the document.
_ABOUT_THE_TERMINAL = frozenset({Check.TERMINAL_AUTHENTICATION})


@dataclass(frozen=True, slots=True)
class InspectionReport:
    """Outcomes by check, and what became of each data group. A check that is absent was not made."""

    checks: Mapping[Check, CheckResult]
    data_groups: Mapping[LdsFile, Integrity] = field(default_factory=dict)

    def outcome(self, check: Check) -> Outcome:
        """The outcome of a check; undetermined when it was not made."""
        result = self.checks.get(check)
        return result.outcome if result else Outcome.UNDETERMINED

    def passed(self, check: Check) -> bool:
        """Whether this very check was made and succeeded."""
        return self.outcome(check) is Outcome.SUCCESSFUL

    @property
    def every_check(self) -> Mapping[Check, CheckResult]:
        """A result for every check there is, in order, also for those that were not made."""
        return {check: self.checks.get(check, NOT_MADE) for check in Check}

    @property
    def is_data_authentic(self) -> bool:
        """Every part of passive authentication succeeded: the issuer signed these files."""
        return all(self.passed(check) for check in PASSIVE_AUTHENTICATION)

    @property
    def is_chip_genuine(self) -> bool:
        """CA, AA or the CAM of PACE proves that the chip holds its key; a signature binds that key.

        For CA and AA it is the one over the data groups, for CAM the one over EF.CardSecurity.
        """
        proven = (
            self.passed(Check.CHIP_AUTHENTICATION)
            or self.passed(Check.ACTIVE_AUTHENTICATION)
            or (self.passed(Check.CHIP_AUTHENTICATION_MAPPING) and self.passed(Check.CARD_SECURITY))
        )
        return proven and self.verdict is Verdict.VALID

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed, in the order of the enumeration."""
        return tuple(check for check in Check if self.outcome(check) is Outcome.FAILED)

    @property
    def notes(self) -> Mapping[Check, CheckResult]:
        """The checks that succeeded with something to say about it."""
        return {check: result for check, result in self.checks.items() if self.passed(check) and result.code}

    @property
    def fault_code(self) -> str | None:
        """The code of the first failure, else of the first missing part of passive authentication."""
        for check in self.failures:
            return self.checks[check].code
        for check in PASSIVE_AUTHENTICATION:
            if not self.passed(check):
                result = self.checks.get(check)
                return result.code if result and result.code else NOT_MADE.code
        return None

    @property
    def verdict(self) -> Verdict:
        """Invalid when a check of the document failed; else valid when the data are authentic."""
        if not _ABOUT_THE_TERMINAL.issuperset(self.failures):
            return Verdict.INVALID
        return Verdict.VALID if self.is_data_authentic else Verdict.UNDETERMINED
