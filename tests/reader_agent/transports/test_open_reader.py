"""From a configured name to a reader."""

from __future__ import annotations

import pytest

from reader_agent.transports import pcsc
from reader_agent.transports.open_reader import open_reader
from reader_agent.transports.vpcd_socket import VpcdListener
from verification.errors import ReaderNotFound

NAMES = ["ACS ACR1252 [Interface] 00 00", "Virtual PCD 00 00", "Virtual PCD 00 01"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("*", NAMES[0]), ("Virtual*", NAMES[1]), ("*00 01", NAMES[2]), ("Virtual PCD 00 0?", NAMES[1])],
)
def test_the_first_reader_whose_name_fits(pattern: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "list_readers", lambda: NAMES)
    assert open_reader(pattern).name == found


@pytest.mark.parametrize("pattern", ["", "Omnikey*", "virtual*"])
def test_no_reader_with_such_a_name(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "list_readers", lambda: NAMES)
    with pytest.raises(ReaderNotFound):
        open_reader(pattern)


def test_a_virtual_reader_by_its_address() -> None:
    reader = open_reader("vpcd:127.0.0.1:0")
    assert isinstance(reader, VpcdListener)
    reader.close()


@pytest.mark.parametrize("name", ["vpcd:", "vpcd:127.0.0.1", "vpcd:127.0.0.1:x", "vpcd:127.0.0.1:70000"])
def test_a_virtual_reader_with_a_bad_address(name: str) -> None:
    with pytest.raises(ReaderNotFound):
        open_reader(name)
