"""Terminal authentication, version 1: the chip opens DG3 and DG4 to a terminal it trusts (TR-03110-1, 3.5).

It follows chip authentication: the terminal signs for the ephemeral key that it used there, so
that nobody else can use the opened session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from verification.encoding.tlv import build
from verification.errors import (
    MalformedDocument,
    TerminalAuthenticationFailed,
    TerminalNotTrusted,
    UnexpectedStatusWord,
)
from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    MSE_SET_VERIFICATION,
    TEMPLATE_AUTHENTICATION,
    TEMPLATE_DIGITAL_SIGNATURE,
    CommandApdu,
    external_authenticate,
    get_challenge,
    manage_security_environment,
    verify_certificate,
)
from verification.lds.card_verifiable import CardVerifiableCertificate, HolderRole, encode_reference
from verification.lds.card_verifiable_path import CvPath, EffectiveRights, build_path
from verification.lds.ef_cvca import parse_ef_cvca

CHALLENGE_LENGTH = 8  # TR-03110-3, B.3
_PUBLIC_KEY_REFERENCE = 0x83


@dataclass(frozen=True, slots=True, repr=False)
class Terminal:
    """Who reads: certificates, the terminal's own the last of them, and its key.

    ``sign`` makes the signature that the own certificate's algorithm names, over octets that it
    hashes itself; ECDSA as r and s of the order's length. Certificates of authorities may stand
    in any order and for several trust points: the path is found for each chip.
    """

    certificates: tuple[CardVerifiableCertificate, ...]
    sign: Callable[[bytes], bytes]

    def path_from(self, trusted_references: Sequence[str]) -> CvPath:
        """The certificates for a chip that trusts these keys; raises TerminalNotTrusted.

        A chip that does not name its trusted keys is taken to trust the authorities whose own
        certificates are at hand.
        """
        held = [mine.holder_reference for mine in self.certificates if mine.is_self_signed]
        path = build_path(self.certificates, trusted_references or held)
        if path is None:
            raise TerminalNotTrusted("no certificates lead from a key that the chip trusts to this terminal")
        return path

    def authenticate(
        self, channel: Channel, chip_identity: bytes, ephemeral: bytes, trust_points: bytes | None
    ) -> EffectiveRights:
        """``authenticate`` by the chip's EF.CVCA, None where it could not be read."""
        references = _references(trust_points)
        return authenticate(channel, self, chip_identity, ephemeral, trusted_references=references)


def authenticate(
    channel: Channel,
    terminal: Terminal,
    chip_identity: bytes,
    ephemeral: bytes,
    *,
    trusted_references: Sequence[str],
) -> EffectiveRights:
    """Show the chip who reads and return the rights that the certificates give.

    ``chip_identity`` is ID_PICC: the chip's compressed ephemeral PACE key, after BAC the document
    number with its check digit. ``ephemeral`` is the terminal's compressed key of chip
    authentication, ``trusted_references`` are those of EF.CVCA, none where it cannot be read.

    Raises TerminalNotTrusted where no certificates lead to this chip's trust point,
    TerminalAuthenticationFailed where the chip refuses a step; faults of the transport and of
    secure messaging pass unchanged.
    """
    path = terminal.path_from(trusted_references)
    for certificate in path.certificates:
        try:
            _present(channel, certificate)
        except (TerminalNotTrusted, TerminalAuthenticationFailed):
            # A chip refuses the link to a key that it holds already, as when a session is opened
            # anew: whether it holds it shows at the next certificate.
            if certificate.authorization.role is not HolderRole.CVCA:
                raise
    own = path.certificates[-1]
    _require_success(channel, _set(TEMPLATE_AUTHENTICATION, own.holder_reference))
    challenge = _challenge(channel)
    signature = terminal.sign(chip_identity + challenge + ephemeral)
    _require_success(channel, external_authenticate(signature))
    return path.rights


def _references(trust_points: bytes | None) -> tuple[str, ...]:
    """The keys that EF.CVCA names; none where it cannot be used: the chip then says what it trusts."""
    try:
        return parse_ef_cvca(trust_points) if trust_points else ()
    except MalformedDocument:
        return ()


def _present(channel: Channel, certificate: CardVerifiableCertificate) -> None:
    """Have the chip verify one certificate with a key that it knows by then."""
    command = _set(TEMPLATE_DIGITAL_SIGNATURE, certificate.authority_reference)
    _, status = channel.exchange(command)
    if status == status_word.REFERENCED_DATA_NOT_FOUND:
        raise TerminalNotTrusted("the chip does not know the authority of a certificate")
    if status != status_word.SUCCESS:
        raise TerminalAuthenticationFailed(f"{command.name}: status word {status:04X}")
    _require_success(channel, verify_certificate(certificate.content_octets))


def _set(template: int, reference: str) -> CommandApdu:
    data = build(_PUBLIC_KEY_REFERENCE, encode_reference(reference))
    return manage_security_environment(MSE_SET_VERIFICATION, template, data)


def _challenge(channel: Channel) -> bytes:
    try:
        challenge = channel.send(get_challenge(CHALLENGE_LENGTH))
    except UnexpectedStatusWord as refusal:
        raise TerminalAuthenticationFailed(str(refusal)) from None
    if len(challenge) != CHALLENGE_LENGTH:
        raise TerminalAuthenticationFailed(f"the chip's challenge has {len(challenge)} octets")
    return challenge


def _require_success(channel: Channel, command: CommandApdu) -> None:
    _, status = channel.exchange(command)
    if status != status_word.SUCCESS:
        raise TerminalAuthenticationFailed(f"{command.name}: status word {status:04X}")
