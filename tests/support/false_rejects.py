"""Valid documents that are refused: none of 20,000 in every signature suite.

Open readers refuse 1 to 3 of 1,000 genuine documents, because a random r or s sometimes begins with
zeros. Each document here has data groups, a signature and, for elliptic curves, a document signer's
key of its own; RSA keys take too long to make for that, so that every 500th document has a new one.

``python -m tests.support.false_rejects [--count N] [SUITE ...]`` is the whole run: 20,000 in all ten
suites take some seven minutes of one core. The test suite asks for a few hundred of each. It is no
benchmark, because those are measured again when they miss their goal.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.signing_suites import SUITES, Suite, SuiteIssuer, card_files
from tests.support.trust_material import NOW
from verification.errors import VerificationError
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import CardFiles, LdsFile
from verification.pki.trust_store import TrustStore

COUNT = 20_000
DOCUMENTS_OF_AN_RSA_KEY = 500


def refused(suite: Suite, count: int) -> int:
    """How many of ``count`` freshly made valid documents of a suite are refused."""
    issuer = SuiteIssuer(suite)
    store = TrustStore.from_certificates([issuer.certificate])
    return sum(_is_refused(files, store) for files in _documents(issuer, count))


def _documents(issuer: SuiteIssuer, count: int) -> Iterator[CardFiles]:
    signer = issuer.signer()
    for number in range(count):
        if not isinstance(signer.key, rsa.RSAPrivateKey) or not (number + 1) % DOCUMENTS_OF_AN_RSA_KEY:
            signer = issuer.signer()
        yield card_files(issuer, signer, {LdsFile.DG1: secrets.token_bytes(93)})


def _is_refused(files: CardFiles, store: TrustStore) -> bool:
    try:
        authenticate(files, store, NOW)
    except VerificationError:
        return True
    return False


def main() -> int:
    """Count, print a line a suite, and say by the exit code whether any was refused."""
    parser = argparse.ArgumentParser(prog="tests.support.false_rejects")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    total = 0
    for name in options.suites or SUITES:
        found = refused(SUITES[name], options.count)
        print(f"{name}: {found} of {options.count} refused", flush=True)
        total += found
    return 1 if total else 0


if __name__ == "__main__":
    raise SystemExit(main())
