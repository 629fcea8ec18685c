"""The counter's own key: it signs every request to the gateway (RFC 9421)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from monitoring.environment import ConfigurationFault

SigningKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey


def load_device_key(path: Path) -> SigningKey:
    """The P-256 or Ed25519 private key in a PEM file; raises ConfigurationFault.

    A key that others on the machine can read is refused: whoever has it speaks for this counter.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationFault(f"device key {path.name}: others may read it; set mode 600")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise ConfigurationFault(f"device key {path.name}: {type(fault).__name__}") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ConfigurationFault(f"device key {path.name}: must be P-256 or Ed25519")
