"""What was checked, and with what outcome; the verdict is derived from it, never stored.

Outcomes are the words of BSI TR-03135-1: a check that was not made is ``undetermined``,
``not supported`` or ``aborted`` and can never read as passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
    SOD_SIGNATURE = "sod_signature"
    SIGNER_TRUST = "signer_trust"
    SIGNER_VALIDITY_AT_SIGNING = "signer_validity_at_signing"
    SIGNER_VALIDITY_NOW = "signer_validity_now"
    SIGNER_REVOCATION = "signer_revocation"
    DATA_GROUP_HASHES = "data_group_hashes"
    COM_CONSISTENCY = "com_consistency"
    COUNTRY_MATCH = "country_match"
    HOLDER_CONSISTENCY = "holder_consistency"
    CHIP_AUTHENTICATION = "chip_authentication"
    ACTIVE_AUTHENTICATION = "active_authentication"


class Verdict(StrEnum):
    """What the checks add up to."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check; ``code`` is the fault code where it did not succeed."""

    outcome: Outcome
    code: str | None = None
    reason: str = ""


PASSED = CheckResult(Outcome.SUCCESSFUL)

# All of these must have succeeded before data may be called authentic. Revocation is an outcome
# of its own: a reader without a CRL says "undetermined" there, and a decision policy asks for it.
PASSIVE_AUTHENTICATION = (
    Check.DOCUMENT_STRUCTURE,
    Check.SOD_SIGNATURE,
    Check.SIGNER_TRUST,
    Check.SIGNER_VALIDITY_AT_SIGNING,
    Check.DATA_GROUP_HASHES,
)


@dataclass(frozen=True, slots=True)
class InspectionReport:
    """Outcomes by check. A check that is absent was not made."""

    checks: Mapping[Check, CheckResult]

    def outcome(self, check: Check) -> Outcome:
        """The outcome of a check; undetermined when it was not made."""
        result = self.checks.get(check)
        return result.outcome if result else Outcome.UNDETERMINED

    def passed(self, check: Check) -> bool:
        """Whether this very check was made and succeeded."""
        return self.outcome(check) is Outcome.SUCCESSFUL

    @property
    def is_data_authentic(self) -> bool:
        """Every part of passive authentication succeeded: the issuer signed these files."""
        return all(self.passed(check) for check in PASSIVE_AUTHENTICATION)

    @property
    def is_chip_genuine(self) -> bool:
        """CA or AA proves the chip holds its key; only PA binds that key to the issuer."""
        proven = self.passed(Check.CHIP_AUTHENTICATION) or self.passed(Check.ACTIVE_AUTHENTICATION)
        return self.is_data_authentic and proven and not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed, in the order of the enumeration."""
        return tuple(check for check in Check if self.outcome(check) is Outcome.FAILED)

    @property
    def fault_code(self) -> str | None:
        """The code of the first failure, else of the first missing part of passive authentication."""
        for check in self.failures:
            return self.checks[check].code
        for check in PASSIVE_AUTHENTICATION:
            if not self.passed(check):
                result = self.checks.get(check)
                return result.code if result and result.code else "CHECK_NOT_MADE"
        return None

    @property
    def verdict(self) -> Verdict:
        """Invalid when any check failed, valid when the data are authentic, else undetermined."""
        if self.failures:
            return Verdict.INVALID
        return Verdict.VALID if self.is_data_authentic else Verdict.UNDETERMINED
