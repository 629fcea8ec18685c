"""The path from a chip's trust point to a terminal, by name; and the rights that are left."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from tests.support.terminal_pki import Party, cvca, issue, link, terminal_chain
from verification.lds.card_verifiable import (
    AUTHENTICATION_TERMINAL,
    CardVerifiableCertificate,
    HolderAuthorization,
    HolderRole,
)
from verification.lds.card_verifiable_path import MAX_PATH, EffectiveRights, build_path, effective_rights
from verification.lds.files import LdsFile

ROOT, VERIFIER, TERMINAL = (party.certificate for party in terminal_chain())


def names(path: tuple[CardVerifiableCertificate, ...]) -> list[str]:
    return [certificate.holder_reference for certificate in path]


@cache
def generations(count: int) -> tuple[Party, ...]:
    return tuple(cvca(f"VNCVCA{number:05}") for number in range(1, count + 1))


def linked(count: int) -> list[CardVerifiableCertificate]:
    """All own and link certificates of that many CVCA keys."""
    parties = generations(count)
    links = [link(old, new) for old, new in pairwise(parties)]
    return [*(party.certificate for party in parties), *links]


@pytest.mark.parametrize("others", [(ROOT, VERIFIER), (VERIFIER, ROOT), (VERIFIER,)])
def test_the_others_may_stand_in_any_order(others: tuple[CardVerifiableCertificate, ...]) -> None:
    path = build_path((*others, TERMINAL), [ROOT.holder_reference])
    assert path is not None
    assert path.certificates == (VERIFIER, TERMINAL)
    assert path.trust_point == (ROOT if ROOT in others else None)


def test_a_chip_with_an_older_key_is_led_over_the_links() -> None:
    newest = generations(3)[-1]
    verifier = issue(newest, "VNDV00001", HolderRole.DV_DOMESTIC)
    terminal = issue(verifier, "VNIS00001", HolderRole.IS)
    held = [*linked(3), verifier.certificate, terminal.certificate]
    for trusted, expected in (
        (["VNCVCA00003"], ["VNDV00001", "VNIS00001"]),
        (["VNCVCA00002"], ["VNCVCA00003", "VNDV00001", "VNIS00001"]),
        (["VNCVCA00001"], ["VNCVCA00002", "VNCVCA00003", "VNDV00001", "VNIS00001"]),
        # The chip that holds two keys needs the shorter way only.
        (["VNCVCA00002", "VNCVCA00001"], ["VNCVCA00003", "VNDV00001", "VNIS00001"]),
    ):
        path = build_path(held, trusted)
        assert path is not None
        assert names(path.certificates) == expected
        assert path.trust_point is not None
        assert path.trust_point.holder_reference == trusted[0]


def test_a_verifier_of_two_states_is_presented_by_the_one_that_the_chip_trusts() -> None:
    home, abroad = cvca("VNCVCA00001"), cvca("DECVCA00001")
    domestic = issue(home, "VNDV00001", HolderRole.DV_DOMESTIC)
    foreign = issue(abroad, "VNDV00001", HolderRole.DV_FOREIGN, private=domestic.private)
    terminal = issue(domestic, "VNIS00001", HolderRole.IS).certificate
    held = (domestic.certificate, foreign.certificate, terminal)
    for trusted, verifier in (("VNCVCA00001", domestic), ("DECVCA00001", foreign)):
        path = build_path(held, [trusted])
        assert path is not None
        assert path.certificates == (verifier.certificate, terminal)


def test_of_two_certificates_for_one_key_the_longer_valid_is_taken() -> None:
    root = cvca("VNCVCA00001")
    short = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, expiration=date(2026, 6, 20))
    long = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, private=short.private)
    terminal = issue(short, "VNIS00001", HolderRole.IS).certificate
    for verifiers in ((short, long), (long, short)):
        path = build_path((*(party.certificate for party in verifiers), terminal), ["VNCVCA00001"])
        assert path is not None
        assert path.certificates[0] == long.certificate


@pytest.mark.parametrize("trusted", [[], ["DECVCA00001"], [TERMINAL.holder_reference]])
def test_no_path_to_a_key_that_is_not_trusted(trusted: list[str]) -> None:
    assert build_path((ROOT, VERIFIER, TERMINAL), trusted) is None


def test_nothing_leads_to_nobody() -> None:
    assert build_path((), ["VNTESTCVCA00001"]) is None
    assert build_path((ROOT,), ["VNTESTCVCA00001"]) is None


def test_links_that_go_round_come_to_an_end() -> None:
    first, second = generations(2)
    held = [link(first, second), link(second, first)] * 20
    verifier = issue(second, "VNDV00001", HolderRole.DV_DOMESTIC)
    assert build_path([*held, verifier.certificate], ["DECVCA00001"]) is None


def test_a_path_has_an_end() -> None:
    newest = generations(MAX_PATH)[-1]
    verifier = issue(newest, "VNDV00001", HolderRole.DV_DOMESTIC).certificate
    held = [*linked(MAX_PATH), verifier]
    longest = build_path(held, ["VNCVCA00001"])
    assert longest is not None
    assert len(longest.certificates) == MAX_PATH
    terminal = issue(issue(newest, "VNDV00001", HolderRole.DV_DOMESTIC), "VNIS00001", HolderRole.IS)
    assert build_path([*held, terminal.certificate], ["VNCVCA00001"]) is None


@pytest.mark.parametrize(
    ("root", "verifier", "terminal", "files"),
    [
        (0b11, 0b11, 0b11, (LdsFile.DG3, LdsFile.DG4)),
        (0b11, 0b11, 0b01, (LdsFile.DG3,)),
        (0b11, 0b10, 0b11, (LdsFile.DG4,)),
        (0b01, 0b11, 0b11, (LdsFile.DG3,)),
        (0b11, 0b10, 0b01, ()),
        (0b11, 0b11, 0b111100, ()),
    ],
)
def test_rights_are_what_everybody_on_the_way_has(
    root: int, verifier: int, terminal: int, files: tuple[LdsFile, ...]
) -> None:
    authority = cvca(authorization=HolderAuthorization(ROOT.authorization.oid, HolderRole.CVCA, root))
    middle = issue(authority, "VNDV00001", HolderRole.DV_DOMESTIC, rights=verifier)
    last = issue(middle, "VNIS00001", HolderRole.IS, rights=terminal)
    path = build_path([party.certificate for party in (authority, middle, last)], [authority.name])
    assert path is not None
    assert path.rights.files == files
    assert path.rights == EffectiveRights(root & verifier & terminal & 0b11)
    assert (path.rights.reads_dg3, path.rights.reads_dg4) == (LdsFile.DG3 in files, LdsFile.DG4 in files)


def test_of_the_authorities_the_one_that_the_verifier_names_counts() -> None:
    few, all_of_them = 0b01, 0b11
    oid = ROOT.authorization.oid
    old = cvca("VNCVCA00001", authorization=HolderAuthorization(oid, HolderRole.CVCA, few))
    new = cvca("VNCVCA00002")
    between = link(old, new, authorization=HolderAuthorization(oid, HolderRole.CVCA, all_of_them))
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    terminal = issue(verifier, "VNIS00001", HolderRole.IS)
    held = (old.certificate, between, verifier.certificate, terminal.certificate)
    assert effective_rights(held) == EffectiveRights(all_of_them)
    narrowed = link(old, new, authorization=HolderAuthorization(oid, HolderRole.CVCA, 0b10))
    assert effective_rights((held[0], narrowed, *held[2:])) == EffectiveRights(0b10)


def test_another_type_of_terminal_has_no_right_to_fingerprints() -> None:
    other = HolderAuthorization(AUTHENTICATION_TERMINAL, HolderRole.IS, 0b11)
    root = cvca()
    terminal = issue(root, "VNAT00001", HolderRole.IS, authorization=other).certificate
    assert not terminal.authorization.reads_dg3
    assert not terminal.authorization.reads_dg4
    assert effective_rights([root.certificate, terminal]) == EffectiveRights(0)
