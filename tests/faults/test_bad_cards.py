"""Cards that lie, at a real counter: cut, oversized and bomb files, copied or signed by a broken issuer.

Every one ends in a coded verdict with a sentence, in less time than a person notices, and the next
customer is verified at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest

from issuance_backend.virtual_card.card_image import CardImage
from tests.support import images
from tests.support.laid_card import WatchedCard
from tests.support.running_stand import RunningStand
from tests.support.stopwatch import require_in_time
from verification.encoding.tlv import build
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.files import LdsFile
from verification.messages.fault_catalogue import fault_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.needs_models, pytest.mark.alone]

SECONDS = 3.0
SEQUENCE, SET, INTEGER, OBJECT_IDENTIFIER = 0x30, 0x31, 0x02, 0x06


class BadFile(NamedTuple):
    """One file as the card gives it, and what must come out."""

    file: LdsFile
    content: Callable[[bytes], bytes]
    ending: tuple[str, str]
    signed: bool = False


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def nothing(_content: bytes) -> bytes:
    return b""


def always(content: bytes) -> Callable[[bytes], bytes]:
    return lambda _old: content


def claiming(length: str) -> Callable[[bytes], bytes]:
    """The same content under a header that says it were longer."""
    return lambda content: content[:1] + bytes.fromhex(length) + content[4:]


def nested(depth: int) -> bytes:
    encoded = b""
    for _ in range(depth):
        encoded = build(SEQUENCE, encoded)
    return encoded


BOMBS = {
    "6000 sequences in each other": nested(6000),
    "an identifier of 40 kB": build(OBJECT_IDENTIFIER, b"\x81" * 40_000 + b"\x01"),
    "an integer of 40 kB": build(INTEGER, b"\x01" * 40_000),
    "15000 open lengths": b"\x30\x80" * 15_000,
    "20000 empty sequences": build(SEQUENCE, b"\x30\x00" * 20_000),
}
# Each a few hundred bytes; what they claim would take gigabytes to decode.
PICTURES = {
    "a JPEG 2000 of 60000x60000": ("image/jp2", images.jp2(60_000, 60_000)),
    "a JPEG 2000 whose codestream is larger than its header": (
        "image/jp2",
        images.jp2(400, 500, stream=images.codestream(60_000, 60_000)),
    ),
    "a JPEG 2000 of four million tiles": (
        "image/jp2",
        images.jp2(2_000, 2_000, stream=images.codestream(2_000, 2_000, tile=(1, 1))),
    ),
    "a JPEG of 60000x60000": ("image/jpeg", images.jpeg(60_000, 60_000)),
}
CUT, OVERSIZED = ("refused", "DOCUMENT_MALFORMED"), ("refused", "DOCUMENT_LIMIT_EXCEEDED")
ALTERED = ("refused", "CHIP_DATA_ALTERED")
READ = (LdsFile.COM, LdsFile.SOD, LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG2)


def cases() -> dict[str, BadFile]:
    found = {f"{file.name} is cut off": BadFile(file, half, CUT) for file in (*READ, LdsFile.CARD_ACCESS)}
    found["EF.SOD is empty"] = BadFile(LdsFile.SOD, nothing, ("incomplete", "CARD_UNEXPECTED_STATUS"))
    found["EF.CardAccess is empty"] = BadFile(LdsFile.CARD_ACCESS, nothing, ("incomplete", "MRZ_NEEDED"))
    for file in (LdsFile.SOD, LdsFile.DG2, LdsFile.CARD_ACCESS):
        found[f"{file.name} claims 16 MB"] = BadFile(file, claiming("83FFFFFF"), OVERSIZED)
        found[f"{file.name} claims 65535 bytes"] = BadFile(file, claiming("82FFFF"), OVERSIZED)
    for name, bomb in BOMBS.items():
        found[f"EF.SOD holds {name}"] = BadFile(LdsFile.SOD, always(build(0x77, bomb)), ("refused", ""))
        dg14 = always(build(0x6E, build(SET, bomb)))
        found[f"signed DG14 holds {name}"] = BadFile(LdsFile.DG14, dg14, ("refused", ""), True)
        found[f"DG14 holds {name}, and nobody signed it"] = BadFile(LdsFile.DG14, dg14, ALTERED)
    for name, (kind, picture) in PICTURES.items():
        dg2 = build_dg2(Dg2((Portrait(picture, kind, 1, 1),)))
        assert len(dg2) < 300
        found[f"signed DG2 holds {name}"] = BadFile(LdsFile.DG2, always(dg2), OVERSIZED, True)
        found[f"DG2 holds {name}, and nobody signed it"] = BadFile(LdsFile.DG2, always(dg2), ALTERED)
    return found


CASES = cases()


def card_with(stand: RunningStand, bad: BadFile) -> CardImage:
    image = stand.holder.image
    files = {**image.files, bad.file: bad.content(image.files[bad.file])}
    if bad.signed:
        files[LdsFile.SOD] = stand.signed(files)
    return msgspec.structs.replace(image, files=files)


@pytest.mark.parametrize("name", CASES)
def test_a_card_that_lies_is_refused_in_words_and_the_next_customer_is_served(
    stand: RunningStand, name: str
) -> None:
    bad = CASES[name]
    desk = stand.socket_counter
    with desk.lay(WatchedCard(card_with(stand, bad))):
        over = desk.visit(stand.holder.access)
    outcome, code = over.ending
    assert outcome == bad.ending[0]
    assert code == bad.ending[1] if bad.ending[1] else code in {CUT[1], OVERSIZED[1]}
    require_in_time(over.seconds, SECONDS)
    text = fault_catalogue()[str(code)].vi
    assert (over.verdict["what"], over.verdict["next"]) == (text.what, text.next)
    stand.require_next_customer(desk)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    "access",
    [{"can": "000000"}, {"mrz": "0" * 24}, {"citizen_number": "001090000000"}],
    ids=["can", "mrz", "citizen_number"],
)
def test_what_does_not_open_the_card_is_said_and_the_next_try_works(
    stand: RunningStand, access: dict[str, str], language: str
) -> None:
    desk = stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image)):
        over = desk.visit(access, language=language)
        assert over.ending == ("incomplete", "ACCESS_SECRET_WRONG")
        assert over.verdict["what"] == fault_catalogue()["ACCESS_SECRET_WRONG"].text(language).what
        assert desk.visit({"can": stand.holder.image.can}).ending == ("verified", None)


def test_the_machine_readable_zone_opens_the_card_too(stand: RunningStand) -> None:
    desk = stand.socket_counter
    with desk.lay(WatchedCard(stand.holder.image)):
        assert desk.visit({"mrz": stand.holder.image.mrz_information}).ending == ("verified", None)


@pytest.mark.parametrize("status", ["6985", "6F00", "9000", "6282", "6100"])
def test_a_chip_that_answers_one_status_word_to_everything(stand: RunningStand, status: str) -> None:
    desk = stand.socket_counter
    card = WatchedCard(stand.holder.image, answers=lambda _n, _command, _answer: bytes.fromhex(status))
    with desk.lay(card):
        over = desk.visit(stand.holder.access)
    assert over.ending[0] in {"incomplete", "refused"}
    assert over.verdict["what"]
    require_in_time(over.seconds, SECONDS)
    stand.require_next_customer(desk)


@pytest.mark.parametrize("number", [8, 12, 16])
def test_noise_on_the_way_is_never_read_as_a_file_and_never_called_a_forgery(
    stand: RunningStand, number: int
) -> None:
    """One answer of zeros while files are read: the chip is opened anew, or another try is asked for.

    The proof of the chip that comes after has no second try: there, a wrong answer is a copy's.
    """
    desk = stand.socket_counter
    card = WatchedCard(
        stand.holder.image,
        answers=lambda n, _command, answer: bytes(len(answer) - 2) + b"\x90\x00" if n == number else answer,
    )
    with desk.lay(card):
        over = desk.visit(stand.holder.access)
    assert card.commands > number
    assert over.ending[0] == "verified" or (over.ending[0] == "incomplete" and over.verdict["retryable"])
    assert over.ending[1] is None or over.ending[1] in fault_catalogue()
    stand.require_next_customer(desk)
