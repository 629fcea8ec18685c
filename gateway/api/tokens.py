"""Bearer tokens for partners (RFC 6749, 4.4 with RFC 7523, 2.2)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import msgspec
from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway.api.bodies import FORM, answer, read_body, require_content_type
from gateway.services.access_control import AccessControl
from verification.errors import RequestMalformed

TOKEN_PATH = "/v1/oauth/token"  # noqa: S105 - an address, not a secret
MAX_FORM = 8_192

_GRANT = "client_credentials"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenAnswer(msgspec.Struct, frozen=True):
    """RFC 6749, 5.1."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret


def tokens_blueprint(access: AccessControl, base_url: str, lifetime: timedelta) -> Blueprint:
    """POST of a client assertion; open to all, because the assertion is the proof."""
    blueprint = Blueprint("tokens", __name__)

    @blueprint.post(TOKEN_PATH)
    def give_token() -> ResponseReturnValue:
        granted = access.token_for(_assertion(), f"{base_url}{TOKEN_PATH}", lifetime)
        return answer(TokenAnswer(granted.token, granted.seconds))

    return blueprint


def _assertion() -> str:
    require_content_type(FORM)
    try:
        pairs = parse_qsl(read_body(MAX_FORM).decode("ascii"), strict_parsing=True, max_num_fields=8)
    except ValueError:
        raise RequestMalformed("the form cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RequestMalformed("a field is given twice")
    if (fields.get("grant_type"), fields.get("client_assertion_type")) != (_GRANT, _ASSERTION_TYPE):
        raise RequestMalformed("only client_credentials with a JWT assertion")
    return fields.get("client_assertion", "")
