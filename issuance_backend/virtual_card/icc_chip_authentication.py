"""The chip's side of chip authentication, with any number of keys (ICAO 9303-11, 6.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from issuance_backend.virtual_card.icc_commands import (
    SW_DATA_INCORRECT,
    SW_REFERENCE_NOT_FOUND,
    CommandRefused,
)
from issuance_backend.virtual_card.icc_data_objects import (
    DYNAMIC_AUTHENTICATION_DATA,
    Established,
    dynamic_data,
    value_of,
)
from issuance_backend.virtual_card.icc_groups import AgreementKey, Group
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from verification.chip.keys import Suite, session_keys
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build

_PROTOCOL, _KEY_REFERENCE, _EPHEMERAL_KEY = 0x80, 0x84, 0x91
_EPHEMERAL = 0x80
_CHIP_AUTHENTICATION = "0.4.0.127.0.7.2.2.3"
_DH, _ECDH = 1, 2
_SUITES = {1: Suite.TRIPLE_DES, 2: Suite.AES_128, 3: Suite.AES_192, 4: Suite.AES_256}


class _Protocol(NamedTuple):
    is_elliptic: bool
    suite: Suite


_PROTOCOLS = {
    encode_oid(f"{_CHIP_AUTHENTICATION}.{arc}.{cipher}"): _Protocol(arc == _ECDH, suite)
    for arc in (_DH, _ECDH)
    for cipher, suite in _SUITES.items()
}


class AgreementOffer(NamedTuple):
    """One ChipAuthenticationInfo of DG14."""

    protocol: bytes
    key_id: int | None


class ChipKey(NamedTuple):
    """One static key; ``key_id`` is None where DG14 gives it no number."""

    key_id: int | None
    group: Group
    key: AgreementKey


class _Selection(NamedTuple):
    chip_key: ChipKey
    suite: Suite


class ChipAuthentication:
    """Key agreement of the chip's static keys with the terminal's fresh one.

    ``has_key_agreement_template`` is False on chips in circulation that take MSE:Set AT for 3DES
    as well and not the MSE:Set KAT of the standard (ICAO 9303-11, 8.5, note 1).
    """

    def __init__(
        self,
        keys: Sequence[ChipKey],
        offers: Sequence[AgreementOffer],
        *,
        has_key_agreement_template: bool = True,
    ) -> None:
        self._keys = keys
        self._offers = [offer for offer in offers if offer.protocol in _PROTOCOLS]
        self._has_key_agreement_template = has_key_agreement_template
        self._selection: _Selection | None = None

    def abort(self) -> None:
        """Forget the selection: another command came in between."""
        self._selection = None

    def select(self, objects: Mapping[int, bytes]) -> None:
        """MSE:Set AT: the protocol, and the key where there are several; raises CommandRefused."""
        self._selection = None
        chip_key = self._key(objects.get(_KEY_REFERENCE))
        identifier = objects.get(_PROTOCOL, b"")
        if not self._is_offered(identifier, chip_key):
            raise CommandRefused(SW_DATA_INCORRECT)
        self._selection = _Selection(chip_key, _PROTOCOLS[identifier].suite)

    def agree(self, data: bytes) -> Established | None:
        """GENERAL AUTHENTICATE; None where nothing was selected. Raises CommandRefused (6A80)."""
        selection, self._selection = self._selection, None
        if selection is None:
            return None
        encoded = value_of(dynamic_data(data), _EPHEMERAL)
        return _agreed(selection, encoded, build(DYNAMIC_AUTHENTICATION_DATA, b""))

    def agree_at_once(self, objects: Mapping[int, bytes]) -> Established:
        """MSE:Set KAT: 3DES in one command; raises CommandRefused."""
        chip_key = self._key(objects.get(_KEY_REFERENCE))
        if not self._has_key_agreement_template or _EPHEMERAL_KEY not in objects:
            raise CommandRefused(SW_DATA_INCORRECT)
        # Chips whose DG14 has a key and no ChipAuthenticationInfo speak 3DES as well.
        if self._offers and not any(
            self._is_offered(identifier, chip_key)
            for identifier, protocol in _PROTOCOLS.items()
            if protocol.suite is Suite.TRIPLE_DES
        ):
            raise CommandRefused(SW_DATA_INCORRECT)
        return _agreed(_Selection(chip_key, Suite.TRIPLE_DES), objects[_EPHEMERAL_KEY], b"")

    def _key(self, reference: bytes | None) -> ChipKey:
        if not self._keys:
            raise CommandRefused(SW_REFERENCE_NOT_FOUND)
        if reference is None:
            # With several keys the reference is required (9303-11, 6.2.4).
            if len(self._keys) > 1:
                raise CommandRefused(SW_DATA_INCORRECT)
            return self._keys[0]
        wanted = int.from_bytes(reference, "big")
        for chip_key in self._keys:
            # A single key without a number answers to any.
            if chip_key.key_id in (None, wanted):
                return chip_key
        raise CommandRefused(SW_REFERENCE_NOT_FOUND)

    def _is_offered(self, identifier: bytes, chip_key: ChipKey) -> bool:
        protocol = _PROTOCOLS.get(identifier)
        if protocol is None or protocol.is_elliptic is (chip_key.group.parameter_id in MODULAR_GROUPS):
            return False
        return any(
            offer.protocol == identifier and offer.key_id in (None, chip_key.key_id) for offer in self._offers
        )


def _agreed(selection: _Selection, encoded: bytes, answer: bytes) -> Established:
    group = selection.chip_key.group
    terminal = group.decode(encoded)
    keys = session_keys(selection.chip_key.key.agree(terminal), selection.suite)
    session = CardSecureMessaging(selection.suite, keys)
    return Established(answer, session, terminal_key=group.compress(terminal))
