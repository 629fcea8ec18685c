"""The strict RFC 9421 profile: what it accepts, and everything it must not."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519

from verification.errors import AgentUnknown, ClockSkew, SignatureInvalid
from verification.messages.message_signature import (
    TAG,
    WRITING_COMPONENTS,
    content_digest,
    sign_request,
    target,
)
from verification.messages.signed_request import ReceivedRequest, RequestSignature, verify_request
from verification.messages.signing_key import SigningKey, sign

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
URL = "http://127.0.0.1:8700/v1/verification-sessions?x=1"
BODY = b'{"purpose":"bank.counter.identify"}'
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "0123456789abcdef-key"}
KEYS: dict[str, SigningKey] = {
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def signed(kind: str = "ed25519", *, method: str = "POST", created: datetime = NOW, **changes: object):
    return sign_request(
        method,
        str(changes.get("url", URL)),
        dict(changes.get("headers", HEADERS)),
        bytes(changes.get("body", BODY)),
        key=KEYS[kind],
        key_id="agent-one",
        created=created,
        nonce=bytes(changes.get("nonce", os.urandom(16))),
    )


def judge(
    headers: dict[str, str] | list[tuple[str, str]],
    *,
    method: str = "POST",
    url: str = URL,
    body: bytes = BODY,
    kind: str = "ed25519",
    now: datetime = NOW,
) -> RequestSignature:
    pairs = tuple(headers.items() if isinstance(headers, dict) else headers)
    request = ReceivedRequest(method, url, pairs, body)
    return verify_request(request, lambda _: KEYS[kind].public_key(), now)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("PUT", BODY), ("GET", b"")])
def test_a_signature_of_the_profile_is_accepted(kind: str, method: str, body: bytes) -> None:
    headers = signed(kind, method=method, body=body)
    signature = judge(headers, method=method, body=body, kind=kind)
    assert (signature.key_id, signature.created) == ("agent-one", NOW)
    assert signature.expires - signature.created == timedelta(seconds=60)


@pytest.mark.parametrize("kind", KEYS)
def test_what_the_library_signs_in_the_profile_is_accepted(kind: str) -> None:
    """An independent signer: the same request signed by http-message-signatures."""
    assert judge(by_library(kind, WRITING_COMPONENTS), kind=kind).key_id == "agent-one"


def by_library(
    kind: str, components: tuple[str, ...], *, tag: str | None = TAG, alg: bool = False, **times: int
) -> dict[str, str]:
    class Resolver(HTTPSignatureKeyResolver):
        def resolve_private_key(self, key_id: str) -> SigningKey:
            return KEYS[kind]

    message = SimpleNamespace(
        method="POST", url=URL, headers={**HEADERS, "Content-Digest": content_digest(BODY)}
    )
    HTTPMessageSigner(
        signature_algorithm=ECDSA_P256_SHA256 if kind == "p256" else ED25519, key_resolver=Resolver()
    ).sign(
        message,
        key_id="agent-one",
        created=NOW + timedelta(seconds=times.get("created", 0)),
        expires=NOW + timedelta(seconds=times.get("expires", 60)),
        nonce=base64.urlsafe_b64encode(os.urandom(times.get("nonce_bytes", 18))).decode(),
        label="agent",
        tag=tag,
        include_alg=alg,
        covered_component_ids=components,
        use_existing_digest=True,
    )
    return dict(message.headers)


def test_a_signature_over_the_method_alone_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", ("@method",)))


@pytest.mark.parametrize("left_out", WRITING_COMPONENTS)
def test_no_component_may_be_left_out(left_out: str) -> None:
    fewer = tuple(name for name in WRITING_COMPONENTS if name != left_out)
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", fewer))


def test_an_algorithm_named_in_the_signature_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", WRITING_COMPONENTS, alg=True))


@pytest.mark.parametrize("tag", ["other-product", None])
def test_another_tag_is_refused(tag: str | None) -> None:
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", WRITING_COMPONENTS, tag=tag))


def test_a_short_nonce_is_refused_by_both_sides() -> None:
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", WRITING_COMPONENTS, nonce_bytes=15))
    with pytest.raises(SignatureInvalid):
        signed(nonce=bytes(15))


def test_a_lifetime_beyond_the_profile_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        judge(by_library("ed25519", WRITING_COMPONENTS, expires=301))


@pytest.mark.parametrize("seconds", [-61, 61, -82_800, 86_400])
def test_a_wrong_clock_is_told_with_its_offset(seconds: int) -> None:
    with pytest.raises(ClockSkew) as caught:
        judge(signed(created=NOW + timedelta(seconds=seconds)))
    assert caught.value.offset_ms == seconds * 1000


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_minute_of_skew_is_accepted(seconds: int) -> None:
    assert judge(signed(created=NOW + timedelta(seconds=seconds))).key_id == "agent-one"


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("method", "PUT"),
        ("url", URL.replace("8700", "8701")),
        ("url", URL.replace("x=1", "x=2")),
        ("url", URL.replace("http:", "https:")),
        ("url", URL.replace("127.0.0.1", "attacker.example")),
        ("body", BODY + b" "),
        ("kind", "p256"),
    ],
)
def test_a_request_other_than_the_signed_one_is_refused(changed: str, value: object) -> None:
    with pytest.raises(SignatureInvalid):
        judge(signed(), **{changed: value})  # type: ignore[arg-type]


def replaced(name: str, edit: Callable[[str], str]) -> dict[str, str]:
    headers = signed()
    return {**headers, name: edit(headers[name])}


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("Content-Type", lambda _: "text/plain"),
        ("Idempotency-Key", lambda value: value + "x"),
        ("Content-Digest", lambda _: content_digest(b"other")),
        ("Content-Digest", lambda value: value.replace("sha-256", "sha-512")),
        ("Content-Digest", lambda value: f"{value}, sha-512=:AAAA:"),
        ("Signature-Input", lambda value: value.replace("agent-one", "agent-two")),
        ("Signature-Input", lambda value: value.replace("created=", "created=1")),
        ("Signature-Input", lambda value: value.replace('"@method" ', "")),
        ("Signature-Input", lambda value: value + ';alg="ed25519"'),
        ("Signature-Input", lambda value: value + ";extra=1"),
        ("Signature-Input", lambda value: value.replace("agent=", "other=")),
        ("Signature-Input", lambda value: f'{value}, second=("@method")'),
        ("Signature", lambda value: f"{value}, second=:AAAA:"),
        ("Signature", lambda _: "agent=:AAAA:"),
        ("Signature", lambda _: "agent=text"),
        ("Signature", lambda _: ""),
        ("Signature-Input", lambda _: ""),
        ("Signature-Input", lambda value: value.replace("=(", "=\r\n (")),
        ("Idempotency-Key", lambda value: value + "\t"),
        ("Signature-Input", lambda value: value + "é"),
        ("Signature-Input", lambda value: value + " " * 3_000),
    ],
)
def test_altered_fields_are_refused(name: str, edit: Callable[[str], str]) -> None:
    with pytest.raises(SignatureInvalid):
        judge(replaced(name, edit))


@pytest.mark.parametrize("name", ["Signature", "Signature-Input", "Content-Digest", "Content-Type"])
def test_a_field_given_twice_is_refused(name: str) -> None:
    headers = signed()
    with pytest.raises(SignatureInvalid):
        judge([*headers.items(), (name.lower(), headers[name])])


@pytest.mark.parametrize("name", ["Signature", "Signature-Input", "Content-Digest", "Idempotency-Key"])
def test_a_missing_field_is_refused(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(SignatureInvalid):
        judge(headers)


def test_every_byte_of_the_signature_counts() -> None:
    headers = signed()
    raw = base64.b64decode(headers["Signature"][len("agent=:") : -1])
    for position in range(len(raw)):
        altered = bytearray(raw)
        altered[position] ^= 1
        forged = {**headers, "Signature": f"agent=:{base64.b64encode(altered).decode()}:"}
        with pytest.raises(SignatureInvalid):
            judge(forged)


def test_an_unknown_key_id_is_the_directorys_error() -> None:
    def unknown(_: str):
        raise AgentUnknown("no such agent")

    with pytest.raises(AgentUnknown):
        verify_request(ReceivedRequest("POST", URL, tuple(signed().items()), BODY), unknown, NOW)


def test_the_nonce_becomes_the_idempotency_key_where_there_is_none() -> None:
    headers = signed(headers={"Content-Type": "application/json"}, nonce=bytes(range(16)))
    assert headers["Idempotency-Key"] == "AAECAwQFBgcICQoLDA0ODw"
    assert judge(headers).nonce == headers["Idempotency-Key"]


@pytest.mark.parametrize(
    "url", ["ftp://host/", "http://user@host/", "http://host/#part", "http://", "http://host/a b", "/only"]
)
def test_a_url_without_a_signable_form_is_refused(url: str) -> None:
    with pytest.raises(SignatureInvalid):
        target(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://x/".lower(), ("x", "http://x/")),
        ("http://Host.Example:80/a", ("host.example", "http://host.example/a")),
        ("https://h:443", ("h", "https://h/")),
        ("https://h:8443/?q=%20", ("h:8443", "https://h:8443/?q=%20")),
        ("http://[::1]:8700/", ("[::1]:8700", "http://[::1]:8700/")),
    ],
)
def test_targets_are_written_in_one_way(url: str, expected: tuple[str, str]) -> None:
    assert tuple(target(url)) == expected


def test_a_writing_request_without_content_type_is_not_signed() -> None:
    with pytest.raises(SignatureInvalid, match="content-type"):
        signed(headers={})


def test_a_time_without_a_zone_is_not_signed() -> None:
    with pytest.raises(SignatureInvalid, match="zone"):
        signed(created=NOW.replace(tzinfo=None))


def test_another_curve_does_not_sign() -> None:
    with pytest.raises(SignatureInvalid, match="P-256"):
        sign(ec.generate_private_key(ec.SECP384R1()), b"content")
