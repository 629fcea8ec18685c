"""An officer who approves, with a signing key of their own, as a program at the pages."""

from __future__ import annotations

from functools import cached_property

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from monitoring import staff as posts
from monitoring.staff import Staff
from verification.messages.approval_list import sign_preparation
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import public_jwk


class Approver:
    """Signs lists of approvals; the key is made here and kept nowhere else, as a browser keeps one."""

    def __init__(self, staff: Staff, name: str) -> None:
        self._staff = staff
        self._name = name

    def approve(self, dossier: str) -> None:
        """Have a list of one dossier prepared, and sign it."""
        at_pages = self._staff.at_pages(self._name)
        prepared = str(at_pages.press(f"/dossiers/{dossier}/approve")["preparation"])
        at_pages.press("/approval-lists/signed", **msgspec.to_builtins(sign_preparation(prepared, self._key)))

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        """A new key, which a supervisor has registered."""
        key = ec.generate_private_key(ec.SECP256R1())
        asked = SignerRegistration("officer", self._name, public_jwk(key.public_key()))
        registering = self._staff.at_office(posts.SUPERVISOR)
        registering.send_json("POST", "/v1/packet-signers", msgspec.to_builtins(asked))
        return key
