"""One fresh software card on a virtual reader, for readers of other people.

``python -m issuance_backend.virtual_card --vpcd 127.0.0.1:PORT --profile cccd --export DIRECTORY``

It writes ``csca.der``, for a card with fingerprints the folder ``cvc`` of a terminal that may read
them (``cvc_0_cvca.cvcert``, ``cvc_1_dv.cvcert``, ``cvc_2_is.cvcert``, ``is_key.pkcs8``), and then
``card.json`` (``mrz, can, sha256 {data group: hex}``) into the directory, connects to the reader and
serves until it is ended. All authorities are made for this one card.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.csca.cv_authorities import CvCeremony, CvPlan, hold_cv_ceremony
from issuance_backend.csca.document_signer import sign_card_security, sign_security_object
from issuance_backend.virtual_card import vpcd
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import PROFILES
from issuance_backend.virtual_card.synthetic_card import CardIssuer, invent_holder, make_card
from issuance_backend.virtual_card.virtual_card import VirtualCard
from verification.lds.dg1 import parse_dg1
from verification.lds.files import LdsFile

_READER_SECONDS = 30.0


def main(arguments: list[str]) -> int:
    """Make the card, tell what opens it, and be it."""
    options = _options(arguments)
    moment = datetime.now(UTC)
    profile = PROFILES[options.profile]
    ceremony = hold_ceremony(CeremonyPlan(), moment)
    terminals = hold_cv_ceremony(CvPlan(), moment.date()) if profile.fingers else None
    signer = ceremony.document_signer
    issuer = CardIssuer(
        sign_security_object=lambda hashes: sign_security_object(hashes, signer),
        sign_card_security=lambda content: sign_card_security(content, signer),
        trust_points=(terminals.cvca.certificate.encoded,) if terminals else (),
    )
    image = make_card(profile, invent_holder(moment.date()), issuer, options.portrait_bytes)
    _export(options.export, "csca.der", ceremony.csca.certificate.public_bytes(Encoding.DER))
    if terminals:
        _export_terminal(options.export / "cvc", terminals)
    _export(options.export, "card.json", json.dumps(_what_opens(image), indent=1).encode("ascii"))
    return _serve(VirtualCard(image), options.vpcd)


def _export_terminal(directory: Path, terminals: CvCeremony) -> None:
    """A terminal of an invented state: its key is as open as the card's secrets beside it."""
    names = ("cvc_0_cvca.cvcert", "cvc_1_dv.cvcert", "cvc_2_is.cvcert")
    for name, certificate in zip(names, terminals.chain, strict=True):
        _export(directory, name, certificate)
    _export(directory, "is_key.pkcs8", terminals.terminal_key.to_pkcs8())


def _serve(card: VirtualCard, address: str) -> int:
    """Lie on the reader; a reader that restarts finds the card there again."""
    try:
        while True:
            vpcd.serve(card, vpcd.connect(address, _READER_SECONDS))
    except vpcd.ReaderAddressInvalid as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    except OSError:
        sys.stderr.write("the reader does not answer\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _what_opens(image: CardImage) -> dict[str, object]:
    return {
        "mrz": parse_dg1(image.files[LdsFile.DG1]).mrz,
        "can": image.can,
        "sha256": {
            str(file.value): hashlib.sha256(content).hexdigest()
            for file, content in image.files.items()
            if file.is_data_group
        },
    }


def _export(directory: Path, name: str, content: bytes) -> None:
    """Write a file that is whole as soon as it has its name: others wait for it."""
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f".{name}"
    unfinished.write_bytes(content)
    unfinished.replace(directory / name)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m issuance_backend.virtual_card", description=__doc__)
    parser.add_argument("--vpcd", required=True, metavar="HOST:PORT|unix:PATH")
    parser.add_argument("--profile", required=True, choices=PROFILES)
    parser.add_argument("--export", required=True, type=Path, metavar="DIRECTORY")
    parser.add_argument("--portrait-bytes", type=int, default=15_000, help="size of the picture in DG2")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
