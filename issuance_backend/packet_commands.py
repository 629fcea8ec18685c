"""The commands of the intake of sealed packets: ``python -m issuance_backend packets``.

``ISSUANCE_INTAKE_KEY_DIR`` and ``ISSUANCE_INTAKE_DIR`` say where the centre's keys and the chunks are; the
rest is set as for the office itself, because what is opened becomes a dossier.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from issuance_backend import worker_loop
from issuance_backend.dossiers.intake.centre_keys import make_keys
from issuance_backend.dossiers.intake.composition import Intake
from issuance_backend.dossiers.intake.kit_office import KitOffice
from issuance_backend.intake_composition import issuance_extracts, issuance_intake
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Officer
from issuance_backend.partly_done import PartlyDone
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from verification.errors import VerificationError
from verification.messages.certified_officers import officers_file
from verification.messages.commune_extract import ExtractRequest, SealedExtract, extract_file
from verification.messages.enrollment_packet import CHUNK_BYTES, from_file
from verification.messages.kit_refusals import refusals_file
from verification.messages.kit_returns import SealedReturns, returns_file
from verification.messages.packet_intake import KitRegistration, SignerRegistration

PAUSE_SECONDS = 1.0

_Seal = Callable[[ExtractRequest], dict[str, str]]


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    key = commands.add_parser("new-key", help="make a key that opens packets, and once the key of receipts")
    key.add_argument("--keys", type=Path, required=True)
    key.add_argument("--id", required=True)
    register = commands.add_parser("register", help="register a kit, or a key of a kit or an officer")
    register.add_argument("--kind", choices=("new-kit", "kit", "officer"), required=True)
    register.add_argument("--owner", required=True)
    register.add_argument("--unit")
    register.add_argument("--key", type=Path, required=True, help="the public key as JWK")
    register.add_argument("--by", required=True, help="the supervisor who decides it")
    bring = commands.add_parser("import", help="take packet files from a stick and print receipts")
    bring.add_argument("files", type=Path, nargs="+")
    bring.add_argument("--receipts", type=Path, help="a folder to write each receipt to, for the kit")
    extract = commands.add_parser("extract", help="seal what kits asked for on a stick, for the way back")
    extract.add_argument("requests", type=Path, nargs="+")
    extract.add_argument("--to", type=Path, required=True, help="the folder of the stick")
    returns = commands.add_parser("returns", help="seal what kits capture again, and sign what was refused")
    returns.add_argument("requests", type=Path, nargs="+", help="the same that ask for extracts")
    returns.add_argument("--to", type=Path, required=True, help="the folder of the stick")
    work = commands.add_parser("work", help="open what was received and could not be opened at once")
    worker_loop.add_options(work)
    commands.add_parser("sweep", help="remove chunks of packets that are dossiers")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and VerificationError."""
    if options.action == "new-key":
        make_keys(options.keys, options.id)
        return f"{options.id} opens packets when the programs start anew; keep a copy apart"
    if options.action in {"extract", "returns"}:
        return _seal_for(options.requests, options.to, _sealing(options.action, environ, database))
    intake = issuance_intake(environ, database)
    if options.action == "register":
        return _register(options, database, intake.kits)
    if options.action == "import":
        return _bring_all(intake, options.files, options.receipts)
    if options.action == "sweep":
        return f"chunks of {intake.opening.sweep()} packets removed"
    worker = Worker(name="packets", turn=intake.opening.open_waiting, pause=PAUSE_SECONDS)
    return f"{worker_loop.work(options, worker)} packets decided"


def _register(options: argparse.Namespace, database: Database, office: KitOffice) -> str:
    by = _account(database, options.by)
    jwk = json.loads(options.key.read_text(encoding="utf-8"))
    if options.kind == "new-kit":
        office.register_kit(by, KitRegistration(kit=options.owner, jwk=jwk, unit=options.unit))
    else:
        office.register_signer(by, SignerRegistration(kind=options.kind, owner=options.owner, jwk=jwk))
    return f"{options.owner}: registered"


def _seal_for(requests: Sequence[Path], folder: Path, seal: _Seal) -> str:
    """Answer requests of kits, each with a file that is called as its kit looks for it."""
    written = []
    for path in requests:
        try:
            asked = msgspec.json.decode(path.read_bytes(), type=ExtractRequest)
        except msgspec.DecodeError:
            raise ValueError(f"{path.name}: no request of a kit") from None
        # Only a registered kit gets this far, so its name is one that a file may have.
        for name, sealed in seal(asked).items():
            (folder / name).write_text(sealed, encoding="ascii")
        written.append(f"{asked.kit}: sealed")
    return "\n".join(written)


def _sealing(action: str, environ: Mapping[str, str], database: Database) -> _Seal:
    """What answers a request, by how the answer's file is called."""
    if action == "extract":
        extracts = issuance_extracts(environ, database)
        return lambda asked: _extract_files(asked.kit, extracts.seal(asked))
    returns = issuance_intake(environ, database).returns
    return lambda asked: _returns_files(asked.kit, returns.seal(asked))


def _extract_files(kit: str, sealed: SealedExtract) -> dict[str, str]:
    listed = {officers_file(kit): sealed.officers} if sealed.officers else {}
    return {extract_file(kit): sealed.extract, **listed}


def _returns_files(kit: str, sealed: SealedReturns) -> dict[str, str]:
    listed = {refusals_file(kit): sealed.refused} if sealed.refused else {}
    return {returns_file(kit): sealed.returns, **listed}


def _bring_all(intake: Intake, files: Sequence[Path], folder: Path | None) -> str:
    """The receipts of packet files; raises PartlyDone where one is refused: it keeps no other out."""
    receipts, refused = [], []
    for path in files:
        try:
            receipts.append(_bring(intake, path))
            if folder is not None:
                (folder / f"{path.stem}.receipt").write_text(receipts[-1], encoding="ascii")
        except VerificationError as fault:
            refused.append(f"{path.name}: {fault.code}")
        except OSError as fault:
            refused.append(f"{path.name}: {type(fault).__name__}")
    if refused:
        raise PartlyDone("\n".join(receipts), ", ".join(refused))
    return "\n".join(receipts)


def _bring(intake: Intake, path: Path) -> str:
    metadata, content = from_file(path.read_bytes())
    status = intake.desk.announce(metadata)
    for offset in status.missing:
        chunk = content[offset : offset + CHUNK_BYTES]
        intake.desk.put_chunk(status.packet, offset, hashlib.sha256(chunk).digest(), chunk)
    return intake.desk.complete(status.packet)


def _account(database: Database, officer: str) -> Officer:
    with database.reading() as connection:
        account = officers.account(connection, officer)
    if account is None or account.is_suspended:
        raise ValueError("there is no such officer")
    return account.officer
