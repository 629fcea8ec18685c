"""A kit by its commands: made, filled, sealed, emptied by stick and by network; each a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enrollment_admin.station.__main__ import main
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from monitoring.stand.drawn_people import prints
from tests.support.engines import Sqlite
from tests.support.form_text import form_text
from tests.support.issuance_office import picture
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    OFFICER,
    PASSPHRASE,
    SIGNED,
    commune,
    declared,
    served,
)
from tests.support.packet_centre import SUPERVISOR, Centre, PlainDossiers, prepared_database
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.commune_extract import MAX_TOKEN, ExtractRequest, extract_file, seal_extract
from verification.messages.enrollment_packet import SealedPacket, from_file, parse_packet
from verification.messages.packet_intake import KitRegistration, SignerRegistration
from verification.messages.signing_key import from_b64url, public_key_of, thumbprint

ROOT = Path(__file__).parents[3]

Command = Callable[..., Any]


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    """A centre whose clock is the kit's: the machine's."""
    centre = Centre(prepared_database(Sqlite(tmp_path).new()), tmp_path / "centre", PlainDossiers())
    centre.now[0] = datetime.now(UTC)
    return centre


@pytest.fixture
def kit(tmp_path: Path, centre: Centre, capsys: pytest.CaptureFixture[str]) -> Command:
    """A kit that was made and is registered; a command answers with what it printed, or with its fault."""

    def command(name: str, *options: str | Path) -> Any:
        place = ("--folder", tmp_path / "kit", "--store-key", tmp_path / "usb" / "store_key")
        ended = main([name, *map(str, (*place, *options))])
        told = capsys.readouterr()
        assert "Nguyễn" not in told.out
        if ended:
            return told.err.split(": ")[1]
        answered = json.loads(told.out)
        if name in {"init", "officer"}:
            assert thumbprint(public_key_of(answered["jwk"])) in told.err
        return answered

    (tmp_path / "centre_keys.json").write_bytes(msgspec.json.encode(centre.intake.desk.key_list()))
    form = packaged_forms().edition("CC01", datetime.now(UTC).date())
    # These commands run by the machine's clock, and slaps have a day from which they are asked.
    form = msgspec.structs.replace(form, prints=msgspec.structs.replace(form.prints, slaps=None))
    (tmp_path / "form.json").write_bytes(msgspec.json.encode(form))
    kit = ("--kit", "kit-042", "--unit", commune().unit)
    made = command(
        "init", *kit, "--centre-keys", tmp_path / "centre_keys.json", "--form", tmp_path / "form.json"
    )
    centre.intake.kits.register_kit(SUPERVISOR, msgspec.convert(made, KitRegistration))
    for officer, passphrase in ((OFFICER, PASSPHRASE), (CHIEF, CHIEFS_PASSPHRASE)):
        (tmp_path / f"{officer}.secret").write_text(passphrase)
        told = command("officer", *signing(tmp_path, officer))
        centre.intake.kits.register_signer(SUPERVISOR, msgspec.convert(told, SignerRegistration))
    (tmp_path / "stick").mkdir()
    return command


def signing(folder: Path, officer: str = OFFICER) -> tuple[str | Path, ...]:
    return ("--officer", officer, "--passphrase-file", folder / f"{officer}.secret")


def answer_extract_request(stick: Path, centre: Centre) -> None:
    """What the office writes onto the stick for the request that is on it."""
    asked = msgspec.json.decode((stick / "kit-042-extract_request.json").read_bytes(), type=ExtractRequest)
    wanted = json.loads(from_b64url(asked.request.split(".")[1]))
    until = (datetime.now(UTC) + timedelta(days=14)).isoformat()
    extract = msgspec.structs.replace(commune(), expires_at=until)
    opening: Any = public_key_of(wanted["opening"])
    sealed = seal_extract(extract, centre.keys.receipts, opening, os.urandom)
    (stick / extract_file("kit-042")).write_text(sealed)


@cache
def drawn_prints() -> dict[str, bytes]:
    """Ten prints that the real engine reads."""
    return prints(7)


def scanner(folder: Path) -> Path:
    """Where a scanner left ten prints."""
    left = folder / "scanner"
    left.mkdir(exist_ok=True)
    for item, content in drawn_prints().items():
        (left / f"{item}.png").write_bytes(content)
    return left


def fill(kit: Command, folder: Path, index: int = 0) -> str:
    """A capture by commands, to the seal."""
    (folder / "said.json").write_bytes(msgspec.json.encode(declared(index)))
    (folder / "face.jpg").write_bytes(picture())
    (folder / "signature.png").write_bytes(SIGNED)
    begun = kit("capture", "--officer", OFFICER, "--declaration", folder / "said.json")
    assert (begun["state"], begun["stops"]) == ("draft", [])
    assert begun["missing"] == ["portrait", *FINGER_ITEMS]
    on = ("--officer", OFFICER, "--draft", begun["draft"], "--prints", scanner(folder))
    whole = kit(
        "capture", *on, "--item", f"portrait={folder / 'face.jpg'}", "--print-form", folder / "form.pdf"
    )
    assert (whole["state"], whole["missing"]) == ("form_checked", ["signature"])
    assert declared(index).full_name in form_text((folder / "form.pdf").read_bytes())
    signed = kit("capture", *on[:4], "--item", f"signature={folder / 'signature.png'}")
    assert signed["missing"] == []
    return str(kit("seal", *signing(folder), "--draft", begun["draft"])["packet"])


def test_a_kit_without_any_network_is_filled_and_emptied_by_a_stick(
    kit: Command, centre: Centre, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    (tmp_path / "said.json").write_bytes(msgspec.json.encode(declared()))
    declaring = ("capture", "--officer", OFFICER, "--declaration", tmp_path / "said.json")
    assert kit(*declaring) == "KIT_EXTRACT_MISSING"
    assert kit("export", "--to", stick) == {"exported": []}
    answer_extract_request(stick, centre)
    assert kit("import", "--from", stick)["extract"]
    packets = [fill(kit, tmp_path, index) for index in range(2)]
    assert kit("export", "--to", stick) == {"exported": [1, 2]}
    for path in sorted(stick.glob("*.packet")):
        metadata, content = from_file(path.read_bytes())
        packet = SealedPacket(parse_packet(metadata).packet_hash, metadata, content)
        path.with_suffix(".receipt").write_text(centre.bring(packet))
    status = kit("status")
    assert [each["packet"] for each in status["waiting"]] == packets
    assert kit("import", "--from", stick)["receipts"] == {"receipted": [1, 2], "refused": []}
    status = kit("status")
    assert (status["waiting"], status["figures"]["by_state"]["receipted"]) == ([], 2)
    assert centre.intake.kits.numbers(SUPERVISOR, "kit-042").settled == 2


def test_a_kit_with_a_network_sends(kit: Command, centre: Centre, tmp_path: Path) -> None:
    kit("export", "--to", tmp_path / "stick")
    answer_extract_request(tmp_path / "stick", centre)
    kit("import", "--from", tmp_path / "stick")
    fill(kit, tmp_path)
    (tmp_path / "token").write_text("a token")
    with served(centre.intake.desk) as url:
        sent = kit("send", "--url", url, "--token-file", tmp_path / "token")
        assert (sent["receipted"], sent["stopped"]) == ([1], None)
        assert kit("fetch", "--url", url, "--token-file", tmp_path / "token") == "KIT_CENTRE_REFUSED"


def test_a_form_that_is_no_longer_in_force_is_not_printed(
    kit: Command, centre: Centre, tmp_path: Path
) -> None:
    kit("export", "--to", tmp_path / "stick")
    answer_extract_request(tmp_path / "stick", centre)
    kit("import", "--from", tmp_path / "stick")
    in_force = (tmp_path / "form.json").read_bytes()
    former = packaged_forms().edition("CC02", date(2021, 4, 1))
    (tmp_path / "form.json").write_bytes(msgspec.json.encode(former))
    assert kit("renew", "--form", tmp_path / "form.json") == {"form": "CC02/2016"}
    (tmp_path / "said.json").write_bytes(msgspec.json.encode(declared()))
    (tmp_path / "face.jpg").write_bytes(picture())
    begun = kit("capture", "--officer", OFFICER, "--declaration", tmp_path / "said.json")
    on = ("capture", "--officer", OFFICER, "--draft", begun["draft"])
    taken = ("--item", f"portrait={tmp_path / 'face.jpg'}", "--prints", scanner(tmp_path))
    assert kit(*on, *taken)["state"] == "captured"
    assert kit(*on, "--print-form", tmp_path / "form.pdf") == "KIT_FORM_OUTDATED"
    (tmp_path / "form.json").write_bytes(in_force)
    kit("renew", "--form", tmp_path / "form.json")
    assert kit(*on, "--print-form", tmp_path / "form.pdf")["state"] == "form_checked"


def test_a_bad_extract_on_a_stick_leaves_the_good_one(kit: Command, centre: Centre, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    kit("export", "--to", stick)
    answer_extract_request(stick, centre)
    kit("import", "--from", stick)
    kept = (tmp_path / "kit" / "commune_extract.jwe").read_bytes()
    for brought in (b"", b"\xff\xfe", b"a.b.c.d.e", kept[:-4], kept + b"x", kept.replace(b".", b"..", 1)):
        (stick / extract_file("kit-042")).write_bytes(brought)
        assert kit("import", "--from", stick) == "COMMUNE_EXTRACT_INVALID"
        assert (tmp_path / "kit" / "commune_extract.jwe").read_bytes() == kept
    with (stick / extract_file("kit-042")).open("wb") as endless:
        endless.truncate(MAX_TOKEN + 1)
    assert kit("import", "--from", stick) == "DOCUMENT_LIMIT_EXCEEDED"


def test_wrong_use_is_refused_by_a_code(kit: Command, tmp_path: Path) -> None:
    (tmp_path / "said.json").write_text('{"citizen_number": 1}')
    assert (
        kit("capture", "--officer", OFFICER, "--declaration", tmp_path / "said.json") == "REQUEST_MALFORMED"
    )
    assert kit("capture", "--officer", OFFICER, "--draft", "kit-042-9") == "KIT_CAPTURE_UNKNOWN"
    assert kit("seal", *signing(tmp_path), "--draft", "kit-042-9") == "KIT_CAPTURE_UNKNOWN"
    assert kit("seal", *signing(tmp_path), "--draft", "kit-042-9", "--supervisor", CHIEF) == "CONFIGURATION"
    (tmp_path / f"{OFFICER}.secret").write_text("another one")
    assert kit("seal", *signing(tmp_path), "--draft", "kit-042-9") == "KIT_PASSPHRASE_WRONG"
    (tmp_path / "new.secret").write_text("1234")
    assert kit("officer", *signing(tmp_path, "new")) == "FIELDS_REFUSED"
    assert kit("export", "--to", tmp_path / "no stick") == "KIT_STORAGE_UNAVAILABLE"
    (tmp_path / "usb" / "store_key").chmod(0o644)
    assert kit("status") == "CONFIGURATION"


def test_it_is_a_program(kit: Command, tmp_path: Path) -> None:
    place = ("--folder", tmp_path / "kit", "--store-key", tmp_path / "usb" / "store_key")
    ran = subprocess.run(
        [sys.executable, "-m", "enrollment_admin.station", "status", *map(str, place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(ran.stdout)["kit"] == "kit-042"
