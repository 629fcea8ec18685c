"""Two communes that became one, under names that changed above them, and addresses in and beside them."""

from __future__ import annotations

from datetime import date

from verification.messages.dc01 import SuccessionEntry, UnitEntry, UnitTables

_SINCE_2008, _RENAMED_ON, _SINCE = date(2008, 8, 1), date(2015, 1, 1), date(2025, 7, 1)
OLD_ONE, OLD_TWO, NEW = "001.01.00592", "001.01.00595", "01.00600"


def _unit(
    code: str, level: str, name: str, since: date = _SINCE_2008, until: date | None = _SINCE
) -> UnitEntry:
    return UnitEntry(
        code=code, level=level, name=name, valid_from=since, valid_to=until, legal_basis="thử nghiệm"
    )


TABLES = UnitTables(
    units=(
        _unit("001.01", "district", "Huyện Từ Liêm", until=_RENAMED_ON),
        _unit("001.01", "district", "Quận Bắc Từ Liêm", since=_RENAMED_ON),
        _unit(OLD_ONE, "commune", "Xã Minh Khai"),
        _unit(OLD_TWO, "commune", "Xã Phú Diễn"),
        _unit(NEW, "commune", "Phường Phú Diễn", since=_SINCE, until=None),
    ),
    successions=tuple(
        SuccessionEntry(code=code, successor=NEW, on=_SINCE, legal_basis="thử nghiệm")
        for code in (OLD_ONE, OLD_TWO)
    ),
)
ADDRESSES = (
    "Thôn 2, Xã Minh Khai, Huyện Từ Liêm, Thành phố Hà Nội",
    "Số 5 Cầu Diễn, P. Phú Diễn, Q. Bắc Từ Liêm, Hà Nội",
    "Số 7 Cầu Diễn, phường Phú Diễn, Hà Nội",
    "Thôn 2, Xã Minh Khai, Huyện Hoài Đức, Thành phố Hà Nội",
    "Số 1 Lê Lợi, Phường Minh Khai, Quận Hồng Bàng, Thành phố Hải Phòng",
)
"""Of the first five citizens: three live in what is one commune now."""
