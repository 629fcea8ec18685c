"""``python -m verification inspect | masterlist | dump``: for support and for integrators.

Exit codes: 0 valid (the signature of a master list holds, a dump could be read), 1 invalid,
2 the command itself is wrong, 3 undetermined.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from verification.errors import VerificationError
from verification.inspection.file_dump import dump
from verification.inspection.inspect import inspect
from verification.inspection.report_text import (
    Json,
    as_lines,
    dump_facts,
    findings_facts,
    report_facts,
)
from verification.lds.file_names import file_of_name
from verification.lds.files import CardFiles, LdsFile
from verification.pki.defect_list import DefectList, parse_defect_list
from verification.pki.master_list import examine_master_list
from verification.pki.signature_policy import SignaturePolicy
from verification.pki.trust_store import TrustStore

VALID, INVALID, USAGE, UNDETERMINED = 0, 1, 2, 3

MAX_FILE_BYTES = 16 * 1024 * 1024
"""What is read of any one file; what is larger is refused unread."""
MAX_FOLDER = 200
"""Files in a folder; a card has twenty."""

_EXIT_CODES = {
    "valid": VALID,
    "successful": VALID,
    "invalid": INVALID,
    "failed": INVALID,
    "undetermined": UNDETERMINED,
}
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----\s*([A-Za-z0-9+/=\s]+?)-----END [A-Z0-9 ]+-----")


class UsageFault(Exception):
    """The command cannot be carried out as it was given: a file or a moment is wrong."""


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    order = _parser().parse_args(arguments)
    run: Callable[[Namespace], tuple[Json, int]] = order.run
    try:
        facts, code = run(order)
    except UsageFault as fault:
        print(fault, file=sys.stderr)
        return USAGE
    if order.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print(*as_lines(facts), sep="\n")
    return code


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m verification", description="judge and explain documents")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    judged = commands.add_parser("inspect", help="judge the files of one document")
    judged.add_argument("folder", type=Path, metavar="DIR", help="EF_COM.bin, EF_SOD.bin, EF_DG1.bin, ...")
    # Given twice they add up: a list that dropped out would make its revoked signers good.
    for option, content in (("--csca", "trusted CSCAs and master lists"), ("--crl", "revocation lists")):
        judged.add_argument(
            option,
            nargs="+",
            action="extend",
            type=Path,
            required=option == "--csca",
            default=[],
            metavar="FILE",
            help=content,
        )
    judged.add_argument("--at", metavar="ISO-TIME", help="the moment to judge for; now when left out")
    judged.add_argument(
        "--accept-legacy", action="store_true", help="SHA-1 and short keys, as before 2010; noted"
    )
    judged.add_argument(
        "--accept-no-signed-attributes", action="store_true", help="a signature over the bare list; noted"
    )
    judged.add_argument(
        "--defects", type=Path, metavar="FILE", help="known faulty signers, with their reasons"
    )
    judged.set_defaults(run=_inspect)

    examined = commands.add_parser("masterlist", help="judge a CSCA master list and every key in it")
    examined.add_argument("file", type=Path, metavar="FILE")
    examined.add_argument("--root", type=Path, metavar="FILE", help="the CSCA of the list's own issuer")
    examined.add_argument("--at", metavar="ISO-TIME", help="the moment to judge for; now when left out")
    examined.set_defaults(run=_masterlist)

    dumped = commands.add_parser("dump", help="what a file is and how it is made")
    dumped.add_argument("file", type=Path, metavar="FILE")
    dumped.add_argument("--with-person", action="store_true", help="the holder's data too")
    dumped.set_defaults(run=_dump)

    for command in (judged, examined, dumped):
        command.add_argument("--json", action="store_true", help="one JSON object on one line")
    return parser


def _inspect(order: Namespace) -> tuple[Json, int]:
    files, ignored = _document(order.folder)
    trust_store = TrustStore.from_files(
        (content for path in order.csca for content in _blocks(path)),
        (content for path in order.crl for content in _blocks(path)),
        policy=SignaturePolicy(
            accepts_legacy=order.accept_legacy,
            accepts_no_signed_attributes=order.accept_no_signed_attributes,
        ),
        defects=_defects(order.defects),
    )
    moment = _moment(order.at)
    report = inspect(files, trust_store, moment)
    facts = {"at": moment.isoformat(), **report_facts(report, trust_store, ignored)}
    return facts, _EXIT_CODES[report.verdict]


def _defects(path: Path | None) -> DefectList | None:
    try:
        return None if path is None else parse_defect_list(_content(path))
    except VerificationError as fault:
        raise UsageFault(f"{path}: {fault}") from None


def _masterlist(order: Namespace) -> tuple[Json, int]:
    root = None if order.root is None else _only_block(order.root)
    moment = _moment(order.at)
    encoded = _only_block(order.file)
    try:
        findings = examine_master_list(encoded, root, moment)
    except VerificationError as fault:
        return {"signature": "failed", "signature_code": fault.code, "signature_reason": str(fault)}, INVALID
    return findings_facts(findings), _EXIT_CODES[findings.signature]


def _dump(order: Namespace) -> tuple[Json, int]:
    found = dump(_only_block(order.file), with_person=order.with_person)
    return dump_facts(found), VALID if found.fault is None else INVALID


def _document(folder: Path) -> tuple[CardFiles, list[str]]:
    """The files of a card in a folder, and the names of what is none."""
    files: dict[LdsFile, bytes] = {}
    ignored = []
    for path in _paths(folder):
        content = _content(path)
        file = file_of_name(path.name, content)
        if file is None:
            ignored.append(path.name)
        elif file in files:
            raise UsageFault(f"{path.name}: {file.name} is in the folder twice")
        else:
            files[file] = content
    if not files:
        raise UsageFault(f"{folder}: no file of a document")
    return files, ignored


def _paths(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as fault:
        raise UsageFault(f"{folder}: {fault.strerror}") from None
    if len(found) > MAX_FOLDER:
        raise UsageFault(f"{folder}: more than {MAX_FOLDER} files")
    return found


def _only_block(path: Path) -> bytes:
    """The content of a file that may be written as PEM."""
    blocks = _blocks(path)
    if len(blocks) != 1:
        raise UsageFault(f"{path}: {len(blocks)} PEM blocks where one is expected")
    return blocks[0]


def _blocks(path: Path) -> list[bytes]:
    """The content of a file, or of each block of a PEM file."""
    content = _content(path)
    if b"-----BEGIN " not in content[:4096]:
        return [content]
    blocks = _PEM.findall(content)
    # What cannot be read must not read as an empty list of trusted CSCAs or of revoked signers.
    if len(blocks) != content.count(b"-----BEGIN "):
        raise UsageFault(f"{path}: PEM that is cut off or not base64")
    try:
        return [base64.b64decode(block) for block in blocks]
    except binascii.Error:
        raise UsageFault(f"{path}: PEM that is cut off or not base64") from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as fault:
        raise UsageFault(f"{path}: {fault.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageFault(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    return content


def _moment(text: str | None) -> datetime:
    """A moment without a zone is meant in UTC."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageFault(f"--at {text}: not a moment like 2026-11-22T08:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
