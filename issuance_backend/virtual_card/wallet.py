"""The drawer of software cards of a demonstration stand: puts cards on the virtual reader's slots.

``python -m issuance_backend.virtual_card.wallet --listen HOST:PORT --cards DIRECTORY --vpcd ADDRESS``
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Literal

import msgspec
from flask import Blueprint, Flask, Response, request
from werkzeug.serving import make_server

from issuance_backend.refusals import SlotUnknown, SoftwareCardUnknown, TamperingImpossible
from issuance_backend.virtual_card import vpcd
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.tampering import TAMPERING
from issuance_backend.virtual_card.virtual_card import VirtualCard
from monitoring.harness import instrument, mount, open_to_all
from monitoring.logs import configure
from verification.errors import ReaderNotFound, RequestMalformed

_LOG = logging.getLogger("issuance.wallet")
_CARD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_BODY = 1024
_LEAVE_SECONDS = 2.0
_ANSWER_SECONDS = 3.0
_STATUSES = {
    RequestMalformed: 400,
    SlotUnknown: 404,
    SoftwareCardUnknown: 404,
    TamperingImpossible: 409,
    ReaderNotFound: 503,
}
Tamper = Literal["cloned_chip", "swapped_dg14", "flipped_dg13"]


class Insertion(msgspec.Struct, forbid_unknown_fields=True):
    """Which card to put into a slot, and what a forger did to it first."""

    card: str
    tamper: Tamper | None = None


class SlotState(msgspec.Struct):
    """What lies in a slot."""

    slot: int
    card: str | None
    tamper: Tamper | None


class Slot:
    """One slot of the virtual reader; putting a card in takes the one before out."""

    def __init__(self, number: int, address: str, patience: float) -> None:
        self._number = number
        self._address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._inserted: Insertion | None = None
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def state(self) -> SlotState:
        """Say what lies here; a card that the reader dropped counts as gone."""
        with self._lock:
            here = self._inserted if self._thread is not None and self._thread.is_alive() else None
            return SlotState(self._number, here.card if here else None, here.tamper if here else None)

    def insert(self, insertion: Insertion, card: VirtualCard) -> None:
        """Lay the card on the reader; raises ReaderNotFound when the slot does not answer."""
        with self._lock:
            self._take_out()
            try:
                connection = vpcd.connect(self._address, self._patience)
            except OSError:
                raise ReaderNotFound("the slot does not answer") from None
            self._connection = connection
            self._inserted = insertion
            self._thread = threading.Thread(target=vpcd.serve, args=(card, connection), daemon=True)
            self._thread.start()

    def remove(self) -> None:
        """Take the card off the reader, also in the middle of a command."""
        with self._lock:
            self._take_out()

    def _take_out(self) -> None:
        connection, thread = self._connection, self._thread
        self._connection = self._thread = self._inserted = None
        if connection is None or thread is None:
            return
        try:
            # Closing alone would not wake the thread that waits for a command.
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            _LOG.debug("card had left already", extra={"slot": self._number})
        thread.join(_LEAVE_SECONDS)


class Wallet:
    """The cards of one directory and the slots they can lie in.

    ``patience`` is how many seconds a slot may take to answer.
    """

    def __init__(self, directory: Path, addresses: list[str], patience: float = _ANSWER_SECONDS) -> None:
        self._directory = directory
        self._slots = [Slot(number, address, patience) for number, address in enumerate(addresses)]

    def states(self) -> list[SlotState]:
        """Say what lies in each slot."""
        return [slot.state() for slot in self._slots]

    def insert(self, number: int, insertion: Insertion) -> SlotState:
        """Put a card into a slot.

        Raises SlotUnknown, SoftwareCardUnknown, MalformedDocument for a card file that is none,
        TamperingImpossible, ReaderNotFound when the slot does not answer.
        """
        slot = self._slot(number)
        image = CardImage.from_bytes(self._card_file(insertion.card).read_bytes())
        if insertion.tamper is not None:
            image = TAMPERING[insertion.tamper](image)
        slot.insert(insertion, VirtualCard(image))
        return slot.state()

    def remove(self, number: int) -> None:
        """Empty a slot; raises SlotUnknown."""
        self._slot(number).remove()

    def _slot(self, number: int) -> Slot:
        if not 0 <= number < len(self._slots):
            raise SlotUnknown("no such slot")
        return self._slots[number]

    def _card_file(self, card: str) -> Path:
        # The name comes from outside: a plain word names a file of the drawer and nothing else.
        path = self._directory / f"{card}.card"
        if not _CARD_ID.fullmatch(card) or not path.is_file():
            raise SoftwareCardUnknown("no such card")
        return path


def create_app(wallet: Wallet) -> Flask:
    """Make the wallet's HTTP service."""
    app = Flask("wallet")
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    instrument(app, "wallet", ready=dict, statuses=_STATUSES)
    # It holds cards of invented people and listens on the loopback interface of the demo stand only.
    mount(app, _slots(wallet), guard=open_to_all)
    return app


def _slots(wallet: Wallet) -> Blueprint:
    blueprint = Blueprint("slots", __name__, url_prefix="/slots")

    @blueprint.get("")
    def states() -> Response:
        return _json(wallet.states())

    @blueprint.put("/<int:number>")
    def insert(number: int) -> Response:
        return _json(wallet.insert(number, _insertion(request.get_data())))

    @blueprint.delete("/<int:number>")
    def remove(number: int) -> Response:
        wallet.remove(number)
        return Response(status=204)

    return blueprint


def _insertion(body: bytes) -> Insertion:
    try:
        return msgspec.json.decode(body, type=Insertion)
    except msgspec.DecodeError:
        raise RequestMalformed("not an insertion") from None


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), mimetype="application/json")


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m issuance_backend.virtual_card.wallet")
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--cards", required=True, type=Path, metavar="DIRECTORY")
    parser.add_argument("--vpcd", required=True, action="append", metavar="ADDRESS")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Serve until ended."""
    if os.environ.get("ISSUANCE_PROFILE") == "production":
        sys.stderr.write("software cards do not exist in production: the wallet does not start\n")
        return 2
    options = _arguments(arguments)
    configure("wallet")
    host, _, port = options.listen.rpartition(":")
    app = create_app(Wallet(options.cards, options.vpcd))
    server = make_server(host, int(port), app, threaded=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    sys.exit(main(sys.argv[1:]))
