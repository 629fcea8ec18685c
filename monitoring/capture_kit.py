"""A kit away from any office: it seals what was captured, and brings it to the centre later, over HTTP.

The keys are made here and live as long as the kit: each run of a demonstration registers another one.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from monitoring import staff as posts
from monitoring.probe_clients import HttpClient, Json, ProbeFailed
from monitoring.staff import UNIT, Staff
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import (
    CHUNK_BYTES,
    CITIZEN_SIGNATURE,
    FIRST,
    Consent,
    PacketDraft,
    PacketKeys,
    PacketParticulars,
    PrintedFormMark,
    SealedPacket,
    item_of,
    read_packet_receipt,
    seal_packet,
)
from verification.messages.signing_key import public_jwk, public_key_of, thumbprint

FORM = "CC01"
MEDIA_TYPES = {"portrait": "image/jpeg", CITIZEN_SIGNATURE: "image/png"}


class CaptureKit:
    """One kit with one officer, whose keys a supervisor has registered."""

    def __init__(self, staff: Staff, office_url: str, token: str) -> None:
        self._office = staff.at_office(posts.CAPTURE_OFFICER)
        self._centre = HttpClient(office_url, {"Authorization": f"Bearer {token}"})
        self._keys = self._centre.get_json("/v1/packet-keys")
        self.name = f"kit-{secrets.token_hex(4)}"
        self._kit_key, self._officer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._sequence, self._previous = 0, FIRST
        deciding = staff.at_office(posts.SUPERVISOR)
        kit = {"kit": self.name, "unit": UNIT, "jwk": public_jwk(self._kit_key.public_key())}
        deciding.send_json("POST", "/v1/kits", kit)
        jwk = public_jwk(self._officer_key.public_key())
        signer = {"kind": "officer", "owner": posts.CAPTURE_OFFICER, "jwk": jwk}
        deciding.send_json("POST", "/v1/packet-signers", signer)

    def capture(self, citizen_number: str, blobs: Mapping[str, bytes]) -> SealedPacket:
        """Seal a capture; ``blobs`` are the portrait and the citizen's signature."""
        extract = self._office.get_json(f"/v1/prefill/{citizen_number}")
        moment = datetime.now(UTC).isoformat()
        form = PrintedFormMark(FORM, hashlib.sha256(citizen_number.encode()).hexdigest())
        particulars = PacketParticulars(
            citizen_number=citizen_number,
            person=msgspec.convert(extract["person"], PersonFields),
            consent=Consent("vi", moment, form.sha256),
            printed_form=form,
            items=tuple(item_of(name, MEDIA_TYPES[name], blobs[name]) for name in blobs),
        )
        draft = PacketDraft(
            kit=self.name,
            sequence=self._sequence + 1,
            previous=self._previous,
            officer=posts.CAPTURE_OFFICER,
            happened_at=moment,
            particulars=particulars,
            blobs=blobs,
        )
        centre = public_key_of(self._keys["opening"])
        if not isinstance(centre, ec.EllipticCurvePublicKey):
            raise ProbeFailed("the centre's key for packets is none on a curve")
        packet = seal_packet(draft, PacketKeys(self._officer_key, self._kit_key, centre), os.urandom)
        self._sequence, self._previous = draft.sequence, packet.packet_hash
        return packet

    def bring(self, packet: SealedPacket) -> int:
        """Send a packet in chunks, and check the centre's receipt; how many chunks there were.

        A kit that lost the answer asks again: the same packet has the same receipt.
        """
        as_json = {"Content-Type": "application/json"}
        status: Json = msgspec.json.decode(self._centre.send("POST", "/v1/packets", packet.metadata, as_json))
        for offset in status["missing"]:
            chunk = packet.content[offset : offset + CHUNK_BYTES]
            digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Digest": f"sha-256=:{digest}:",
            }
            self._centre.send("PUT", f"/v1/packets/{packet.packet_hash}/chunks/{offset}", chunk, headers)
        first, again = (self._completed(packet) for _ in range(2))
        key = public_key_of(self._keys["receipts"])
        if read_packet_receipt(first, {thumbprint(key): key}).packet != packet.packet_hash:
            raise ProbeFailed("the centre's receipt is for another packet")
        if again != first:
            raise ProbeFailed("the centre gave two receipts for one packet")
        return len(status["missing"])

    def _completed(self, packet: SealedPacket) -> str:
        answered = self._centre.send_json("POST", f"/v1/packets/{packet.packet_hash}/completion")
        return str(answered["receipt"])
