"""``python -m issuance_backend.csca``: hold the key ceremony, renew lists and signers, revoke."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from issuance_backend.csca.ceremony import CeremonyPlan
from issuance_backend.csca.crl import MAX_DAYS
from issuance_backend.csca.pki_directory import SIGNER_CERTIFICATE, PkiDirectory
from verification.errors import VerificationError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    directory = PkiDirectory(options.out)
    moment = datetime.now(UTC).replace(microsecond=0)
    try:
        _run(options, directory, moment)
    except (VerificationError, OSError, ValueError) as fault:
        print(f"csca: {fault}", file=sys.stderr)
        return 1
    print(f"csca: {options.command} done in {options.out}")
    return 0


def _run(options: argparse.Namespace, directory: PkiDirectory, moment: datetime) -> None:
    if options.command == "ceremony":
        directory.create(_plan(options), moment)
    elif options.command == "document-signer":
        directory.renew_document_signer(_plan(options), moment, options.name)
    elif options.command == "crl":
        directory.renew_revocation_list(moment, days=options.crl_days)
    else:
        certificate = options.certificate or options.out / SIGNER_CERTIFICATE
        revoked = x509.load_der_x509_certificate(certificate.read_bytes())
        directory.renew_revocation_list(moment, revoke=revoked, days=options.crl_days)


def _plan(options: argparse.Namespace) -> CeremonyPlan:
    return CeremonyPlan(
        country=options.country,
        state=options.state,
        organization=options.organization,
        csca_use_days=options.csca_use_days,
        signer_use_days=options.signer_use_days,
        document_days=options.document_days,
        crl_days=options.crl_days,
        crl_url=options.crl_url,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="issuance_backend.csca", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ceremony = commands.add_parser("ceremony", help="make CSCA, document signer and an empty list")
    renewal = commands.add_parser("document-signer", help="put a new document signer in use")
    renewal.add_argument("--name", default=CeremonyPlan().signer_name, help="its common name")
    for command in (ceremony, renewal):
        _add_plan(command)
    crl = commands.add_parser("crl", help="issue the next revocation list")
    revoke = commands.add_parser("revoke", help="revoke a document signer and issue the list")
    revoke.add_argument("--certificate", type=Path, help="DER certificate; the signer in use unless given")
    for command in (ceremony, renewal, crl, revoke):
        command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the PKI's directory")
        command.add_argument("--crl-days", type=int, default=MAX_DAYS, help=f"at most {MAX_DAYS}")
    return parser


def _add_plan(parser: argparse.ArgumentParser) -> None:
    plan = CeremonyPlan()
    parser.add_argument("--country", default=plan.country, help="two letters")
    parser.add_argument("--state", default=plan.state, help="three letters, as in the MRZ")
    parser.add_argument("--organization", default=plan.organization)
    parser.add_argument(
        "--csca-use-days", type=int, default=plan.csca_use_days, help="the CSCA signs so long"
    )
    parser.add_argument(
        "--signer-use-days", type=int, default=plan.signer_use_days, help="a document signer signs so long"
    )
    parser.add_argument(
        "--document-days", type=int, default=plan.document_days, help="its certificate lives so much longer"
    )
    parser.add_argument("--crl-url", help="where the list is published; written into certificates")


if __name__ == "__main__":
    sys.exit(main())
