"""Requirements 1.6 row by row, in the words of the seed documents, however such reports are punctuated."""

from __future__ import annotations

from itertools import product

import pytest

from issuance_backend.statistics import claims
from issuance_backend.statistics.contradictions import findings

BETWEEN = ("; ", ", ", ". ", ";\n")
SHARE = ("{} ({} %)", "{}, đạt {}%", "{} – chiếm {} %", "{}; đạt {} %", "{}. Tỷ lệ đạt {} %")
"""How a share is written behind its number."""

WRONG: list[tuple[tuple[str, ...], tuple[str, ...], set[str]]] = [
    # (what is told, the shares printed in it, every kind of what is the matter)
    (
        ("Hà Nội 1,8 triệu thu nhận", "xử lý, truyền 746.000", "nhận gần 80.000 thẻ@"),
        ("12,3",),
        {"SHARE_WRONG"},
    ),
    (
        ("Hà Nội thu nhận 1,8 triệu hồ sơ", "truyền 746.000 hồ sơ", "nhận về gần 80.000 thẻ@"),
        ("12,3",),
        {"SHARE_WRONG"},
    ),
    (
        (
            "201.884 hồ sơ tiếp nhận",
            "74.587 hồ sơ giải quyết",
            "74.336 hồ sơ đúng hạn@",
            "251 hồ sơ quá hạn@",
        ),
        ("99,66", "0,44"),
        {"SHARE_WRONG", "SPLIT_NOT_HUNDRED", "STATE_MISSING"},
    ),
    (("đúng hạn 74.336 hồ sơ@", "trễ hạn 251 hồ sơ@"), ("99,66", "0,44"), {"SPLIT_NOT_HUNDRED"}),
    (("Tiếp nhận 201.884 hồ sơ trực tuyến", "đã giải quyết 74.587 hồ sơ"), (), {"STATE_MISSING"}),
    (("201.884 hồ sơ tiếp nhận", "74.587 hồ sơ giải quyết"), (), {"STATE_MISSING"}),
    (("6.483/13.160 cơ sở khám chữa bệnh@", "94,3 % cơ sở đã triển khai"), ("49,3",), {"TWO_VALUES"}),
    (
        ("960.169 yêu cầu", "883.827 yêu cầu được chấp nhận", "867.858 yêu cầu được trả lời@"),
        ("98,2",),
        {"DENOMINATOR_HIDDEN"},
    ),
    (
        ("Tiếp nhận 960.169 yêu cầu", "chấp nhận 883.827", "giải quyết 867.858@"),
        ("98,2",),
        {"DENOMINATOR_HIDDEN"},
    ),
    (("85.172.210 phiếu DC01 / 87.306.594 nhân khẩu@",), ("97,5",), {"CUT_NOT_ROUNDED"}),
    (
        ("53/63 địa phương hoàn thành", "85.172.210 phiếu DC01/87.306.594 nhân khẩu@"),
        ("97,5",),
        {"CUT_NOT_ROUNDED"},
    ),
]
RIGHT: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("Hà Nội 1,8 triệu thu nhận", "xử lý, truyền 746.000", "nhận gần 80.000 thẻ"), ()),
    (("Hà Nội 1,8 triệu thu nhận", "nhận gần 80.000 thẻ trên 746.000 hồ sơ đã truyền@"), ("10,7",)),
    (
        ("Giải quyết 74.587 hồ sơ", "74.336 hồ sơ đúng hạn@", "251 hồ sơ quá hạn@"),
        ("99,66", "0,34"),
    ),
    (
        ("201.884 hồ sơ tiếp nhận", "74.587 hồ sơ giải quyết", "127.297 hồ sơ chưa đến hạn"),
        (),
    ),
    (("đúng hạn 74.336 hồ sơ@", "trễ hạn 251 hồ sơ@"), ("99,66", "0,34")),
    (("960.169 yêu cầu", "867.858/883.827 yêu cầu được chấp nhận@"), ("98,2",)),
    (("53/63 địa phương hoàn thành", "85.172.210 phiếu DC01/87.306.594 nhân khẩu@"), ("97,6",)),
    (("6.483/13.160 cơ sở khám chữa bệnh@", "25/90 nhiệm vụ hoàn thành"), ("49,3",)),
    (("54.794 + 282.554 = 337.348", "44 + 145 = 189", "44.824/8.621 = 5,20"), ()),
    (("54.794+282.554=337.348", "44+145=189", "44.824/8.621=5,20"), ()),
]
EXACT = [
    ("Tỷ lệ đúng hạn 99,66 %, quá hạn 0,44 %", "SPLIT_NOT_HUNDRED"),
    ("Tỷ lệ đúng hạn 99,66%; tỷ lệ quá hạn 0,44%", "SPLIT_NOT_HUNDRED"),
    ("99,66 % đúng hạn và 0,44 % trễ hạn", "SPLIT_NOT_HUNDRED"),
    ("Quá hạn 0,44 %. Đúng hạn 99,66 %.", "SPLIT_NOT_HUNDRED"),
    ("Đúng hạn 98 %, quá hạn 0,5 %", "SPLIT_NOT_HUNDRED"),
    ("337.348 biển số, trong đó ô tô 54.794, mô tô 282.555", "SUM_WRONG"),
    ("337.348 biển số (54.794 ô tô; 282.555 mô tô)", "SUM_WRONG"),
    ("337.348 biển số gồm 54.794 ô tô, 282.555 mô tô", "SUM_WRONG"),
    ("189 dịch vụ công (44 dịch vụ mức độ 3, 146 dịch vụ mức độ 4)", "SUM_WRONG"),
    ("189 dịch vụ (44 mức 3; 146 mức 4), 17 dịch vụ khác", "SUM_WRONG"),
    ("54.794+282.554=337.348, 44+146=189, 44.824/8.621=5,20", "SUM_WRONG"),
    ("190 = 44 + 145 dịch vụ", "SUM_WRONG"),
    ("54.794+282.554=337.348; 44+145=189; 44.824/8.621=5,30", "SHARE_WRONG"),
    ("15 triệu hồ sơ, đạt khoảng 45% chỉ tiêu 50 triệu thẻ", "SHARE_WRONG"),
    ("53/63 địa phương hoàn thành; 59/63 địa phương hoàn thành", "AS_OF_MISSING"),
    ("Hoàn thành tại 53/63 tỉnh. Hoàn thành tại 59/63 tỉnh.", "AS_OF_MISSING"),
    ("6.483/13.160 cơ sở = 49,3 %; về sau tỷ lệ cơ sở là 94,3 %", "TWO_VALUES"),
    ("Ngày 6/4 Hà Nội thu nhận 1,8 triệu; ngày 7/4 Hà Nội cấp hơn 2 triệu", "COUNTER_UNDEFINED"),
    ("Ngày 6/4 Hà Nội 1,8 triệu “thu nhận”; ngày 7/4 Hà Nội 2 triệu “cấp”", "COUNTER_UNDEFINED"),
    ("Ngày 6/4 Hà Nội: thu nhận 1,8 triệu hồ sơ, ngày 7/4: cấp trên 2 triệu thẻ", "COUNTER_UNDEFINED"),
]
CLEAN = [
    "Tỷ lệ đúng hạn 99,66 %, quá hạn 0,34 %",
    "Tỷ lệ đúng hạn 99,7 %; quá hạn 0,34 %",
    "Trước hạn 20 %, đúng hạn 79 %, quá hạn 1 %",
    "Đúng hạn 90 %, quá hạn 2 %, còn lại đang giải quyết",
    "Năm 2021 đúng hạn 95 %; quý 2 giảm 0,5 %",
    "337.348 biển số, trong đó ô tô 54.794, mô tô 282.554",
    "337.348 biển số (54.794 ô tô; 282.554 mô tô), 119.983 do công an xã cấp",
    "1.000 hồ sơ, trong đó 300 hồ sơ trực tuyến, 200 hồ sơ hộ chiếu",
    "1.000 hồ sơ (800 trực tuyến, 900 đúng hạn)",
    "189 dịch vụ công (44 mức độ 3, 145 mức độ 4)",
    "63 tỉnh thu nhận hơn 15 triệu hồ sơ, ~30 % chỉ tiêu",
    "Hơn 15 triệu hồ sơ, đạt khoảng 30 % chỉ tiêu 50 triệu thẻ",
    "Tiếp nhận 960 hồ sơ; trả 867 thẻ, tăng 12 % so với cùng kỳ",
    "Cả nước có 63 tỉnh, 5.000.000 nhân khẩu; thu nhận 50.000 hồ sơ, đạt 40 % kế hoạch",
    "Cả nước có 700 xã; đã thu nhận 50 hồ sơ (30 %)",
    "Năm 2021, đã thu nhận 867 hồ sơ (98,2 %)",
    "Hà Nội thu nhận 1,8 triệu hồ sơ; Nam Định nhận 80.000 thẻ (12,3 %)",
    "Tiếp nhận 960 hồ sơ; trả 867 hồ sơ, tăng 12 %",
    "Tiếp nhận 5.000 hồ sơ, truyền 1.000 hồ sơ, đạt 40 % kế hoạch",
    "Cung cấp 5.000 hồ sơ; công an các cấp 200 hồ sơ",
    "Tại 8.621 đơn vị cấp xã; thu nhận 5.000; cung cấp 200 máy",
    "Công an cấp huyện 705; dịch vụ công cấp độ 4: 145",
    "Tiếp nhận 600 hồ sơ, chấp nhận 500 hồ sơ, giải quyết 500 hồ sơ; đúng hạn 500 hồ sơ (100 %)",
    "Ngày 15/12/2020: 53/63 địa phương hoàn thành; ngày 20/8/2020: 59/63 địa phương hoàn thành",
    "Ngày 6/4 Hà Nội thu nhận 1,8 triệu; ngày 7/4 Hà Nội thu nhận hơn 2 triệu",
]


def _texts(told: tuple[str, ...], shares: tuple[str, ...]) -> list[str]:
    written: list[str] = []
    for between, share in product(BETWEEN, SHARE if shares else SHARE[:1]):
        left, parts = list(shares), []
        for part in told:
            parts.append(share.format(part[:-1], left.pop(0)) if part.endswith("@") else part)
        written.append(between.join(parts))
    return written


@pytest.mark.parametrize(("told", "shares", "codes"), WRONG, ids=[told[0][:24] for told, _, _ in WRONG])
def test_the_wrong_figures_are_flagged_however_they_are_punctuated(
    told: tuple[str, ...], shares: tuple[str, ...], codes: set[str]
) -> None:
    for text in _texts(told, shares):
        assert {each.code for each in findings(claims.read(text))} == codes, text


@pytest.mark.parametrize(("told", "shares"), RIGHT, ids=[told[0][:24] for told, _ in RIGHT])
def test_the_right_figures_pass_however_they_are_punctuated(
    told: tuple[str, ...], shares: tuple[str, ...]
) -> None:
    for text in _texts(told, shares):
        assert findings(claims.read(text)) == (), text


@pytest.mark.parametrize(("text", "code"), EXACT)
def test_other_wordings_of_the_same_mistakes_are_flagged(text: str, code: str) -> None:
    assert [each.code for each in findings(claims.read(text))] == [code]


@pytest.mark.parametrize("text", CLEAN)
def test_other_wordings_of_what_is_right_pass(text: str) -> None:
    assert findings(claims.read(text)) == ()
