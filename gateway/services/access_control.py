"""Who is calling: agents by their signature over each request, partners by a short-lived token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from gateway.domain.partner import Agent, Caller, Partner, Standing
from gateway.domain.refusals import AccessTokenInvalid, ClientAssertionInvalid, SignatureReplayed
from gateway.ports import Clock, Directory, OnceOnly, Quota
from verification.errors import AgentUnknown, SealBroken
from verification.messages.seal import Sealer
from verification.messages.signed_request import ReceivedRequest, verify_request
from verification.messages.signing_key import (
    PublicKey,
    algorithm_of,
    b64url,
    from_b64url,
    public_jwk,
    thumbprint,
)

TOKEN_CONTEXT = "access-token"  # noqa: S105 - the name of a use, not a secret
LONGEST_ASSERTION = timedelta(minutes=5)
ACCEPTED_SKEW = timedelta(seconds=60)
MAX_ASSERTION = 4_096


class _Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    partner: str


class _AssertionHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whatever names a key or an extension (``jwk``, ``jku``, ``x5c``, ``crit``) is not in here."""

    alg: str
    kid: str | None = None
    typ: str | None = None


class _AssertionClaims(msgspec.Struct, frozen=True):
    """RFC 7523, 3; ``jti`` is required here, because an assertion is accepted once."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token and how long it lives."""

    token: str
    seconds: int


class AccessControl:
    """Proves callers; their standing is looked up for every request, so a suspension works at once."""

    def __init__(
        self, directory: Directory, once: OnceOnly, quota: Quota, clock: Clock, sealer: Sealer
    ) -> None:
        self._directory = directory
        self._once = once
        self._quota = quota
        self._clock = clock
        self._sealer = sealer

    def agent_of(self, request: ReceivedRequest) -> Caller:
        """The agent that signed this request; raises a CallerNotAuthenticated error."""
        signature = verify_request(request, self._agent_key, self._clock())
        agent, partner = self._active_agent(signature.key_id)
        if not self._once.take(f"agent:{agent.id}", signature.nonce, signature.expires):
            raise SignatureReplayed("this signature was used before")
        return self._counted(Caller(partner.id, agent.id, partner.purposes, agent.facility))

    def partner_of(self, token: str) -> Caller:
        """The partner that a bearer token was given to; raises AccessTokenInvalid."""
        try:
            content = self._sealer.open(from_b64url(token), TOKEN_CONTEXT, self._clock())
            name = msgspec.json.decode(content, type=_Token).partner
        except (SealBroken, ValueError):
            raise AccessTokenInvalid("the bearer token is not ours or has run out") from None
        partner = self._active_partner(name)
        if partner is None:
            raise AccessTokenInvalid("the partner may not act")
        return self._counted(Caller(partner.id, purposes=partner.purposes))

    def token_for(self, assertion: str, audience: str, lifetime: timedelta) -> AccessToken:
        """A bearer token for a ``private_key_jwt`` (RFC 7523, 2.2); raises ClientAssertionInvalid."""
        now = self._clock()
        partner = self._claimed_partner(assertion)
        claims = _verified_claims(assertion, partner.key)
        _require_claims(claims, partner.id, audience, now)
        expires = now + LONGEST_ASSERTION + ACCEPTED_SKEW
        if not self._once.take(f"assertion:{partner.id}", claims.jti, expires):
            raise SignatureReplayed("this assertion was used before")
        self._quota.require(f"token:{partner.id}")
        sealed = self._sealer.seal(msgspec.json.encode(_Token(partner.id)), TOKEN_CONTEXT, now + lifetime)
        return AccessToken(b64url(sealed), int(lifetime.total_seconds()))

    def _agent_key(self, agent_id: str) -> PublicKey:
        return self._active_agent(agent_id)[0].key

    def _active_agent(self, agent_id: str) -> tuple[Agent, Partner]:
        agent = self._directory.agent(agent_id)
        if agent is None or agent.standing is not Standing.ACTIVE:
            raise AgentUnknown("no active agent has this key id")
        partner = self._active_partner(agent.partner)
        if partner is None:
            raise AgentUnknown("the agent's partner may not act")
        return agent, partner

    def _active_partner(self, partner_id: str) -> Partner | None:
        partner = self._directory.partner(partner_id)
        return partner if partner and partner.standing is Standing.ACTIVE else None

    def _claimed_partner(self, assertion: str) -> Partner:
        """Whose key to try: read from the unverified claims, and for nothing else."""
        if len(assertion) > MAX_ASSERTION or assertion.count(".") != 2:
            raise ClientAssertionInvalid("not a compact JWT")
        try:
            claims = msgspec.json.decode(from_b64url(assertion.split(".")[1]), type=_AssertionClaims)
        except (ValueError, RecursionError):
            raise ClientAssertionInvalid("the claims are malformed") from None
        partner = self._active_partner(claims.iss)
        if partner is None:
            raise ClientAssertionInvalid("no active partner has this client id")
        return partner

    def _counted(self, caller: Caller) -> Caller:
        self._quota.require(caller.name)
        return caller


def _verified_claims(assertion: str, key: PublicKey) -> _AssertionClaims:
    """The claims, verified with the registered key and the one algorithm that belongs to it."""
    algorithm = algorithm_of(key)
    jwk: dict[str, str | list[str]] = {**public_jwk(key)}
    jose_key = OKPKey.import_key(jwk) if algorithm == "Ed25519" else ECKey.import_key(jwk)
    try:
        header = msgspec.json.decode(from_b64url(assertion.split(".", maxsplit=1)[0]), type=_AssertionHeader)
        if header.alg != algorithm or header.kid not in {None, thumbprint(key)}:
            raise ClientAssertionInvalid("the header names another algorithm or key than is registered")
        verified = jws.deserialize_compact(assertion, jose_key, algorithms=[algorithm])
        return msgspec.json.decode(verified.payload, type=_AssertionClaims)
    except (JoseError, ValueError, RecursionError):
        raise ClientAssertionInvalid("the assertion does not verify") from None


def _require_claims(claims: _AssertionClaims, partner: str, audience: str, now: datetime) -> None:
    issued, expires = claims.iat, claims.exp
    skew, longest, at = ACCEPTED_SKEW.total_seconds(), LONGEST_ASSERTION.total_seconds(), now.timestamp()
    if (claims.iss, claims.sub, claims.aud) != (partner, partner, audience):
        raise ClientAssertionInvalid("issuer, subject or audience is another")
    if not 0 < expires - issued <= longest or not issued - skew <= at <= expires + skew:
        raise ClientAssertionInvalid("the assertion is not valid now, or for too long")
    if not 16 <= len(claims.jti) <= 128:
        raise ClientAssertionInvalid("jti has not between 16 and 128 characters")
