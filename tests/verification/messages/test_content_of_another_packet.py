"""What was sealed in one packet opens in no other, though kit and officer themselves sign it once more."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.sealed_packets import Kit
from verification.messages import enrollment_packet
from verification.messages.enrollment_packet import PacketKeys, open_packet, parse_packet
from verification.messages.refusals import PacketAltered

CENTRE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("changes", [{"sequence": 2}, {"officer": "another.officer"}, {"kit": "kit-666"}])
def test_a_capture_is_no_second_application(changes: dict[str, Any]) -> None:
    kit = Kit(CENTRE.public_key())
    first = kit.seal(blobs={"portrait": b"\xff\xd8portrait"})
    assert open_packet(parse_packet(first.metadata), first.content, CENTRE).blobs["portrait"]
    payload = base64.urlsafe_b64decode(json.loads(first.metadata)["payload"] + "===")
    envelope = msgspec.json.decode(payload, type=enrollment_packet.PacketEnvelope)
    previous = first.packet_hash if "sequence" in changes else envelope.previous
    other = msgspec.structs.replace(envelope, previous=previous, **changes)
    keys = PacketKeys(kit.officer_key, kit.kit_key, CENTRE.public_key())
    again = enrollment_packet._signed_packet(other, keys, first.content)
    with pytest.raises(PacketAltered):
        open_packet(parse_packet(again.metadata), again.content, CENTRE)
