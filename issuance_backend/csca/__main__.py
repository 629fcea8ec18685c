"""``python -m issuance_backend.csca``: key ceremonies, and what the issuer's keys do between them.

Commands that use the root keys take ``--custodian NAME=FILE`` for each custodian present; without
``=FILE`` the passphrase is typed. In a demonstration, whose custodians are invented, it is left out.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from issuance_backend.csca import due_dates
from issuance_backend.csca.ceremony import CeremonyPlan
from issuance_backend.csca.ceremony_session import CeremonySession
from issuance_backend.csca.crl import MAX_DAYS
from issuance_backend.csca.custodians import MIN_NEEDED, Custodian
from issuance_backend.csca.cv_authorities import CvPlan
from issuance_backend.csca.pki_directory import Founding, PkiDirectory
from issuance_backend.csca.pki_records import SIGNER_CERTIFICATE, TokenName
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signer_pool import SIGNER_QUOTA
from issuance_backend.csca.terminal_admission import require_empty_folder, write_terminal_folder
from verification.errors import MalformedDocument, VerificationError
from verification.pki.certificate import parse_certificate

_Step = Callable[[CeremonySession, argparse.Namespace], object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    directory = PkiDirectory(options.out)
    moment = datetime.now(UTC).replace(microsecond=0)
    try:
        return _run(options, directory, moment)
    except (VerificationError, OSError, ValueError) as fault:
        print(f"csca: {fault}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, directory: PkiDirectory, moment: datetime) -> int:
    if options.command != "ceremony":
        directory.records.settings()  # says so where no ceremony was held into this directory
    if options.command == "status":
        return _tell_what_is_due(directory, moment)
    if options.command == "log":
        findings = directory.verify_log(options.head)
        print(f"csca: {findings.lines} lines, unbroken; sealed by the CSCA up to line {findings.sealed}")
    elif options.command == "ceremony":
        directory.create(_plan(options), moment, _founding(options))
    elif options.command in _STEPS:
        with directory.under_dual_control(_custodians(options, directory), moment, options.head) as session:
            _STEPS[options.command](session, options)
    elif options.command == "master-list":
        directory.issue_master_list([_certificate(path) for path in options.certificate], moment)
    else:
        _admit_terminal(options, directory, moment)
    print(f"csca: {options.command} done in {options.out}")
    print(f"csca: head of the log, to be written down: {directory.verify_log().head}")
    return 0


def _renew_lists(session: CeremonySession, options: argparse.Namespace) -> None:
    session.renew_revocation_lists(days=options.crl_days)


def _revoke(session: CeremonySession, options: argparse.Namespace) -> None:
    encoded = _certificate(options.certificate or options.out / SIGNER_CERTIFICATE)
    revoked = x509.load_der_x509_certificate(encoded)
    session.renew_revocation_lists([revoked], days=options.crl_days)


def _add_signer(session: CeremonySession, options: argparse.Namespace) -> None:
    if options.starts is None:
        session.replace_document_signers(_plan(options), options.name)
    else:
        session.add_document_signer(_plan(options), options.name, options.starts)


def _rotate(session: CeremonySession, options: argparse.Namespace) -> None:
    made = session.rotate(_plan(options), options.name)
    print("csca: a new document signer is in use" if made else "csca: no new document signer is due")


# What is done while custodians are present.
_STEPS: dict[str, _Step] = {
    "crl": _renew_lists,
    "revoke": _revoke,
    "document-signer": _add_signer,
    "rotate": _rotate,
    "rollover": lambda session, options: session.roll_over(_plan(options)),
    "master-list-signer": lambda session, options: session.make_master_list_signer(_plan(options)),
    "cvca": lambda session, options: session.make_cvca(_cv_plan(options)),
    "document-verifier": lambda session, options: session.admit_document_verifier(_cv_plan(options)),
}


def _certificate(path: Path) -> bytes:
    encoded = path.read_bytes()
    try:
        parse_certificate(encoded)
    except MalformedDocument as fault:
        raise MalformedDocument(f"{path} is no certificate in DER: {fault}") from None
    return encoded


def _admit_terminal(options: argparse.Namespace, directory: PkiDirectory, moment: datetime) -> None:
    require_empty_folder(options.terminal)
    plan = _cv_plan(options)
    key = PrivateKey.of_profile(plan.key)
    chain = directory.admit_terminal(plan, (key.public_key, key.algorithm), moment)
    write_terminal_folder(options.terminal, chain, key)


def _tell_what_is_due(directory: PkiDirectory, moment: datetime) -> int:
    found = due_dates.find(directory.records, moment)
    for date in found:
        print(f"csca: {date}")
    return 1 if any(date.is_overdue for date in found) else 0


def _custodians(options: argparse.Namespace, directory: PkiDirectory) -> tuple[Custodian, ...]:
    return _proofs(options.custodian) or directory.kept_custodians()


def _proofs(given: Iterable[str]) -> tuple[Custodian, ...]:
    found = []
    for proof in given:
        name, _, file = proof.partition("=")
        typed = Path(file).read_bytes() if file else getpass.getpass(f"passphrase of {name}: ").encode()
        found.append(Custodian(name, typed.strip()))
    return tuple(found)


def _founding(options: argparse.Namespace) -> Founding:
    tokens: list[TokenName | None] = [None, None]
    pins = ["", ""]
    for place, (label, pin) in enumerate(
        ((options.root_token, options.root_pin_file), (options.signer_token, options.signer_pin_file))
    ):
        if label is not None:
            if options.token_library is None or pin is None:
                raise ValueError("a token is named with its --token-library and the file of its PIN")
            tokens[place] = TokenName(options.token_library, label)
            pins[place] = pin.read_text(encoding="utf-8").strip()
    return Founding(
        profile=options.profile,
        custodians=_proofs(options.custodian),
        needed=options.needed,
        root_token=tokens[0],
        signer_token=tokens[1],
        token_pins=(pins[0], pins[1]),
        signer_quota=options.quota,
    )


def _plan(options: argparse.Namespace) -> CeremonyPlan:
    return CeremonyPlan(
        country=options.country,
        state=options.state,
        organization=options.organization,
        csca_name=options.csca_name,
        csca_use_days=options.csca_use_days,
        signer_use_days=options.signer_use_days,
        document_days=options.document_days,
        crl_days=options.crl_days,
        crl_url=options.crl_url,
    )


def _cv_plan(options: argparse.Namespace) -> CvPlan:
    return CvPlan(country=options.country, cvca_mnemonic=options.cvca, terminal_mnemonic=options.holder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="issuance_backend.csca", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = {name: commands.add_parser(name, help=text) for name, text in _COMMANDS.items()}
    for name, command in made.items():
        command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the PKI's directory")
        if name in _STEPS or name == "ceremony":
            command.add_argument("--custodian", action="append", default=[], metavar="NAME[=FILE]")
            command.add_argument("--crl-days", type=int, default=MAX_DAYS, help=f"at most {MAX_DAYS}")
        if name in _STEPS or name == "log":
            command.add_argument("--head", help="the log's head that a custodian wrote down")
    for name in ("ceremony", "document-signer", "rotate", "rollover", "master-list-signer"):
        _add_plan(made[name])
    for name in ("document-signer", "rotate"):
        made[name].add_argument("--name", help="the signer's common name")
    for name in ("cvca", "document-verifier", "terminal"):
        _add_cv_plan(made[name])
    _add_founding(made["ceremony"])
    made["document-signer"].add_argument(
        "--starts", type=_day, metavar="YYYY-MM-DD", help="take it in use on that day, beside the others"
    )
    made["revoke"].add_argument("--certificate", type=Path, help="DER; the youngest signer unless given")
    made["master-list"].add_argument("--certificate", type=Path, action="append", default=[], metavar="FILE")
    made["terminal"].add_argument(
        "--terminal", type=Path, required=True, metavar="DIR", help="its own folder"
    )
    made["log"].add_argument(
        "--verify", action="store_true", required=True, help="walk the chain and the seals"
    )
    return parser


_COMMANDS = {
    "ceremony": "make CSCA, document signer and an empty list",
    "crl": "issue the next revocation list",
    "revoke": "revoke a document signer and issue the list",
    "document-signer": "put a new document signer in use; the keys of the others are destroyed",
    "rotate": "destroy keys that may sign no more, and make the next signer if it is due",
    "rollover": "make the CSCA's next key and link it to the one in use",
    "master-list-signer": "make a signer for master lists",
    "master-list": "sign our CSCA certificates, and others given, as a master list",
    "cvca": "make the country verifying CA, or its next key and the link to it",
    "document-verifier": "admit our document verifier under the CVCA",
    "terminal": "admit a terminal that may read fingerprints",
    "status": "what runs out when; 1 if something has",
    "log": "verify the ceremony's log",
}


def _add_founding(parser: argparse.ArgumentParser) -> None:
    founding = Founding()
    parser.add_argument("--profile", choices=("demo", "production"), default=founding.profile)
    parser.add_argument("--needed", type=int, default=MIN_NEEDED, help="custodians for the root keys")
    parser.add_argument("--quota", type=int, default=SIGNER_QUOTA, help="documents a signer signs at most")
    parser.add_argument("--token-library", metavar="FILE", help="PKCS#11 library of the hardware tokens")
    parser.add_argument("--root-token", metavar="LABEL", help="keep the root keys in this token")
    parser.add_argument(
        "--root-pin-file", type=Path, metavar="FILE", help="the PIN it has now; it gets another"
    )
    parser.add_argument("--signer-token", metavar="LABEL", help="keep the signers' keys in this token")
    parser.add_argument("--signer-pin-file", type=Path, metavar="FILE", help="its PIN")


def _add_cv_plan(parser: argparse.ArgumentParser) -> None:
    plan = CvPlan()
    parser.add_argument("--country", default=plan.country, help="two letters")
    parser.add_argument("--cvca", default=plan.cvca_mnemonic, help="mnemonic of the CVCA")
    parser.add_argument("--holder", default=plan.terminal_mnemonic, help="mnemonic of the terminals")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    plan = CeremonyPlan()
    parser.add_argument("--country", default=plan.country, help="two letters")
    parser.add_argument("--state", default=plan.state, help="three letters, as in the MRZ")
    parser.add_argument("--organization", default=plan.organization)
    parser.add_argument("--csca-name", default=plan.csca_name, help="common name of the CSCA")
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


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
