"""Which HTTP status an error of this program answers with; everything else is monitoring's table."""

from __future__ import annotations

from collections.abc import Mapping

from verification.errors import (
    CaptureReplayed,
    CredentialUnknown,
    DossierAlreadyOpen,
    DossierUnknown,
    FieldsRefused,
    OfficerSessionEnded,
    RegistryPersonUnknown,
    RequestMalformed,
    RoleMissing,
    SameOfficer,
    ServiceNotPermitted,
    SignInBlocked,
    SignInFailed,
    TransitionRefused,
    VerificationError,
)

STATUSES: Mapping[type[VerificationError], int] = {
    RequestMalformed: 400,
    ServiceNotPermitted: 401,
    SignInFailed: 401,
    OfficerSessionEnded: 401,
    RoleMissing: 403,
    SameOfficer: 403,
    RegistryPersonUnknown: 404,
    DossierUnknown: 404,
    CredentialUnknown: 404,
    TransitionRefused: 409,
    CaptureReplayed: 409,
    DossierAlreadyOpen: 409,
    FieldsRefused: 422,
    SignInBlocked: 429,
}
