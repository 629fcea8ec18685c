"""Which HTTP status an error of this program answers with; everything else is monitoring's table."""

from __future__ import annotations

from collections.abc import Mapping

from issuance_backend.refusals import (
    CaptureReplayed,
    CredentialUnknown,
    DossierUnknown,
    RegistryPersonUnknown,
    RoleMissing,
    SameOfficer,
    ServiceNotPermitted,
    SignInBlocked,
    SignInFailed,
)
from verification.errors import (
    DossierAlreadyOpen,
    FieldsRefused,
    OfficerSessionEnded,
    RequestMalformed,
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
