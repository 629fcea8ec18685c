"""The evidence log for everybody: hashes, proofs and signed heads; no entry is shown."""

from __future__ import annotations

import msgspec
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer
from gateway.ports import EvidenceLog
from verification.errors import RequestMalformed
from verification.messages.signing_key import PublicKey, algorithm_of, public_jwk, thumbprint


class CheckpointAnswer(msgspec.Struct, frozen=True):
    """The newest signed head as a note; null while the log is empty."""

    checkpoint: str | None


class ProofAnswer(msgspec.Struct, frozen=True):
    """The hashes of a proof, from the leaves up."""

    proof: tuple[bytes, ...]


def log_blueprint(log: EvidenceLog, key: PublicKey) -> Blueprint:
    """Checkpoint, proofs and the public key."""
    blueprint = Blueprint("log", __name__)

    @blueprint.get("/v1/log/checkpoint")
    def get_checkpoint() -> ResponseReturnValue:
        return answer(CheckpointAnswer(log.checkpoint()))

    @blueprint.get("/v1/log/inclusion")
    def get_inclusion() -> ResponseReturnValue:
        sequence, size = _numbers("sequence", "size")
        try:
            return answer(ProofAnswer(log.inclusion(sequence, size)))
        except ValueError:
            raise RequestMalformed("the log has no such entry at that size") from None

    @blueprint.get("/v1/log/consistency")
    def get_consistency() -> ResponseReturnValue:
        old, size = _numbers("old", "size")
        try:
            return answer(ProofAnswer(log.consistency(old, size)))
        except ValueError:
            raise RequestMalformed("the log had no such sizes") from None

    @blueprint.get("/.well-known/jwks.json")
    def get_jwks() -> ResponseReturnValue:
        jwk = {**public_jwk(key), "kid": thumbprint(key), "alg": algorithm_of(key), "use": "sig"}
        return answer({"keys": [jwk]})

    return blueprint


def _numbers(*names: str) -> tuple[int, ...]:
    texts = [request.args.get(name, "") for name in names]
    if not all(text.isascii() and text.isdecimal() and len(text) <= 15 for text in texts):
        raise RequestMalformed(f"{' and '.join(names)} must be whole numbers")
    return tuple(int(text) for text in texts)
