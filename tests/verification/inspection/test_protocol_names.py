"""Numbers of SecurityInfos in words."""

from __future__ import annotations

import pytest

from verification.inspection.protocol_names import parameters_name, protocol_name


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("0.4.0.127.0.7.2.2.4.1.1", "PACE-DH-GM-3DES-CBC-CBC"),
        ("0.4.0.127.0.7.2.2.4.2.2", "PACE-ECDH-GM-AES-CBC-CMAC-128"),
        ("0.4.0.127.0.7.2.2.4.4.3", "PACE-ECDH-IM-AES-CBC-CMAC-192"),
        ("0.4.0.127.0.7.2.2.4.6.4", "PACE-ECDH-CAM-AES-CBC-CMAC-256"),
        ("0.4.0.127.0.7.2.2.3.2.4", "CA-ECDH-AES-CBC-CMAC-256"),
        ("0.4.0.127.0.7.2.2.3.1.1", "CA-DH-3DES-CBC-CBC"),
    ],
)
def test_a_known_protocol(oid: str, name: str) -> None:
    assert protocol_name(oid) == name


@pytest.mark.parametrize(
    "oid", ["0.4.0.127.0.7.2.2.4", "0.4.0.127.0.7.2.2.4.5.2", "0.4.0.127.0.7.2.2.4.2.9", "1.2.3"]
)
def test_another_one_keeps_its_identifier(oid: str) -> None:
    assert protocol_name(oid) == oid


@pytest.mark.parametrize(
    ("parameter_id", "name"),
    [
        (None, None),
        (13, "brainpoolP256r1"),
        (0, "1024-bit MODP group with 160-bit subgroup"),
        (32, "parameter id 32"),
    ],
)
def test_parameters(parameter_id: int | None, name: str | None) -> None:
    assert parameters_name(parameter_id) == name
