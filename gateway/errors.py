"""From our error classes to HTTP statuses; what is not listed takes its group's status."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.refusals import (
    BodyTooLarge,
    ChallengeUsed,
    ContentTypeWrong,
    EvidenceIncomplete,
    EvidenceReplayed,
    IdempotencyConflict,
    PurposeNotPermitted,
    SessionClosed,
    SessionExpired,
    SessionUnknown,
    TooManyRequests,
)
from verification.errors import CallerNotAuthenticated, RequestMalformed, SealBroken, VerificationError

STATUS_OF: Mapping[type[VerificationError], int] = {
    RequestMalformed: 400,
    CallerNotAuthenticated: 401,
    PurposeNotPermitted: 403,
    SessionUnknown: 404,
    SessionClosed: 409,
    EvidenceReplayed: 409,
    ChallengeUsed: 409,
    SessionExpired: 410,
    BodyTooLarge: 413,
    ContentTypeWrong: 415,
    EvidenceIncomplete: 422,
    SealBroken: 422,
    IdempotencyConflict: 422,
    TooManyRequests: 429,
}
