"""Keys in a hardware security module (PKCS#11, OASIS 2.40): they are made there and stay there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import pkcs11
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import PinIncorrect, PKCS11Error, UserAlreadyLoggedIn
from pkcs11.types import SignMixin

from issuance_backend.csca.signer import SigningKey
from issuance_backend.csca.signing_algorithms import KeyProfile, PublicKey, SigningAlgorithm, fits
from issuance_backend.refusals import SigningKeyUnavailable
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import OCTET_STRING, only
from verification.lds.card_verifiable import SignatureScheme

_CURVES: Mapping[bytes, ec.EllipticCurve] = {
    build_oid(PARAMETERS_BY_NAME[curve.name].oid): curve
    for curve in (
        ec.SECP256R1(),
        ec.SECP384R1(),
        ec.SECP521R1(),
        ec.BrainpoolP256R1(),
        ec.BrainpoolP384R1(),
        ec.BrainpoolP512R1(),
    )
}
# The module hashes for RSA; for ECDSA not all of them can, and it is given the hash.
_RSA_MECHANISMS: Mapping[tuple[SignatureScheme, str], Mechanism] = {
    (SignatureScheme.RSA_PKCS1, "sha256"): Mechanism.SHA256_RSA_PKCS,
    (SignatureScheme.RSA_PKCS1, "sha384"): Mechanism.SHA384_RSA_PKCS,
    (SignatureScheme.RSA_PKCS1, "sha512"): Mechanism.SHA512_RSA_PKCS,
    (SignatureScheme.RSA_PSS, "sha256"): Mechanism.SHA256_RSA_PKCS_PSS,
    (SignatureScheme.RSA_PSS, "sha384"): Mechanism.SHA384_RSA_PKCS_PSS,
    (SignatureScheme.RSA_PSS, "sha512"): Mechanism.SHA512_RSA_PKCS_PSS,
}
_PSS_HASHES: Mapping[str, tuple[Mechanism, MGF]] = {
    "sha256": (Mechanism.SHA256, MGF.SHA256),
    "sha384": (Mechanism.SHA384, MGF.SHA384),
    "sha512": (Mechanism.SHA512, MGF.SHA512),
}

_PRIVATE_TEMPLATE = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
_SIGNS = MechanismFlag.SIGN | MechanismFlag.VERIFY

_Answer = TypeVar("_Answer")


class HardwareToken:
    """A session with one token; a process holds at most one, because the login is the process's.

    Threads may share it: their calls take turns. A session that the module dropped is opened anew.
    """

    def __init__(self, library: str, label: str, pin: str) -> None:
        self._library = library
        self._label = label
        self._pin = pin
        self._turn = Lock()
        with _unavailable("the token cannot be opened"):
            self._session = self._login()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._label})"

    def generate(self, name: str, profile: KeyProfile) -> SigningKey:
        """Make a key pair in the token; raises SigningKeyUnavailable where the name is taken."""

        def make(session: pkcs11.Session) -> None:
            if list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: name})):
                raise SigningKeyUnavailable(f"the token already holds a key {name}")
            _generate(session, name, profile)

        self._in_turn(make)
        return self.open(name, profile.algorithm)

    def open(self, name: str, algorithm: SigningAlgorithm) -> SigningKey:
        """A key of the token by its name; raises SigningKeyUnavailable."""
        return _HardwareKey(self, name, algorithm, self._in_turn(lambda session: _public_key(session, name)))

    def destroy(self, name: str) -> None:
        """Destroy a key pair; one that is not there is left alone."""

        def remove(session: pkcs11.Session) -> None:
            for found in list(session.get_objects({Attribute.LABEL: name})):
                found.destroy()

        self._in_turn(remove)

    def change_pin(self, pin: str) -> None:
        """Give the token another PIN."""
        self._in_turn(lambda session: session.set_pin(self._pin, pin))
        self._pin = pin

    def sign(self, name: str, data: bytes, algorithm: SigningAlgorithm) -> bytes:
        """Sign with the key of this name; raises SigningKeyUnavailable."""
        return self._in_turn(lambda session: _sign(session, name, data, algorithm))

    def close(self) -> None:
        """Log out; the token can be opened again afterwards."""
        with self._turn, _unavailable("the token does not log out"):
            self._session.close()

    def _login(self) -> pkcs11.Session:
        token = pkcs11.lib(self._library).get_token(token_label=self._label)
        return token.open(rw=True, user_pin=self._pin)

    def _in_turn(self, work: Callable[[pkcs11.Session], _Answer]) -> _Answer:
        with self._turn, _unavailable("the token does not do what was asked"):
            try:
                return work(self._session)
            except (pkcs11.SessionHandleInvalid, pkcs11.SessionClosed, pkcs11.UserNotLoggedIn):
                self._session = self._login()
                return work(self._session)


class _HardwareKey:
    """One key of a token behind the ``SigningKey`` port."""

    def __init__(
        self, token: HardwareToken, name: str, algorithm: SigningAlgorithm, public_key: PublicKey
    ) -> None:
        if not fits(public_key, algorithm):
            raise SigningKeyUnavailable(f"a key of this kind does not sign with {algorithm}")
        self._token = token
        self._name = name
        self.algorithm = algorithm
        self.public_key = public_key

    def sign(self, data: bytes) -> bytes:
        """Sign in the token."""
        return self._token.sign(self._name, data, self.algorithm)


def _generate(session: pkcs11.Session, name: str, profile: KeyProfile) -> None:
    if isinstance(profile.kind, int):
        session.generate_keypair(
            KeyType.RSA,
            profile.kind,
            store=True,
            label=name,
            capabilities=_SIGNS,
            private_template=_PRIVATE_TEMPLATE,
        )
        return
    curve = build_oid(PARAMETERS_BY_NAME[profile.kind.name].oid)
    parameters = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True)
    parameters.generate_keypair(
        store=True, label=name, capabilities=_SIGNS, private_template=_PRIVATE_TEMPLATE
    )


def _public_key(session: pkcs11.Session, name: str) -> PublicKey:
    found = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=name)
    try:
        if found.key_type is KeyType.RSA:
            modulus, exponent = found[Attribute.MODULUS], found[Attribute.PUBLIC_EXPONENT]
            numbers = (int.from_bytes(number, "big") for number in (exponent, modulus))
            return rsa.RSAPublicNumbers(*numbers).public_key()
        curve = _CURVES[found[Attribute.EC_PARAMS]]
        point = only(found[Attribute.EC_POINT], OCTET_STRING)
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except (KeyError, ValueError, UnsupportedAlgorithm):
        raise SigningKeyUnavailable(f"the token's key {name} is of a kind that is not used") from None


def _sign(session: pkcs11.Session, name: str, data: bytes, algorithm: SigningAlgorithm) -> bytes:
    key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=name)
    if not isinstance(key, SignMixin):
        raise SigningKeyUnavailable(f"the token's key {name} is not for signing")
    if algorithm.scheme is SignatureScheme.ECDSA:
        digest = hashlib.new(algorithm.hash_name, data).digest()
        plain = bytes(key.sign(digest, mechanism=Mechanism.ECDSA))
        half = len(plain) // 2
        return encode_dss_signature(*(int.from_bytes(part, "big") for part in (plain[:half], plain[half:])))
    mechanism = _RSA_MECHANISMS[algorithm]
    if algorithm.scheme is SignatureScheme.RSA_PSS:
        parameter = (*_PSS_HASHES[algorithm.hash_name], algorithm.salt_length)
        return bytes(key.sign(data, mechanism=mechanism, mechanism_param=parameter))
    return bytes(key.sign(data, mechanism=mechanism))


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    """Turn the module's exceptions into ours; their texts may quote what was handed in."""
    try:
        yield
    except PinIncorrect:
        raise SigningKeyUnavailable("the token refuses the PIN") from None
    except UserAlreadyLoggedIn:
        raise SigningKeyUnavailable("this process already uses the token") from None
    except (PKCS11Error, OSError, RuntimeError) as fault:
        raise SigningKeyUnavailable(f"{what}: {type(fault).__name__}") from None
