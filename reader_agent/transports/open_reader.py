"""From the name a counter is configured with to the reader itself."""

from __future__ import annotations

from fnmatch import fnmatchcase

from reader_agent.ports import CardReader
from reader_agent.transports.vpcd_socket import VpcdListener
from verification.errors import ReaderNotFound

_VPCD = "vpcd:"


def open_reader(name: str) -> CardReader:
    """Return the reader ``vpcd:HOST:PORT``, or the first PC/SC reader whose name fits the glob ``name``.

    Raises ReaderNotFound, or ReaderUnplugged when the PC/SC service does not run.
    """
    if name.startswith(_VPCD):
        host, _, port = name.removeprefix(_VPCD).rpartition(":")
        if not port.isdecimal() or int(port) > 0xFFFF:
            raise ReaderNotFound("a virtual reader is vpcd:HOST:PORT")
        return VpcdListener(host, int(port))
    # Machines without PC/SC have no pyscard either; they use the virtual reader only.
    from reader_agent.transports import pcsc  # noqa: PLC0415

    for candidate in pcsc.list_readers():
        if fnmatchcase(candidate, name):
            return pcsc.PcscReader(candidate)
    raise ReaderNotFound("no reader has such a name")
