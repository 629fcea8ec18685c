"""Every code that a step may name, by its cause: from where each is defined."""

from __future__ import annotations

from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.dossiers.particulars import RETURN_ITEMS
from verification.messages.capture_terms import Reason, packaged_fees
from verification.messages.fault_catalogue import fault_catalogue

CODES = {
    "returns": set(RETURN_ITEMS),
    "outcomes": {str(finding) for finding in Finding},
    "checks": {"province", "unit"},
    "vehicles": {"car", "motorcycle"},
    "plate_givers": {"commune", "district"},
    "fee_reasons": {str(reason) for reason in Reason},
    "exemptions": {each.code for each in packaged_fees().exemptions},
    "spoilage": {code for code in fault_catalogue() if len(code) <= 40},
    "exceptions": {
        stated.code
        for edition in packaged_forms().editions
        for stated in edition.exceptions
    } | {"cannot_sign"},
}  # fmt: skip
