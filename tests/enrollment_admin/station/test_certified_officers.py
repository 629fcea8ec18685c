"""At a kit nobody seals whom the centre's signed list does not name that day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.certified import keep_officers, officers_here, take_officers
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.refusals import OfficerListInvalid, OfficerNotCertified
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.issuance_office import NOW
from tests.support.kit_bench import OFFICER, PASSPHRASE, KitBench, captured, desk_of
from verification.errors import LimitExceeded
from verification.messages.certified_officers import (
    MAX_LIST,
    CertifiedOfficer,
    CertifiedOfficers,
    officers_file,
    sign_officers,
)
from verification.messages.packet_intake import PacketKeyList
from verification.messages.signing_key import SigningKey

TODAY = "2026-11-21"
Listed = Callable[..., str]


@pytest.fixture
def bench(tmp_path: Path, centre_keys: CentreKeys) -> KitBench:
    keys = PacketKeyList(opening=centre_keys.opening_jwk(), receipts=centre_keys.receipts_jwk())
    return KitBench(tmp_path, keys)


@pytest.fixture
def kit(bench: KitBench) -> Kit:
    return bench.make()


@pytest.fixture
def listed(centre_keys: CentreKeys) -> Listed:
    """The centre's list for a kit, in which the officer is certified until a day."""

    def made(
        kit: Kit,
        until: str,
        *,
        officer: str = OFFICER,
        named: str = "",
        minutes: int = 0,
        key: SigningKey | None = None,
    ) -> str:
        officers = (CertifiedOfficer(officer, "2026-01-01", until),)
        as_of = (NOW + timedelta(minutes=minutes)).isoformat()
        said = CertifiedOfficers(named or kit.profile.name, as_of, officers)
        return sign_officers(said, key or centre_keys.receipts)

    return made


def test_whom_the_list_does_not_name_today_seals_nothing_and_loses_nothing(
    bench: KitBench, kit: Kit, listed: Listed
) -> None:
    desk = desk_of(kit)
    draft = captured(desk)
    for until, officer in (("2026-11-20", OFFICER), (TODAY, "somebody")):
        keep_officers(kit, listed(kit, until, officer=officer))
        with pytest.raises(OfficerNotCertified):
            desk.seal(draft, PASSPHRASE, "vi")
    keep_officers(kit, listed(kit, TODAY))
    assert desk.seal(draft, PASSPHRASE, "vi").sequence == 1
    # Another day, and another capture of the same officer.
    second = captured(desk, 1)
    bench.pass_time(86_400)
    with pytest.raises(OfficerNotCertified):
        desk.seal(second, PASSPHRASE, "vi")


def test_a_kit_without_a_list_leaves_it_to_the_centre(kit: Kit) -> None:
    keep_officers(kit, None)
    assert officers_here(kit) is None
    desk = desk_of(kit)
    assert desk.seal(captured(desk), PASSPHRASE, "vi").sequence == 1


def test_only_this_centre_s_list_for_this_kit_is_kept(kit: Kit, listed: Listed) -> None:
    keep_officers(kit, listed(kit, TODAY))
    stranger = ec.generate_private_key(ec.SECP256R1())
    good = listed(kit, "2027-01-01")
    wrong = (
        listed(kit, "2027-01-01", key=stranger),
        listed(kit, "2027-01-01", named="kit-008"),
        good[:-2],
        "x",
        good + "A" * MAX_LIST,
    )
    for token in wrong:
        with pytest.raises(OfficerListInvalid):
            keep_officers(kit, token)
    standing = officers_here(kit)
    assert standing is not None
    assert standing.officers[0].valid_until == TODAY


def test_an_older_list_brings_no_certificate_back(kit: Kit, listed: Listed) -> None:
    older = listed(kit, "2027-01-01")
    keep_officers(kit, listed(kit, "2026-11-20", minutes=1))
    keep_officers(kit, older)
    desk = desk_of(kit)
    with pytest.raises(OfficerNotCertified):
        desk.seal(captured(desk), PASSPHRASE, "vi")


def test_what_was_altered_on_the_kit_s_disk_names_nobody(kit: Kit, listed: Listed) -> None:
    keep_officers(kit, listed(kit, TODAY))
    (kit.folder / "certified_officers.jws").write_text("x.y.z")
    desk = desk_of(kit)
    with pytest.raises(OfficerListInvalid):
        desk.seal(captured(desk), PASSPHRASE, "vi")


def test_a_spoiled_list_gives_way_to_a_good_one(kit: Kit, listed: Listed) -> None:
    keep_officers(kit, listed(kit, TODAY))
    (kit.folder / "certified_officers.jws").write_text("x.y.z")
    with pytest.raises(OfficerListInvalid):
        keep_officers(kit, "x.y.z")
    keep_officers(kit, listed(kit, TODAY))
    desk = desk_of(kit)
    assert desk.seal(captured(desk), PASSPHRASE, "vi").sequence == 1


def test_a_list_comes_on_a_stick(kit: Kit, listed: Listed, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    assert not take_officers(kit, stick)
    (stick / officers_file(kit.profile.name)).write_text(listed(kit, TODAY))
    assert take_officers(kit, stick)
    standing = officers_here(kit)
    assert standing is not None
    assert standing.officers[0].officer == OFFICER
    (stick / officers_file(kit.profile.name)).write_bytes(b"x" * (MAX_LIST + 1))
    with pytest.raises(LimitExceeded):
        take_officers(kit, stick)
