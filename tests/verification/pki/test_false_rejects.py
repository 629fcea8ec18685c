"""No valid document is refused: a sample of what tests/support/false_rejects.py does 20,000 times a suite.

The documents are random, so that each run asks for others; a fault of one in a thousand, as open
readers have it, shows here in most runs and never stays hidden there.
"""

from __future__ import annotations

import pytest

from tests.support.false_rejects import refused
from tests.support.signing_suites import SUITES

COUNTS = {"p256": 1500, "p384": 400, "brainpoolp256": 400, "rsa2048": 300, "rsa2048_pss": 300}
"""Those that make a document quickly are asked for more; the others for 100."""


@pytest.mark.parametrize("name", SUITES)
def test_no_valid_document_is_refused(name: str) -> None:
    assert refused(SUITES[name], COUNTS.get(name, 100)) == 0
