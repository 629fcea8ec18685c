"""Secrets and keys from files; whoever else may read them makes the start fail."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from monitoring.environment import ConfigurationFault
from verification.errors import SignatureInvalid
from verification.messages.seal import KEY_BYTES
from verification.messages.signing_key import PublicKey, SigningKey, public_key_of, thumbprint


def load_signing_key(path: Path) -> SigningKey:
    """The P-256 or Ed25519 private key in a PEM file; raises ConfigurationFault."""
    try:
        key = load_pem_private_key(_secret_bytes(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise ConfigurationFault(f"key file {path.name}: {type(fault).__name__}") from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ConfigurationFault(f"key file {path.name}: must be P-256 or Ed25519")


def load_seal_secret(path: Path) -> bytes:
    """The 32 random bytes that everything sealed rests on; raises ConfigurationFault."""
    secret = _secret_bytes(path)
    if len(secret) != KEY_BYTES:
        raise ConfigurationFault(f"seal key {path.name}: must be {KEY_BYTES} bytes")
    return secret


def load_public_jwk(path: Path) -> PublicKey:
    """The public key of a JWK file; raises ConfigurationFault."""
    try:
        jwk = json.loads(path.read_bytes())
        if isinstance(jwk, dict):
            return public_key_of(jwk)
    except (OSError, ValueError, SignatureInvalid) as fault:
        raise ConfigurationFault(f"JWK file {path.name}: {fault or type(fault).__name__}") from None
    raise ConfigurationFault(f"JWK file {path.name}: not a JSON object")


def load_trusted_log_keys(folder: Path) -> dict[str, PublicKey]:
    """Every ``log_key*.jwk`` and ``log_key*.pem`` (public) of a folder, by thumbprint."""
    keys = [load_public_jwk(path) for path in sorted(folder.glob("log_key*.jwk"))]
    keys += [_load_public_pem(path) for path in sorted(folder.glob("log_key*.pem"))]
    if not keys:
        raise ConfigurationFault("the trust folder holds no log_key*.jwk or log_key*.pem")
    return {thumbprint(key): key for key in keys}


def _load_public_pem(path: Path) -> PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as fault:
        raise ConfigurationFault(f"key file {path.name}: {type(fault).__name__}") from None
    if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        return key
    raise ConfigurationFault(f"key file {path.name}: must be P-256 or Ed25519")


def _secret_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationFault(f"secret file {path.name}: others may read it; set mode 600")
        return path.read_bytes()
    except OSError as fault:
        raise ConfigurationFault(f"secret file {path.name}: {type(fault).__name__}") from None
