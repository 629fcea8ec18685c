"""``python -m enrollment_admin.station``: a kit by commands, for scripts and for what its pages do not do.

Every command names the kit's folder and the file of its store key; passphrases and the token come out of
files. What is answered is JSON, a line; no command prints anything about a person.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.certified import keep_officers, take_officers
from enrollment_admin.station.desks import Desks
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.durable_files import disk, write_whole
from enrollment_admin.station.gate import Declaration
from enrollment_admin.station.kit import Kit, KitProfile, make_kit, open_kit, renew_profile, utc_now
from enrollment_admin.station.kit_pages.app import STICKS, create_kit_app, serve
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.refused_packets import Refusal, RefusedPackets
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.scanned_prints import FILE_TYPES, finger_of, scanned
from enrollment_admin.station.sealing import Answering
from monitoring.environment import ConfigurationFault, read_secret
from monitoring.logs import configure
from verification.errors import RequestMalformed, VerificationError
from verification.fingerprint.nbis_engine import NbisEngine
from verification.messages.capture_terms import OldCard, Reason, StatedTerms
from verification.messages.commune_extract import CommuneExtract
from verification.messages.fault_catalogue import fault
from verification.messages.forms import FormEdition
from verification.messages.packet_intake import KitRegistration, PacketKeyList, SignerRegistration
from verification.messages.prints_taken import CaptureMethod
from verification.messages.receipt_code import receipt_code
from verification.messages.signing_key import public_key_of, thumbprint

YES, NO = "yes", "no"
Message = TypeVar("Message")
_Run = Callable[[argparse.Namespace], object]
_Described = Callable[[str, _Run, str], argparse.ArgumentParser]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        answered = options.run(options)
    except (ConfigurationFault, VerificationError) as fault:
        code = fault.code if isinstance(fault, VerificationError) else "CONFIGURATION"
        print(f"station: {code}: {fault}", file=sys.stderr)
        return 1
    print(msgspec.json.encode(answered).decode())
    if isinstance(answered, KitRegistration | SignerRegistration):
        # The centre's page shows the same of what was registered: a key that was changed on its way is seen.
        shown = thumbprint(public_key_of(answered.jwk))
        print(f"station: fingerprint of the key (SHA-256): {shown}", file=sys.stderr)
    return 0


def _init(options: argparse.Namespace) -> object:
    centre, form = _read(options.centre_keys, PacketKeyList), _read(options.form, FormEdition)
    has_slaps = options.slap_scanner == YES
    profile = KitProfile(options.kit, options.unit, centre, form, options.status_address, has_slaps)
    make_kit(options.folder, options.store_key, profile, os.urandom)
    return _kit(options).registration()


def _renew(options: argparse.Namespace) -> object:
    given = {
        "centre": _read(options.centre_keys, PacketKeyList) if options.centre_keys else None,
        "form": _read(options.form, FormEdition) if options.form else None,
        "status_address": options.status_address,
        "slap_scanner": options.slap_scanner == YES if options.slap_scanner else None,
    }
    renew_profile(options.folder, **{name: value for name, value in given.items() if value is not None})
    form = _kit(options).profile.form
    return {"form": f"{form.code}/{form.edition}"}


def _officer(options: argparse.Namespace) -> object:
    keys = _kit(options).officers
    return SignerRegistration("officer", options.officer, keys.make(options.officer, _passphrase(options)))


def _capture(options: argparse.Namespace) -> object:
    kit = _kit(options)
    desk = Desks(kit).of(options.officer)
    draft = _draft(desk, options)
    for item, file in options.item:
        draft = desk.keep(draft.id, item, *_picture(file))
    if options.prints:
        draft = desk.keep_all(draft.id, _prints(options.prints, options.capture_method))
    for item, code in options.exception:
        draft = desk.state_exception(draft.id, item, code)
    if options.portrait_reason:
        draft = desk.judge_portrait(draft.id, options.portrait_reason)
    if options.print_form:
        write_whole(options.print_form, desk.print_form(draft.id))
        draft = desk.draft(draft.id)
    if options.scan:
        draft = desk.judge_scan(draft.id, _picture(options.scan)[1])
    stops = draft.answer.stops if draft.answer else ()
    again = {item: each for item, each in draft.prints.items() if each.is_again}
    return {"draft": draft.id, "state": draft.state, "missing": draft.missing, "stops": stops, "again": again}


def _draft(desk: CaptureDesk, options: argparse.Namespace) -> Draft:
    if options.answer:
        return desk.answer(options.answer)
    if options.declaration is None:
        return desk.draft(options.draft)
    declaration = _read(options.declaration, Declaration)
    return desk.declare(options.draft, declaration) if options.draft else desk.begin(declaration)


def _seal(options: argparse.Namespace) -> object:
    kit, supervisor = _kit(options), None
    if options.supervisor:
        if options.supervisor_passphrase_file is None:
            raise ConfigurationFault("--supervisor needs --supervisor-passphrase-file")
        supervisor = Answering(options.supervisor, read_secret(options.supervisor_passphrase_file))
    desk = Desks(kit).of(options.officer)
    stated = StatedTerms(
        Reason(options.reason), OldCard(options.old_card), options.exemption, options.fee_receipt
    )
    return desk.seal(options.draft, _passphrase(options), options.language, supervisor, stated)


def _send(options: argparse.Namespace) -> object:
    return Outbox(_kit(options)).send(_centre(options))


def _fetch(options: argparse.Namespace) -> object:
    kit = _kit(options)
    sealed = _centre(options).commune_extract(kit.extract_request())
    keep_officers(kit, sealed.officers)
    return _of_extract(kit.keep_extract(sealed.extract))


def _returns(options: argparse.Namespace) -> object:
    """What is to be captured again, without a word of whom."""
    returns = Returns(_kit(options))
    if options.url:
        returns.fetch(_centre(options))
    return [
        {"dossier": each.dossier, "packet": each.packet, "items": each.items, "codes": each.codes}
        for each in returns.standing()
    ]


def _refused(options: argparse.Namespace) -> object:
    """What the centre refused, by the number on the printed form, and what an officer does about it."""
    kit = _kit(options)
    if options.url:
        Returns(kit).fetch(_centre(options))
    refused = RefusedPackets(kit)
    if options.seen_to:
        if options.officer is None:
            raise ConfigurationFault("--seen-to needs --officer")
        refused.see_to(options.seen_to, options.officer)
    return [_told(kit, each) for each in refused.standing()]


def _told(kit: Kit, each: Refusal) -> dict[str, object]:
    why = fault(each.code) if each.code else None
    return {
        "draft": f"{kit.profile.name}-{each.draft}",
        "packet": each.packet,
        "receipt_code": receipt_code(each.packet),
        "sequence": each.sequence,
        "refused_at": each.refused_at,
        "code": each.code,
        "why": {"vi": why.vi.what, "en": why.en.what} if why else None,
        "capture_again": each.is_captured_again,
    }


def _export(options: argparse.Namespace) -> object:
    """Packets, and the request for an extract and for returns, answered on the same stick."""
    kit = _kit(options)
    exported = Outbox(kit).export(options.to)
    kit.leave_request(options.to)
    return {"exported": exported}


def _import(options: argparse.Namespace) -> object:
    kit = _kit(options)
    take_officers(kit, options.stick)
    has_extract, has_returns = kit.take_extract(options.stick), Returns(kit).take(options.stick)
    has_refused = RefusedPackets(kit).take(options.stick)
    receipts = Outbox(kit).take_receipts(options.stick)
    return {"extract": has_extract, "returns": has_returns, "refused": has_refused, "receipts": receipts}


def _serve(options: argparse.Namespace) -> object:
    centre = _centre(options) if options.url else None
    configure("kit")
    serve(create_kit_app(_kit(options), centre, options.sticks), options.port)
    return None


def _status(options: argparse.Namespace) -> object:
    kit = _kit(options)
    with kit.database.reading() as connection:
        figures = kit.store.figures(connection)
    return {"kit": kit.profile.name, "figures": figures, "waiting": Outbox(kit).waiting()}


def _kit(options: argparse.Namespace) -> Kit:
    return open_kit(options.folder, options.store_key, utc_now, os.urandom, cache(NbisEngine))


def _centre(options: argparse.Namespace) -> CentreClient:
    if options.token_file is None:
        raise ConfigurationFault("--url needs --token-file")
    return CentreClient(options.url, read_secret(options.token_file))


def _of_extract(extract: CommuneExtract) -> object:
    """Whose extract it is, and until when it is relied upon."""
    return {"unit": extract.unit, "people": len(extract.people), "expires_at": extract.expires_at}


def _passphrase(options: argparse.Namespace) -> str:
    return read_secret(options.passphrase_file)


MEDIA_TYPES: Mapping[str, str] = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".wsq": "image/x-wsq",
}


def _picture(file: str) -> tuple[str, bytes]:
    path = Path(file)
    with disk():
        return MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"), path.read_bytes()


def _prints(folder: Path, method: CaptureMethod) -> list[Captured]:
    """The prints that a scanner left in a folder."""
    with disk():
        files = sorted(each for each in folder.iterdir() if each.suffix.lower() in FILE_TYPES)
        return [scanned(finger_of(each.name), each.read_bytes(), method) for each in files]


def _read(path: Path, kind: type[Message]) -> Message:
    try:
        with disk():
            return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError:
        raise RequestMalformed(f"{path.name} is no {kind.__name__}") from None


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError("NAME=VALUE")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enrollment_admin.station", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: _Run, told: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=told)
        added.add_argument("--folder", type=Path, required=True, help="the kit's own folder")
        added.add_argument("--store-key", type=Path, required=True, help="a file that is carried apart")
        added.set_defaults(run=run)
        return added

    _make_commands(command)
    _desk_commands(command)
    _carrier_commands(command)
    command("status", _status, "how much work stands where")
    return parser


def _make_commands(command: _Described) -> None:
    init = command("init", _init, "make a new kit; prints what the centre registers")
    init.add_argument("--kit", required=True)
    init.add_argument("--unit", required=True)
    renew = command("renew", _renew, "take other keys of the centre, or another edition of the form")
    for described in (init, renew):
        needed = described is init
        described.add_argument("--centre-keys", type=Path, required=needed, help="from GET /v1/packet-keys")
        described.add_argument("--form", type=Path, required=needed, help="from GET /v1/forms/CC01")
        described.add_argument(
            "--slap-scanner", choices=(YES, NO), help="whether the scanner takes several fingers at once"
        )
        described.add_argument("--status-address", help="the public page that the slip's QR code leads to")
    _sign(command("officer", _officer, "give an officer a key; prints what the centre registers"))


def _desk_commands(command: _Described) -> None:
    capture = command("capture", _capture, "begin a capture, or go on with one")
    capture.add_argument("--officer", required=True)
    begun = capture.add_argument_group("which", "--declaration begins one, or tries the gate again")
    begun.add_argument("--declaration", type=Path, help="JSON: citizen_number, full_name, date_of_birth, sex")
    begun.add_argument("--draft", default="")
    begun.add_argument("--answer", metavar="DOSSIER", help="begins what `returns` names")
    capture.add_argument("--item", type=_pair, action="append", default=[], metavar="NAME=FILE")
    capture.add_argument(
        "--prints", type=Path, help="a scanner's folder: finger_01.png, or WSQ; slaps finger_13.png"
    )
    capture.add_argument(
        "--capture-method",
        type=CaptureMethod,
        choices=tuple(CaptureMethod),
        default=CaptureMethod.DEVICE,
        help="ink only once a scanner's attempts are used up, or where there is none",
    )
    capture.add_argument("--exception", type=_pair, action="append", default=[], metavar="ITEM=CODE")
    capture.add_argument("--portrait-reason", help="why the portrait will do, where no engine judges it")
    capture.add_argument(
        "--print-form",
        type=Path,
        help="where the form is written (PDF), readable by anybody: print it, and remove it",
    )
    capture.add_argument("--scan", help="a scan of the printed page of prints, to be judged")
    seal = command("seal", _seal, "seal a capture under the kit's next number")
    _sign(seal)
    seal.add_argument("--draft", required=True)
    seal.add_argument("--language", default="vi", help="in which the citizen agreed")
    seal.add_argument("--reason", choices=tuple(Reason), default=Reason.FIRST, help="why a card is asked for")
    seal.add_argument("--old-card", choices=tuple(OldCard), default=OldCard.NONE, help="what became of it")
    seal.add_argument("--exemption", metavar="CODE", help="why the citizen pays nothing")
    seal.add_argument("--fee-receipt", metavar="NUMBER", help="of the receipt for a fee that is due")
    seal.add_argument("--supervisor", help="who answers for what is missing")
    seal.add_argument("--supervisor-passphrase-file", type=Path)
    pages = command("serve", _serve, "the officers' pages, on this machine alone")
    pages.add_argument("--port", type=int, default=8712)
    pages.add_argument("--sticks", type=Path, default=STICKS, help="under which sticks appear")
    _reach(pages, required=False)


def _carrier_commands(command: _Described) -> None:
    _reach(command("send", _send, "bring what waits to the centre"), required=True)
    _reach(command("fetch", _fetch, "fetch the commune's extract from the centre"), required=True)
    command("export", _export, "write what waits to a stick").add_argument("--to", type=Path, required=True)
    _reach(command("returns", _returns, "what came back to be captured again"), required=False)
    refused = command("refused", _refused, "which packets the centre refused, and why")
    _reach(refused, required=False)
    refused.add_argument("--seen-to", metavar="PACKET", help="its citizen was told: it is listed no more")
    refused.add_argument("--officer", help="who told the citizen")
    told = "take receipts, returns, refusals and the commune's extract from a stick"
    brought = command("import", _import, told)
    brought.add_argument("--from", dest="stick", type=Path, required=True)


def _reach(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument("--url", required=required, help="the issuance office")
    command.add_argument("--token-file", type=Path, required=required)


def _sign(command: argparse.ArgumentParser) -> None:
    command.add_argument("--officer", required=True)
    command.add_argument("--passphrase-file", type=Path, required=True)


if __name__ == "__main__":
    sys.exit(main())
