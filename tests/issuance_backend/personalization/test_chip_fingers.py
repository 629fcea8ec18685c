"""Which prints go on a chip, and in which bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from issuance_backend.dossiers.print_quality import PLAIN, told_quality
from issuance_backend.personalization.chip_fingers import chip_fingers
from issuance_backend.personalization.finger_pictures import encode_wsq, read_finger
from issuance_backend.refusals import BlobUnknown
from tests.support.cheap_prints import cheap_print
from tests.support.drawn_slaps import drawn_slap
from tests.support.second_touch import encoded
from verification.fingerprint.procedural_finger import render_finger
from verification.fingerprint.slap import fingers_of
from verification.lds.dg3 import WSQ, FingerImage, FingerPosition, Impression, parse_dg3

ALL = {position: str(position) for position in range(1, 16)}


def png(name: str) -> bytes:
    return cheap_print(int(name))


def on_chip(quality: dict[int, int | None], prints: dict[int, str] = ALL) -> list[int]:
    return [finger.position for finger in parse_dg3(chip_fingers(prints, quality, png)).fingers]


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        ({}, [2, 7]),
        (dict.fromkeys(range(1, 11), 60), [2, 7]),
        ({1: 80, 2: 60, 7: 60, 8: 40}, [1, 2]),
        ({3: 80, 10: 80, 2: 60}, [3, 10]),
        ({2: None, 7: 0}, [7, 1]),
        ({1: 60, 2: 20, 6: 60, 7: 80}, [7, 1]),
    ],
)
def test_the_two_best_go_on_the_chip_and_index_fingers_before_equals(
    quality: dict[int, int | None], expected: list[int]
) -> None:
    assert on_chip(quality) == expected


def test_of_fewer_fingers_there_is_what_there_is_and_a_slap_is_no_finger() -> None:
    assert on_chip({}, {9: "9", 13: "13", 14: "14"}) == [9]


def test_what_was_captured_as_wsq_goes_on_byte_for_byte_and_a_png_is_encoded_once() -> None:
    wsq = encode_wsq(read_finger(cheap_print(2)))
    captured = {"2": wsq, "7": cheap_print(7)}
    first, second = parse_dg3(chip_fingers({2: "2", 7: "7"}, {}, captured.__getitem__)).fingers
    assert first.image == wsq
    assert second.image == encode_wsq(read_finger(cheap_print(7)))
    assert {(each.media_type, each.ppi, each.impression) for each in (first, second)} == {
        (WSQ, 500, Impression.ROLLED)
    }


def test_without_fingers_the_file_is_empty_and_never_the_same() -> None:
    one, other = (chip_fingers({}, {}, png) for _ in range(2))
    assert parse_dg3(one).fingers == ()
    assert len(parse_dg3(one).discretionary) == 32
    assert one != other
    assert on_chip({2: None, 3: None}, {2: "2", 3: "3"}) == []


def test_a_print_that_does_not_decode_gives_its_place_to_the_next() -> None:
    captured = {"2": b"no picture", "7": png("7"), "1": png("1")}
    encoded = chip_fingers({2: "2", 7: "7", 1: "1"}, {}, captured.__getitem__)
    assert [finger.position for finger in parse_dg3(encoded).fingers] == [7, 1]
    cut = encode_wsq(read_finger(png("2")))[:900]
    assert parse_dg3(chip_fingers({2: "2"}, {}, lambda _: cut)).fingers == ()


def test_a_print_that_is_not_there_is_no_reason_to_leave_it_off() -> None:
    def lost(_name: str) -> bytes:
        raise BlobUnknown("gone")

    with pytest.raises(BlobUnknown):
        chip_fingers(ALL, {}, lost)


def test_bands_are_read_as_they_were_recorded() -> None:
    assert told_quality({"finger_quality": "02:40 07:unreadable"}) == {2: 40, 7: None}
    assert told_quality({"task": "x"}) == {}
    both = {"finger_quality": "02:60", "plain_quality": "02:40"}
    assert (told_quality(both), told_quality(both, PLAIN)) == ({2: 60}, {2: 40})


SLAP = {13: encoded(drawn_slap({each: render_finger(41, FingerPosition(each)) for each in (2, 3, 4, 5)}, 13))}


def with_slap(
    plain: dict[int, int | None], slap: bytes = SLAP[13], **fingers: int | None
) -> list[FingerImage]:
    captured = {name: png(name) for name in map(str, range(1, 11))} | {"13": slap}
    prints = {int(name): name for name in captured}
    quality = {int(name[1:]): band for name, band in fingers.items()}
    return list(parse_dg3(chip_fingers(prints, quality, captured.__getitem__, plain)).fingers)


def told(fingers: list[FingerImage]) -> list[tuple[int, Impression]]:
    return [(int(each.position), each.impression) for each in fingers]


def test_a_good_plain_print_is_cut_out_of_the_slap_and_goes_before_a_rolled_one() -> None:
    first, second = with_slap({2: 40, 3: 20}, f7=80)
    assert told([first, second]) == [(2, Impression.PLAIN), (7, Impression.ROLLED)]
    assert first.image == encode_wsq(fingers_of(read_finger(SLAP[13]), 13)[2]), "encoded once"
    assert told(with_slap({3: 60, 2: 60, 4: 80})) == [(4, Impression.PLAIN), (2, Impression.PLAIN)]


def test_a_rolled_print_goes_on_where_no_plain_one_is_proven_good_or_without_loss() -> None:
    both = [(2, Impression.ROLLED), (7, Impression.ROLLED)]
    assert told(with_slap({})) == both
    assert told(with_slap({2: 20, 3: None})) == both
    assert told(with_slap({7: 80})) == both, "no slap of that hand"
    compressed = io.BytesIO()
    Image.fromarray(read_finger(SLAP[13])).save(compressed, "WSQ")
    assert told(with_slap({2: 80}, compressed.getvalue())) == both
    assert told(with_slap({2: 80}, SLAP[13][:-99])) == both
    touching = {each: render_finger(41, FingerPosition(each)) for each in (2, 3, 4, 5)}
    assert told(with_slap({2: 80}, encoded(drawn_slap(touching, 13, touching={3})))) == both
