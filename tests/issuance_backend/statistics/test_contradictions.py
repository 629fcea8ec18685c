"""Wrong and ambiguous figures of the seed documents are flagged, the good ones pass (requirements 1.6)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.statistics import claims
from issuance_backend.statistics.contradictions import findings
from verification.identity.administrative_units import provinces, units_2025

HANOI = "Hà Nội thu nhận 1,8 triệu hồ sơ, đã xử lý, truyền 746.000 hồ sơ, nhận gần 80.000 thẻ (12,3 %)."
BAD = [
    (HANOI, "SHARE_WRONG", {"computed": "10.7", "would_need_of": "650406"}),
    (
        "Đã giải quyết 74.587 hồ sơ, đúng hạn 74.336 hồ sơ (99,66 %), quá hạn 251 hồ sơ (0,44 %).",
        "SHARE_WRONG",
        {"computed": "0.34"},
    ),
    (
        "Đã giải quyết 74.587 hồ sơ, đúng hạn 74.336 hồ sơ (99,66 %), quá hạn 251 hồ sơ (0,44 %).",
        "SPLIT_NOT_HUNDRED",
        {"sum": "100.10"},
    ),
    (
        "6.483/13.160 cơ sở khám chữa bệnh tra cứu bằng thẻ, đạt 49,3 %. Đến nay 94,3 % cơ sở đã triển khai.",
        "TWO_VALUES",
        {"first": "49.3", "second": "94.3", "hint": "same_digits"},
    ),
    (
        "Tiếp nhận 960.169 yêu cầu, chấp nhận 883.827 yêu cầu, giải quyết 867.858 yêu cầu (98,2 %).",
        "DENOMINATOR_HIDDEN",
        {"of": "90.4 of 960169, 98.2 of 883827"},
    ),
    (
        "Tiếp nhận 201.884 hồ sơ trực tuyến, đã giải quyết 74.587 hồ sơ.",
        "STATE_MISSING",
        {"unaccounted": "127297"},
    ),
    (
        "Đã thu 85.172.210 phiếu DC01/87.306.594 nhân khẩu, đạt 97,5 %.",
        "CUT_NOT_ROUNDED",
        {"computed": "97.6"},
    ),
    (
        "53 địa phương đã hoàn thành thu phiếu. 59 địa phương đã hoàn thành thu phiếu.",
        "AS_OF_MISSING",
        {"first": "53", "second": "59"},
    ),
    (
        "Ngày 6/4/2021 Hà Nội thu nhận 1,8 triệu hồ sơ. Ngày 7/4/2021 Hà Nội cấp hơn 2 triệu thẻ.",
        "COUNTER_UNDEFINED",
        {"word": "cấp", "beside": "captured"},
    ),
    (
        "Đến 6/4/2021, Thanh Hoá thu nhận 500.000 hồ sơ; Nam Định thu nhận 600.000 hồ sơ; "
        "Thanh Hóa thu nhận 510.000 hồ sơ.",
        "TWO_VALUES",
        {"first": "500000", "second": "510000", "counted": "hồ sơ"},
    ),
    ("190 dịch vụ gồm 44 và 145", "SUM_WRONG", {"computed": "189"}),
    (
        "Hà Nội nhận 80.000 thẻ trên 746.000 hồ sơ, đạt 12,3 %.",
        "SHARE_WRONG",
        {"part": "80000", "of": "746000", "computed": "10.7"},
    ),
    (
        "Trả 80.000 thẻ căn cước công dân trên tổng số 746.000 hồ sơ, đạt 12.3%.",
        "SHARE_WRONG",
        {"printed": "12.3", "of": "746000", "computed": "10.7"},
    ),
    (
        "Đã thu 85.172.210 phiếu DC01 trên 87.306.594 nhân khẩu, đạt 97.5 %.",
        "CUT_NOT_ROUNDED",
        {"printed": "97.5", "computed": "97.6"},
    ),
    (
        "Giải quyết 0.5 triệu yêu cầu trong số 1.5 triệu yêu cầu, đạt 33.4 %.",
        "SHARE_WRONG",
        {"part": "500000", "of": "1500000", "computed": "33.3"},
    ),
    (
        "Đến nay 97.6 % cơ sở đã triển khai. Đến nay 96.7 % cơ sở đã triển khai.",
        "TWO_VALUES",
        {"first": "97.6", "second": "96.7", "hint": "same_digits"},
    ),
]
GOOD = [
    "54.794 + 282.554 = 337.348 biển số.",
    "337.348 biển số gồm 54.794 và 282.554.",
    "44 + 145 = 189 dịch vụ.",
    "Biên chế công an xã: 44.824/8.621 = 5,20.",
    "Cả nước thu nhận hơn 15 triệu hồ sơ/50 triệu thẻ, đạt 30 %.",
    "6.483/13.160 cơ sở khám chữa bệnh tra cứu bằng thẻ, đạt 49,3 %.",
    "Hà Nội thu nhận 1,8 triệu hồ sơ; truyền 746.000 hồ sơ.",
    "Đã giải quyết 74.587 hồ sơ, đúng hạn 74.336 hồ sơ (99,66 %), quá hạn 251 hồ sơ (0,34 %).",
    "Giải quyết 867.858/883.827 yêu cầu được chấp nhận, đạt 98,2 %.",
    # Two moments are no contradiction.
    "Ngày 20/8/2020, hoàn thành tại 59 địa phương. Ngày 15/12/2020, hoàn thành tại 53 địa phương.",
    # What two provinces did is no contradiction, wherever in the sentence they stand.
    "Đến 6/4/2021, Thanh Hóa thu nhận 500.000 hồ sơ. Nam Định thu nhận 600.000 hồ sơ.",
    "Đến 6/4/2021, Hà Nội thu nhận 1.800.000 hồ sơ. Thu nhận 300.000 hồ sơ tại Đăk Nông.",
    "Đến 6/4/2021, Hà Nội thu nhận 1,8 triệu hồ sơ. TP.HCM thu nhận 2 triệu hồ sơ.",
    "Ngày 6/4 Hà Nội thu nhận 1,8 triệu hồ sơ. Ngày 7/4 Hà Nội thu nhận 2 triệu hồ sơ.",
    "Ngày 06.04.2021 thu nhận 1,8 triệu hồ sơ. Ngày 07.04.2021 thu nhận 2 triệu hồ sơ.",
    "0/0 hồ sơ, đạt 0 %.",
    "Hà Nội nhận 80.000 thẻ trên 746.000 hồ sơ, đạt 10,7 %.",
    "Hà Nội nhận 80.000 thẻ trên 746.000 hồ sơ, đạt 10.7 %.",
    "Hà Nội nhận 80.000 thẻ trên tổng số 746.000 hồ sơ (10,72 %).",
    "Đã thu 85.172.210 phiếu DC01 trong tổng số 87.306.594 nhân khẩu, đạt 97.6 %.",
    # "Trên" that says "more than": nothing is divided by it.
    "Nhận 80.000 thẻ, trên 746.000 hồ sơ đã truyền, đạt 12,3 %.",
    "Nhận 80.000 thẻ và trên 746.000 hồ sơ, đạt 12,3 %.",
    "Thu nhận trên 15 triệu hồ sơ/50 triệu thẻ, đạt 30 %.",
    "",
]


@pytest.mark.parametrize(("text", "code", "facts"), BAD, ids=[f"{code}-{text[:20]}" for text, code, _ in BAD])
def test_what_is_wrong_or_ambiguous_is_flagged(text: str, code: str, facts: dict[str, str]) -> None:
    found = [each for each in findings(claims.read(text)) if each.code == code]
    assert found
    assert facts.items() <= found[0].facts.items()


@pytest.mark.parametrize("text", GOOD)
def test_what_is_right_passes(text: str) -> None:
    assert findings(claims.read(text)) == ()


def test_a_day_without_its_year_is_the_last_such_day() -> None:
    text = "Ngày 31/12 thu nhận 15 triệu hồ sơ. Ngày 6/4 thu nhận 16 triệu hồ sơ."
    read = claims.read(text, date(2021, 4, 6))
    days = [each.as_of for each in read if isinstance(each, claims.Count)]
    assert days == [date(2020, 12, 31), date(2021, 4, 6)]


def test_every_province_of_either_map_is_a_place() -> None:
    names = [each.name for each in provinces().values()] + [each.name for each in units_2025().values()]
    for name in names:
        (said,) = claims.read(f"Công an {name} thu nhận 5 hồ sơ")
        (other,) = claims.read(f"Thu nhận 5 hồ sơ tại {name.upper()}")
        assert isinstance(said, claims.Count)
        assert isinstance(other, claims.Count)
        assert said.place == other.place != "", name


@pytest.mark.parametrize(
    "text",
    [
        "; ".join(f"thu nhận {number} thẻ" for number in range(1, 1_000)),
        "; ".join(f"{number} % cơ sở" for number in range(1, 1_000)),
        ", ".join(f"tiếp nhận {number + 500} hồ sơ, giải quyết {number} hồ sơ" for number in range(1, 400)),
    ],
)
def test_what_is_said_over_and_over_is_named_once_each(text: str) -> None:
    assert 0 < len(findings(claims.read(text, date(2021, 4, 6)))) <= 1_000


@pytest.mark.parametrize(
    ("text", "value"),
    [("97.6", "97.6"), ("97.62", "97.62"), ("1.234", "1234"), ("97,6", "97.6"), ("1.234.567", "1234567")],
)
def test_a_point_parts_thousands_or_stands_for_a_comma(text: str, value: str) -> None:
    (claim,) = claims.read(f"{text} % cơ sở đã triển khai")
    assert isinstance(claim, claims.ShareClaim)
    assert str(claim.printed) == value


def test_out_of_so_many_is_no_more_than_so_many() -> None:
    def bounds(text: str) -> tuple[int, int]:
        last = [each for each in claims.read(text) if isinstance(each, claims.Count)][-1]
        return last.number.low, last.number.high

    assert bounds("Nhận 5 thẻ trên 100 hồ sơ") == (100, 100)
    assert bounds("Nhận 5 thẻ, trên 100 hồ sơ") == (100, 105)
    assert bounds("Nhận 5 thẻ. Thu nhận trên 100 hồ sơ") == (100, 105)
    assert bounds("Nhận 500 thẻ trên 100 hồ sơ") == (100, 105), "a part is not more than its whole"


@pytest.mark.parametrize("digits", [1, 14, 15, 16, 32, 400])
def test_numbers_of_any_length_are_read_without_an_accident(digits: int) -> None:
    findings(claims.read(f"{'9' * digits} tỷ hồ sơ/1 hồ sơ, đạt 0,{'1' * digits} %"))


def test_two_values_of_one_day_contradict_each_other_and_of_two_days_do_not() -> None:
    text = "Cả nước thu nhận 15 triệu hồ sơ. Hôm nay cả nước thu nhận 16 triệu hồ sơ."
    assert [each.code for each in findings(claims.read(text, date(2021, 4, 6)))] == ["TWO_VALUES"]
    dated = "Ngày 6/4/2021 cả nước thu nhận 15 triệu hồ sơ. Ngày 7/4/2021 cả nước thu nhận 16 triệu hồ sơ."
    assert findings(claims.read(dated)) == ()


@given(part=st.integers(1, 10**8), rest=st.integers(1, 10**8), tenths=st.integers(0, 1000))
def test_a_share_passes_only_as_it_is_rounded(part: int, rest: int, tenths: int) -> None:
    whole = part + rest
    right = (part * 2000 + whole) // (2 * whole)  # per mille, halves up
    cut = part * 1000 // whole
    text = (
        f"Đã thu {_dotted(part)} phiếu DC01/{_dotted(whole)} nhân khẩu, đạt {tenths // 10},{tenths % 10} %."
    )
    codes = [each.code for each in findings(claims.read(text))]
    assert codes == ([] if tenths == right else ["CUT_NOT_ROUNDED"] if tenths == cut else ["SHARE_WRONG"])


@given(text=st.text(alphabet="0123456789.,%/=+() triệuhồsơthẻcấpnhậngầnđạt;\n", max_size=200))
def test_any_text_is_read_without_an_accident(text: str) -> None:
    findings(claims.read(text))


def _dotted(number: int) -> str:
    return f"{number:,}".replace(",", ".")
