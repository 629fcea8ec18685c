"""Sealed packets over HTTP: for whoever carries them, and for supervisors of kits."""

from __future__ import annotations

import base64
import binascii
import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.intake.extract_desk import KitExtractDesk
from issuance_backend.dossiers.intake.kit_office import KitOffice
from issuance_backend.dossiers.intake.refusals import PacketChunkRefused
from issuance_backend.dossiers.intake.returns_desk import KitReturnsDesk
from issuance_backend.dossiers.intake.service import IntakeDesk
from issuance_backend.http_body import BYTES, answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from verification.errors import LimitExceeded, RequestMalformed
from verification.messages.commune_extract import ExtractRequest
from verification.messages.enrollment_packet import CHUNK_BYTES, MAX_METADATA_BYTES
from verification.messages.packet_intake import (
    GapClosing,
    KitRegistration,
    PacketReceiptAnswer,
    PacketRelease,
    SignerRegistration,
    SignerRevocation,
)

PACKET_ROLE = "packet.deliver"
"""May bring packets: a kit, or a relay. What a packet is worth says its own signatures."""

JSON = "application/json"

_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
"""Content-Digest as we take it (RFC 9530)."""


def packets_blueprint(desk: IntakeDesk) -> Blueprint:
    """/v1/packets, for programs."""
    blueprint = Blueprint("packets", __name__, url_prefix="/v1")

    @blueprint.get("/packet-keys")
    def keys() -> ResponseReturnValue:
        return answer(desk.key_list())

    @blueprint.post("/packets")
    def announce() -> ResponseReturnValue:
        return answer(desk.announce(_body(JSON, MAX_METADATA_BYTES)), 202)

    @blueprint.get("/packets/<packet>")
    def status(packet: str) -> ResponseReturnValue:
        return answer(desk.status(packet))

    @blueprint.put("/packets/<packet>/chunks/<offset>")
    def put_chunk(packet: str, offset: str) -> ResponseReturnValue:
        desk.put_chunk(packet, _offset(offset), _digest(), _body(BYTES, CHUNK_BYTES))
        return "", 204

    @blueprint.post("/packets/<packet>/completion")
    def complete(packet: str) -> ResponseReturnValue:
        return answer(PacketReceiptAnswer(desk.complete(packet)))

    return blueprint


def extracts_blueprint(desk: KitExtractDesk) -> Blueprint:
    """/v1/commune-extracts, for kits and whoever carries their request; only the kit can read the answer."""
    blueprint = Blueprint("kit_extracts", __name__, url_prefix="/v1/commune-extracts")

    @blueprint.post("")
    def seal() -> ResponseReturnValue:
        return answer(desk.seal(read_body(ExtractRequest)))

    return blueprint


def returns_blueprint(desk: KitReturnsDesk) -> Blueprint:
    """/v1/kit-returns, for kits and whoever carries their request; only the kit can read the answer."""
    blueprint = Blueprint("kit_returns", __name__, url_prefix="/v1/kit-returns")

    @blueprint.post("")
    def seal() -> ResponseReturnValue:
        return answer(desk.seal(read_body(ExtractRequest)))

    return blueprint


def kits_blueprint(office: KitOffice) -> Blueprint:
    """/v1/kits and what a case decides on packets, for officers."""
    blueprint = Blueprint("kits", __name__, url_prefix="/v1")

    @blueprint.get("/kits")
    def kits() -> ResponseReturnValue:
        return answer(office.kits(acting_officer()))

    @blueprint.post("/kits")
    def register_kit() -> ResponseReturnValue:
        office.register_kit(acting_officer(), read_body(KitRegistration))
        return "", 204

    @blueprint.get("/kits/<kit>/numbers")
    def numbers(kit: str) -> ResponseReturnValue:
        return answer(office.numbers(acting_officer(), kit, read_page(1)))

    @blueprint.post("/kits/<kit>/gaps/<sequence>/closing")
    def close_gap(kit: str, sequence: str) -> ResponseReturnValue:
        return answer(office.close_gap(acting_officer(), kit, _offset(sequence), read_body(GapClosing)))

    @blueprint.post("/packet-signers")
    def register_signer() -> ResponseReturnValue:
        office.register_signer(acting_officer(), read_body(SignerRegistration))
        return "", 204

    @blueprint.post("/packet-signers/revocation")
    def revoke() -> ResponseReturnValue:
        return answer(office.revoke(acting_officer(), read_body(SignerRevocation)))

    @blueprint.post("/doubtful-packets/<packet>/decision")
    def decide(packet: str) -> ResponseReturnValue:
        return answer(office.decide(acting_officer(), packet, read_body(PacketRelease)))

    return blueprint


def _body(media_type: str, limit: int) -> bytes:
    if request.mimetype != media_type:
        raise RequestMalformed(f"the body is not {media_type}")
    if (request.content_length or 0) > limit:
        raise LimitExceeded("longer than the interface takes")
    return request.get_data(cache=False)


def _offset(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise RequestMalformed("not a number")
    return int(text)


def _digest() -> bytes:
    found = _DIGEST.fullmatch(request.headers.get("Content-Digest", ""))
    if found is None:
        raise PacketChunkRefused("no Content-Digest with SHA-256")
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        raise PacketChunkRefused("the Content-Digest is no base64") from None
