"""Sealed contents in a bucket of an S3 store (MinIO, Ceph): the same names, the same promises.

Imported only where a bucket is set: the library is large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from issuance_backend.blob_store.objects import require_name
from issuance_backend.refusals import BlobAltered, BlobStoreUnavailable, BlobUnknown

_TIMES = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
_MISSING = frozenset({"NoSuchKey", "404"})


class Bucket:
    """Objects of one bucket; credentials come from where boto3 looks for them, never from our settings."""

    def __init__(self, bucket: str, endpoint: str | None) -> None:
        self._bucket = bucket
        self._client: Any = boto3.client("s3", endpoint_url=endpoint, config=_TIMES)

    def put_all(self, objects: Mapping[str, bytes]) -> None:
        """Write objects; one that is there stays as it is and the new one is refused."""
        place = {"Bucket": self._bucket, "IfNoneMatch": "*", "ChecksumAlgorithm": "SHA256"}
        try:
            for name, content in objects.items():
                self._client.put_object(**place, Key=_key(name), Body=content)
        except (BotoCoreError, ClientError) as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None

    def get(self, name: str, limit: int) -> bytes:
        """Read an object, and never more than it may hold."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=_key(name))
            with answer["Body"] as body:
                content: bytes = body.read(limit + 1)
        except ClientError as fault:
            if fault.response.get("Error", {}).get("Code") in _MISSING:
                raise BlobUnknown("no such object") from None
            raise BlobStoreUnavailable(type(fault).__name__) from None
        except BotoCoreError as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None
        if len(content) > limit:
            raise BlobAltered("longer than what was stored")
        return content

    def delete(self, name: str) -> None:
        """Remove the object."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=_key(name))
        except (BotoCoreError, ClientError) as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None

    def listed(self) -> Iterator[tuple[str, datetime]]:
        """Every object, a thousand at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix="blobs/")
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield str(entry["Key"]).rpartition("/")[2], entry["LastModified"]
        except (BotoCoreError, ClientError) as fault:
            raise BlobStoreUnavailable(type(fault).__name__) from None

    def remove_unfinished(self, before: datetime) -> int:  # noqa: ARG002 - there is nothing to remove
        """Nothing: a bucket shows an object whole or not at all."""
        return 0


def _key(name: str) -> str:
    return f"blobs/{require_name(name)}"
