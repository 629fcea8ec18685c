"""Every fault of cards and access has its sentences."""

from __future__ import annotations

import pytest

from verification import errors
from verification.messages.fault_catalogue import fault_catalogue


def family(group: type[errors.VerificationError]) -> list[type[errors.VerificationError]]:
    return [group, *(member for child in group.__subclasses__() for member in family(child))]


@pytest.mark.parametrize(
    "error",
    [
        *family(errors.CardCommunication),
        *family(errors.AccessDenied),
        errors.ChipAuthenticationUnsupported,
    ],
    ids=lambda error: error.__name__,
)
def test_a_fault_of_the_card_can_be_told_in_both_languages(error: type[errors.VerificationError]) -> None:
    fault = fault_catalogue()[error.code]
    assert fault.retryable is error.retryable
    assert all((fault.vi.what, fault.vi.next, fault.en.what, fault.en.next))
    assert fault.vi.what != fault.en.what
