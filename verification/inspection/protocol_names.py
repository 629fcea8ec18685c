"""Names for what SecurityInfos say in numbers (ICAO 9303-11, 9.2 and 9.5.1)."""

from __future__ import annotations

from collections.abc import Mapping

from verification.encoding.curve_parameters import CURVES
from verification.lds.security_infos import CHIP_AUTHENTICATION, PACE

_PACE_MAPPINGS: Mapping[str, str] = {
    "1": "DH-GM",
    "2": "ECDH-GM",
    "3": "DH-IM",
    "4": "ECDH-IM",
    "6": "ECDH-CAM",
}
_KEY_AGREEMENTS: Mapping[str, str] = {"1": "DH", "2": "ECDH"}
_CIPHERS: Mapping[str, str] = {
    "1": "3DES-CBC-CBC",
    "2": "AES-CBC-CMAC-128",
    "3": "AES-CBC-CMAC-192",
    "4": "AES-CBC-CMAC-256",
}
_FAMILIES = (("PACE", PACE, _PACE_MAPPINGS), ("CA", CHIP_AUTHENTICATION, _KEY_AGREEMENTS))

_PARAMETERS: Mapping[int, str] = {
    0: "1024-bit MODP group with 160-bit subgroup",
    1: "2048-bit MODP group with 224-bit subgroup",
    2: "2048-bit MODP group with 256-bit subgroup",
    **{curve.parameter_id: curve.name for curve in CURVES},
}


def protocol_name(oid: str) -> str:
    """``PACE-ECDH-GM-AES-CBC-CMAC-128`` and its like; the identifier itself where it is another one."""
    for name, family, variants in _FAMILIES:
        variant, _, cipher = oid.removeprefix(f"{family}.").partition(".")
        if oid.startswith(f"{family}.") and variant in variants and cipher in _CIPHERS:
            return f"{name}-{variants[variant]}-{_CIPHERS[cipher]}"
    return oid


def parameters_name(parameter_id: int | None) -> str | None:
    """The standardized domain parameters of this number; None for proprietary ones."""
    return None if parameter_id is None else _PARAMETERS.get(parameter_id, f"parameter id {parameter_id}")
