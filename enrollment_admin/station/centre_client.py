"""The centre as a kit sees it: packets in pieces, receipts out."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, TypeVar

import msgspec
import urllib3

from enrollment_admin.station.refusals import CentreRefused, CentreUnavailable
from verification.messages.commune_extract import ExtractRequest, SealedExtract
from verification.messages.kit_returns import SealedReturns
from verification.messages.packet_intake import PacketKeyList, PacketReceiptAnswer, PacketStatus

Answer = TypeVar("Answer")

JSON, BYTES = "application/json", "application/octet-stream"
_TIMEOUT = urllib3.Timeout(connect=5.0, read=60.0)
"""A slow line takes its time over a chunk of 64 KiB."""


class _Problem(msgspec.Struct):
    code: str = CentreRefused.code


class CentreClient:
    """Every method raises CentreRefused or CentreUnavailable; what was sent twice is there once."""

    def __init__(self, url: str, token: str, pool: urllib3.PoolManager | None = None) -> None:
        self._url = url.rstrip("/")
        self._authorization = f"Bearer {token}"
        self._pool = pool or urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def keys(self) -> PacketKeyList:
        """The centre's public keys."""
        return _decoded(self._send("GET", "/v1/packet-keys"), PacketKeyList)

    def announce(self, metadata: bytes) -> PacketStatus:
        """Show a packet's metadata, and hear where its content is missing."""
        return _decoded(self._send("POST", "/v1/packets", metadata, JSON), PacketStatus)

    def put_chunk(self, packet: str, offset: int, chunk: bytes) -> None:
        """Send a piece of the content."""
        digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
        path = f"/v1/packets/{packet}/chunks/{offset}"
        self._send("PUT", path, chunk, BYTES, {"Content-Digest": f"sha-256=:{digest}:"})

    def complete(self, packet: str) -> str:
        """The receipt for a packet that the centre has whole."""
        answered = self._send("POST", f"/v1/packets/{packet}/completion", b"", JSON)
        return _decoded(answered, PacketReceiptAnswer).receipt

    def commune_extract(self, asked: ExtractRequest) -> SealedExtract:
        """The extract that a kit asks for, sealed for it, and who may seal there."""
        sent = msgspec.json.encode(asked)
        return _decoded(self._send("POST", "/v1/commune-extracts", sent, JSON), SealedExtract)

    def returns(self, asked: ExtractRequest) -> SealedReturns:
        """The list of what the kit that asks captures again, sealed for it, and what was refused."""
        sent = msgspec.json.encode(asked)
        return _decoded(self._send("POST", "/v1/kit-returns", sent, JSON), SealedReturns)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        media_type: str = JSON,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        sent = {"Authorization": self._authorization, "Content-Type": media_type, **(headers or {})}
        try:
            answered: Any = self._pool.request(method, self._url + path, body=body, headers=sent)
        except urllib3.exceptions.HTTPError as fault:
            raise CentreUnavailable(type(fault).__name__) from None
        if answered.status >= 500:
            raise CentreUnavailable(f"status {answered.status}")
        if answered.status >= 400:
            raise CentreRefused(_problem_code(answered.data))
        return bytes(answered.data)


def _decoded(content: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        raise CentreUnavailable("answered otherwise than agreed") from None


def _problem_code(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Problem).code
    except msgspec.DecodeError:
        return CentreRefused.code
