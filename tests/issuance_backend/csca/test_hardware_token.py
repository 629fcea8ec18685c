"""Keys in a hardware token: everything that is signed holds, and the keys do not come out."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid

from issuance_backend.csca.ceremony import CeremonyPlan, issue_csca, issue_document_signer
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.hardware_token import HardwareToken
from issuance_backend.csca.signer import CertifiedKey, PrivateKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from issuance_backend.refusals import SigningKeyUnavailable
from tests.issuance_backend.csca.conftest import LIBRARY, SoftToken
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.pki.signature_algorithms import signature_verifier
from verification.pki.trust_store import TrustStore

RSA_PSS = SigningAlgorithm.named("rsa-pss-sha512")
KINDS = [
    KeyProfile.ecdsa(ec.SECP256R1(), "sha256"),
    KeyProfile.ecdsa(ec.SECP384R1(), "sha384"),
    KeyProfile.ecdsa(ec.SECP521R1(), "sha512"),
    KeyProfile.ecdsa(ec.BrainpoolP256R1(), "sha256"),
    KeyProfile.ecdsa(ec.BrainpoolP384R1(), "sha256"),
    KeyProfile.ecdsa(ec.BrainpoolP512R1(), "sha512"),
    KeyProfile(2048, SigningAlgorithm.named("rsa-pkcs1-sha256")),
    KeyProfile(3072, SigningAlgorithm.named("rsa-pss-sha384")),
    KeyProfile(4096, RSA_PSS),
]


@pytest.fixture
def opened(token: SoftToken) -> Iterator[HardwareToken]:
    session = HardwareToken(token.name.library, token.name.label, token.pin)
    yield session
    session.close()


def described(profile: KeyProfile) -> str:
    kind = profile.kind if isinstance(profile.kind, int) else profile.kind.name
    return f"{profile.algorithm} {kind}"


@pytest.mark.parametrize("profile", KINDS, ids=described)
def test_a_signature_of_the_token_holds(opened: HardwareToken, profile: KeyProfile) -> None:
    key = opened.generate("key", profile)
    verify = signature_verifier(profile.algorithm.identifier)
    for number in range(8):
        data = b"data %d" % number
        verify(key.public_key, key.sign(data), data)
        with pytest.raises(InvalidSignature):
            verify(key.public_key, key.sign(data), b"other")


@pytest.mark.parametrize("profile", [KINDS[0], KINDS[6]], ids=described)
def test_the_private_key_does_not_come_out(
    opened: HardwareToken, profile: KeyProfile, token: SoftToken
) -> None:
    key = opened.generate("key", profile)
    private = opened._session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="key")
    assert private[Attribute.SENSITIVE]
    assert private[Attribute.NEVER_EXTRACTABLE]
    for secret in (Attribute.VALUE, Attribute.PRIVATE_EXPONENT):
        with pytest.raises((AttributeSensitive, AttributeTypeInvalid)):
            private[secret]
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert token.pin not in repr(opened)


def test_the_same_key_is_there_after_the_token_was_closed(token: SoftToken) -> None:
    session = HardwareToken(token.name.library, token.name.label, token.pin)
    made = session.generate("key", KINDS[0])
    session.close()
    session = HardwareToken(token.name.library, token.name.label, token.pin)
    assert session.open("key", KINDS[0].algorithm).public_key == made.public_key
    session.close()


def test_a_key_that_was_destroyed_signs_no_more(opened: HardwareToken) -> None:
    key = opened.generate("key", KINDS[0])
    opened.destroy("key")
    opened.destroy("key")
    with pytest.raises(SigningKeyUnavailable):
        key.sign(b"data")
    with pytest.raises(SigningKeyUnavailable):
        opened.open("key", KINDS[0].algorithm)


def test_a_name_that_is_taken_is_refused(opened: HardwareToken) -> None:
    first = opened.generate("key", KINDS[0])
    with pytest.raises(SigningKeyUnavailable, match="already holds"):
        opened.generate("key", KINDS[0])
    assert opened.open("key", KINDS[0].algorithm).public_key == first.public_key


def test_a_key_is_not_used_with_the_algorithm_of_another_kind(opened: HardwareToken) -> None:
    opened.generate("key", KINDS[0])
    with pytest.raises(SigningKeyUnavailable, match="does not sign"):
        opened.open("key", RSA_PSS)


# The driver complains about its own unfinished search when it is thrown away.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_the_module_dropped_is_opened_anew(opened: HardwareToken) -> None:
    key = opened.generate("key", KINDS[0])
    opened._session.close()
    signature_verifier(key.algorithm.identifier)(key.public_key, key.sign(b"data"), b"data")


def test_threads_share_a_token(opened: HardwareToken) -> None:
    key = opened.generate("key", KINDS[0])
    verify = signature_verifier(key.algorithm.identifier)

    def sign(number: int) -> None:
        data = number.to_bytes(4, "big")
        verify(key.public_key, key.sign(data), data)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sign, range(400)))


def test_what_cannot_be_opened_is_our_own_error(token: SoftToken) -> None:
    for library, label, pin, reason in (
        (LIBRARY, token.name.label, "wrong", "refuses the PIN"),
        (LIBRARY, "no such token", token.pin, "cannot be opened"),
        ("/nowhere/module.so", token.name.label, token.pin, "cannot be opened"),
    ):
        with pytest.raises(SigningKeyUnavailable, match=reason) as refusal:
            HardwareToken(library, label, pin)
        assert pin not in str(refusal.value)


def test_a_second_login_of_the_process_is_refused(opened: HardwareToken, token: SoftToken) -> None:
    """The login is the process's: a second one would be let in with any PIN."""
    with pytest.raises(SigningKeyUnavailable, match="already uses"):
        HardwareToken(token.name.library, token.name.label, "any")


def test_a_card_whose_whole_issuer_lies_in_tokens_is_authentic(
    make_token: Callable[[], SoftToken],
) -> None:
    tokens = [make_token(), make_token()]
    root, office = (HardwareToken(t.name.library, t.name.label, t.pin) for t in tokens)
    plan = CeremonyPlan()
    key = root.generate("csca", plan.csca_key)
    csca = CertifiedKey(key, issue_csca(key, plan, pki.CEREMONY))
    key = office.generate("ds", plan.signer_key)
    signer = CertifiedKey(key, issue_document_signer(csca, key, plan, pki.CEREMONY))
    files = pki.card().without(LdsFile.SOD)
    files[LdsFile.SOD] = sign_security_object(data_group_hashes(files), signer, signing_time=pki.SIGNED)
    crl = issue_revocation_list(csca, pki.CEREMONY)
    store = TrustStore.from_certificates(
        [csca.certificate.public_bytes(Encoding.DER)], [crl.public_bytes(Encoding.DER)]
    )
    assert authenticate(files, store, pki.NOW).revocation_known
    root.close()
    office.close()


def test_a_key_in_memory_refuses_an_algorithm_of_another_kind() -> None:
    with pytest.raises(SigningKeyUnavailable):
        PrivateKey(ec.generate_private_key(ec.SECP256R1()), RSA_PSS)
