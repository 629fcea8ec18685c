"""``read`` with a terminal's certificates, and on a card that proves itself in the mapping of PACE."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from issuance_backend.csca.document_signer import sign_card_security, sign_security_object
from issuance_backend.virtual_card.card_image import CardImage
from reader_agent import exit_codes
from reader_agent.read_command import ReadOrder, read_card
from reader_agent.session.access import Access
from reader_agent.terminal_keys import KEY_FILE
from tests.support import pki
from tests.support.counter_bench import SoftReader, card_image, genuine_card
from tests.support.group_hashes import data_group_hashes
from tests.support.images import wsq
from tests.support.terminal_pki import Party, cvca, issue
from verification.encoding.tlv import build
from verification.lds.card_verifiable import HolderRole
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg3 import Dg3, FingerImage, FingerPosition, build_dg3
from verification.lds.files import LdsFile
from verification.lds.security_infos import (
    PUBLIC_KEY_ECDH,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    build_card_access,
    build_dg14,
    parse_dg14,
)

NOW = datetime.now(UTC)
TODAY = {"effective": NOW.date() - timedelta(1), "expiration": NOW.date() + timedelta(20)}
EXPIRED = {"effective": NOW.date() - timedelta(20), "expiration": NOW.date() - timedelta(2)}
FINGERPRINTS = build_dg3(Dg3((FingerImage.of(FingerPosition.RIGHT_INDEX, wsq(320, 420), quality=80),)))
DG3_HASH = hashlib.sha256(FINGERPRINTS).hexdigest()
PACE_CAM = PaceInfo("0.4.0.127.0.7.2.2.4.6.2", 2, 13)


@dataclass(frozen=True)
class Chain:
    root: Party
    verifier: Party
    terminal: Party


@cache
def chain() -> Chain:
    long = {**TODAY, "expiration": NOW.date() + timedelta(500)}
    root = cvca(**long)
    verifier = issue(root, "VNTESTDV00001", HolderRole.DV_DOMESTIC, **long)
    return Chain(root, verifier, issue(verifier, "VNTESTIS00001", HolderRole.IS, rights=0b01, **TODAY))


def card(
    trusted: tuple[Party, ...],
    *,
    changed: Mapping[LdsFile, bytes] | None = None,
    shown: Mapping[LdsFile, bytes] | None = None,
    **image: Any,
) -> CardImage:
    """A signed card with locked fingerprints; ``changed`` is signed, ``shown`` is not."""
    keys = pki.Keys()
    files = {**pki.unsigned_files(pki.Holder(), keys), LdsFile.DG3: FINGERPRINTS, **(changed or {})}
    groups = tuple(file for file in sorted(files) if file.is_data_group)
    files[LdsFile.COM] = build_common_data(CommonData("0107", "040000", groups))
    files[LdsFile.SOD] = sign_security_object(
        data_group_hashes(files), pki.issuer().document_signer, signing_time=pki.SIGNED
    )
    files |= shown or {}
    made = card_image(pki.SignedCard(files, pki.Holder(), keys.chip, keys.active))
    return msgspec.structs.replace(
        made,
        locked=frozenset({LdsFile.DG3}),
        trust_points=tuple(party.certificate.encoded for party in trusted),
        **image,
    )


@pytest.fixture
def csca(tmp_path: Path) -> Path:
    path = tmp_path / "csca.der"
    path.write_bytes(pki.issuer().csca.certificate.public_bytes(Encoding.DER))
    return path


@pytest.fixture
def cvc(tmp_path: Path) -> Path:
    held = chain()
    return folder_of(tmp_path / "cvc", held.root, held.verifier, held.terminal)


def folder_of(folder: Path, *parties: Party) -> Path:
    folder.mkdir()
    for number, party in enumerate(parties):
        (folder / f"cvc_{number}.cvcert").write_bytes(party.certificate.encoded)
    key = parties[-1].private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    (folder / KEY_FILE).write_bytes(key)
    return folder


def read(image: CardImage, csca: Path, cvc: Path | None = None) -> tuple[dict[str, Any], int]:
    order = ReadOrder("*", Access(can=image.can), (csca,), 0.1, cvc)
    return read_card(order, lambda _name: SoftReader(image))


# -- terminal authentication ------------------------------------------------------------------


def test_fingerprints_are_read_and_checked(csca: Path, cvc: Path) -> None:
    result, code = read(card((chain().root,)), csca, cvc)
    assert (result["ok"], result["error"], code) == (True, None, exit_codes.OK)
    assert (result["terminal_auth"], result["chip_auth"], result["passive_auth"]) == ("ok", "ok", "ok")
    assert result["dgs"]["3"] == DG3_HASH
    assert result["locked"] == []


def test_without_certificates_the_card_is_read_as_ever(csca: Path) -> None:
    result, code = read(card((chain().root,)), csca)
    assert (result["ok"], code) == (True, exit_codes.OK)
    assert (result["terminal_auth"], result["locked"]) == ("not done", [3])
    assert "3" not in result["dgs"]


def test_a_card_that_asks_for_no_terminal(csca: Path, cvc: Path) -> None:
    offer = build_card_access(SecurityInfos(pace=(PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13),)))
    image = genuine_card()
    image = msgspec.structs.replace(image, files={**image.files, LdsFile.CARD_ACCESS: offer})
    for folder in (None, cvc):
        result, code = read(image, csca, folder)
        assert (result["ok"], result["terminal_auth"], code) == (True, "not supported", exit_codes.OK)


def test_fingerprints_that_the_issuer_did_not_sign_are_found_out(csca: Path, cvc: Path) -> None:
    other = build_dg3(Dg3((FingerImage.of(FingerPosition.LEFT_INDEX, wsq(300, 400)),)))
    result, code = read(card((chain().root,), shown={LdsFile.DG3: other}), csca, cvc)
    assert (result["terminal_auth"], result["passive_auth"]) == ("ok", "CHIP_DATA_ALTERED")
    assert (result["ok"], result["error"], code) == (False, "CHIP_DATA_ALTERED", exit_codes.REFUSED)


def test_a_chip_that_trusts_somebody_else_keeps_its_fingerprints(csca: Path, cvc: Path) -> None:
    result, code = read(card((cvca("DECVCA00001"),)), csca, cvc)
    assert (result["terminal_auth"], result["passive_auth"]) == ("TERMINAL_NOT_TRUSTED", "ok")
    assert (result["ok"], result["error"], code) == (False, "TERMINAL_NOT_TRUSTED", exit_codes.REFUSED)
    assert result["locked"] == [3]
    assert "1" in result["dgs"]


def test_a_twin_of_the_authority_is_refused_by_the_chip(csca: Path, cvc: Path) -> None:
    twin = cvca(chain().root.name, **TODAY)
    result, code = read(card((twin,)), csca, cvc)
    assert (result["terminal_auth"], result["ok"]) == ("TERMINAL_AUTHENTICATION_FAILED", False)
    assert (code, result["locked"]) == (exit_codes.REFUSED, [3])


def test_expired_certificates_never_reach_the_chip(csca: Path, tmp_path: Path) -> None:
    held = chain()
    late = issue(held.verifier, "VNTESTIS00002", HolderRole.IS, **EXPIRED)
    folder = folder_of(tmp_path / "late", held.root, held.verifier, late)
    result, code = read(card((held.root,)), csca, folder)
    assert (result["terminal_auth"], result["error"]) == (
        "TERMINAL_CERTIFICATE_EXPIRED",
        "TERMINAL_CERTIFICATE_EXPIRED",
    )
    assert (result["ok"], code) == (False, exit_codes.REFUSED)
    # The rest of the card is read and judged all the same.
    assert (result["passive_auth"], result["locked"]) == ("ok", [3])
    without, _ = read(card((held.root,)), csca)
    assert result["apdus"] == without["apdus"]


def test_rights_to_irises_only_leave_fingerprints_locked(csca: Path, tmp_path: Path) -> None:
    held = chain()
    other = issue(held.verifier, "VNTESTIS00003", HolderRole.IS, rights=0b10, **TODAY)
    folder = folder_of(tmp_path / "irises", held.root, held.verifier, other)
    result, code = read(card((held.root,)), csca, folder)
    assert (result["terminal_auth"], result["ok"], code) == ("ok", True, exit_codes.OK)
    assert (result["locked"], "3" in result["dgs"]) == ([3], False)


def test_a_cloned_chip_is_shown_no_certificate(csca: Path, cvc: Path) -> None:
    clone = ec.generate_private_key(ec.BrainpoolP256R1())
    key = clone.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    result, code = read(card((chain().root,), chip_authentication_key=key), csca, cvc)
    assert (result["chip_auth"], result["terminal_auth"]) == ("CHIP_CLONED", "not done")
    assert (result["ok"], code) == (False, exit_codes.REFUSED)


def test_a_card_pulled_during_terminal_authentication(csca: Path, cvc: Path) -> None:
    image = card((chain().root,))
    whole = SoftReader(image)
    order = ReadOrder("*", Access(can=image.can), (csca,), 0.1, cvc)
    result, _ = read_card(order, lambda _name: whole)
    assert result["terminal_auth"] == "ok"
    before, _ = read_card(replace(order, cvc=None), lambda _name: SoftReader(image))
    for number in range(before["apdus"], result["apdus"]):  # type: ignore[call-overload]
        reader = SoftReader(image)
        reader.pull_at = number
        pulled, code = read_card(order, lambda _name, reader=reader: reader)  # type: ignore[misc]
        assert (pulled["ok"], pulled["error"], code) == (False, "CARD_REMOVED", exit_codes.REFUSED)
        assert reader.closed == 1


# -- the mapping of PACE ----------------------------------------------------------------------


@dataclass(frozen=True)
class Mapped:
    """A card whose chip can prove itself while PACE runs, and what it says about its key."""

    key: ec.EllipticCurvePrivateKey
    card_security: bytes


def mapped(signer: Any = None) -> Mapped:
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    infos = SecurityInfos(
        pace=(PACE_CAM,),
        chip_authentication_keys=(
            ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, pki.public_key_info(key), 13),
        ),
    )
    signed = sign_card_security(
        build_card_access(infos), signer or pki.issuer().document_signer, signing_time=pki.SIGNED
    )
    return Mapped(key, signed)


def mapping_card(made: Mapped, *, mapping_key: Any = None, **changes: Any) -> CardImage:
    """A PACE-CAM card; ``mapping_key`` is what the chip really holds."""
    shown = {
        LdsFile.CARD_ACCESS: build_card_access(SecurityInfos(pace=(PACE_CAM,))),
        LdsFile.CARD_SECURITY: made.card_security,
        **changes.pop("shown", {}),
    }
    held = (mapping_key or made.key).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return card((), shown=shown, mapping_key=held, **changes)


def test_a_mapping_proves_the_chip(csca: Path) -> None:
    result, code = read(mapping_card(mapped()), csca)
    assert (result["access"], result["chip_auth"]) == ("PACE-CAM", "ok")
    assert (result["ok"], result["error"], code) == (True, None, exit_codes.OK)


def test_a_mapping_without_chip_authentication_is_proof_enough(csca: Path) -> None:
    made = pki.unsigned_files(pki.Holder(), pki.Keys())
    without_key = replace(parse_dg14(made[LdsFile.DG14]), chip_authentication_keys=())
    result, code = read(mapping_card(mapped(), changed={LdsFile.DG14: build_dg14(without_key)}), csca)
    assert (result["access"], result["chip_auth"]) == ("PACE-CAM", "ok")
    assert (result["ok"], code) == (True, exit_codes.OK)


@pytest.mark.parametrize("flaw", ["another key", "another issuer", "altered", "missing", "cloned chip key"])
def test_a_mapping_that_proves_nothing(csca: Path, flaw: str) -> None:
    made = mapped(pki.rogue().document_signer if flaw == "another issuer" else None)
    other = ec.generate_private_key(ec.BrainpoolP256R1())
    encoded = other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    changes: dict[str, Any] = {
        "another key": {"mapping_key": other},
        "altered": {"shown": {LdsFile.CARD_SECURITY: made.card_security[:-1] + b"\x00"}},
        "missing": {"shown": {LdsFile.CARD_SECURITY: build(0x04, b"")}},
        "cloned chip key": {"chip_authentication_key": encoded},
    }.get(flaw, {})
    image = mapping_card(made, **changes)
    if flaw == "missing":
        files = {file: held for file, held in image.files.items() if file is not LdsFile.CARD_SECURITY}
        image = msgspec.structs.replace(image, files=files)
    result, code = read(image, csca)
    expected = {
        "another issuer": "CHIP_DS_UNTRUSTED",
        "altered": "CHIP_SOD_INVALID",
    }.get(flaw, "CHIP_CLONED")
    assert (result["access"], result["chip_auth"]) == ("PACE-CAM", expected)
    assert (result["ok"], code) == (False, exit_codes.REFUSED)
    assert result["error"] == expected
