"""Dual control: enough custodians give the root secret back, fewer or false ones give nothing."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.csca.custodians import Custodian, entrust, join, put_together, split
from issuance_backend.refusals import CustodianNotProven, DualControlMissing

LAN = Custodian("lan", b"first own passphrase")
MINH = Custodian("minh", b"second own passphrase")
HOA = Custodian("hoa", b"third own passphrase")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "custodians"


@settings(max_examples=100)
@given(st.binary(min_size=32, max_size=32), st.integers(2, 5), st.integers(0, 3))
def test_any_shares_that_are_enough_give_the_secret_back(secret: bytes, needed: int, spare: int) -> None:
    shares = split(secret, needed, needed + spare)
    for chosen in combinations(shares, needed):
        assert join(chosen) == secret
    assert join(shares[: needed - 1]) != secret


def test_a_share_tells_nothing_of_the_secret() -> None:
    """With one share, every secret is as likely: for each there is a second share that gives it."""
    first, _ = split(bytes(32), 2, 2)
    for secret in (bytes(32), b"\x01" * 32, b"\xff" * 32):
        slope = (first.value - int.from_bytes(secret, "big")) % (2**521 - 1)
        second = first._replace(number=2, value=(first.value + slope) % (2**521 - 1))
        assert join([first, second]) == secret


def test_any_two_of_three_open(folder: Path) -> None:
    secret = entrust(folder, [LAN, MINH, HOA], 2)
    for present in ([LAN, MINH], [MINH, HOA], [HOA, LAN], [LAN, MINH, HOA]):
        assert put_together(folder, present) == secret


def test_no_two_founding_ceremonies_make_the_same_secret(tmp_path: Path) -> None:
    assert entrust(tmp_path / "a", [LAN, MINH], 2) != entrust(tmp_path / "b", [LAN, MINH], 2)


@pytest.mark.parametrize("present", [[], [LAN], [LAN, LAN], [MINH, MINH]], ids=str)
def test_one_custodian_is_never_enough(folder: Path, present: list[Custodian]) -> None:
    entrust(folder, [LAN, MINH, HOA], 2)
    with pytest.raises(DualControlMissing):
        put_together(folder, present)


def test_two_are_not_enough_where_three_are_needed(folder: Path) -> None:
    secret = entrust(folder, [LAN, MINH, HOA], 3)
    with pytest.raises(DualControlMissing):
        put_together(folder, [LAN, MINH])
    assert put_together(folder, [LAN, MINH, HOA]) == secret


@pytest.mark.parametrize(
    "false",
    [
        Custodian("minh", b"not the passphrase"),
        Custodian("minh", b""),
        Custodian("minh", LAN.passphrase),
        Custodian("nobody", MINH.passphrase),
        Custodian("../minh", MINH.passphrase),
        Custodian("", MINH.passphrase),
    ],
    ids=lambda custodian: custodian.name or "nameless",
)
def test_who_is_not_proven_is_told_nothing_more(folder: Path, false: Custodian) -> None:
    entrust(folder, [LAN, MINH], 2)
    with pytest.raises(CustodianNotProven, match=r"^no such custodian, or another passphrase$"):
        put_together(folder, [LAN, false])


@pytest.mark.parametrize(
    "change", [{"number": 2}, {"needed": 1}, {"custodian": "minh"}, {"nonce": "A" * 16}, {"sealed": "AAAA"}]
)
def test_a_share_that_was_altered_is_refused(folder: Path, change: dict[str, object]) -> None:
    entrust(folder, [LAN, MINH], 2)
    path = folder / "lan.share"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CustodianNotProven):
        put_together(folder, [LAN, MINH])


def test_a_share_does_not_pass_for_another_custodians(folder: Path) -> None:
    """One custodian alone, who copies the own share under a second name."""
    entrust(folder, [LAN, MINH], 2)
    (folder / "minh.share").write_bytes((folder / "lan.share").read_bytes())
    with pytest.raises(CustodianNotProven):
        put_together(folder, [LAN, Custodian("minh", b"anything at all")])
    forged = json.loads((folder / "lan.share").read_text())
    (folder / "minh.share").write_text(json.dumps({**forged, "custodian": "minh"}))
    with pytest.raises(CustodianNotProven):
        put_together(folder, [LAN, Custodian("minh", LAN.passphrase)])


@pytest.mark.parametrize(
    ("custodians", "needed"),
    [
        ([LAN], 1),
        ([LAN, MINH], 1),
        ([LAN, MINH], 3),
        ([LAN, LAN], 2),
        ([LAN, Custodian("minh", LAN.passphrase)], 2),
        ([LAN, Custodian("minh", b"short")], 2),
        ([LAN, Custodian("Minh!", MINH.passphrase)], 2),
        ([Custodian(f"c{n}", b"%d own passphrase" % n) for n in range(17)], 2),
    ],
)
def test_what_is_no_dual_control_is_not_begun(folder: Path, custodians: list[Custodian], needed: int) -> None:
    with pytest.raises(DualControlMissing):
        entrust(folder, custodians, needed)
    assert not folder.exists()


def test_neither_passphrase_nor_secret_is_written_or_shown(folder: Path) -> None:
    secret = entrust(folder, [LAN, MINH], 2)
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    for hidden in (LAN.passphrase, MINH.passphrase, secret, bytes.fromhex(secret.decode())):
        assert hidden not in written
    assert "passphrase" not in repr(LAN)
