"""Contents sealed under names that tell nothing, on both engines and both kinds of place."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from sqlalchemy import func, select, update

from issuance_backend.blob_store import domain
from issuance_backend.blob_store.domain import MAX_BLOB_BYTES
from issuance_backend.blob_store.keys import KeyFile, KeyRing, add_key, load_keys, remove_key
from issuance_backend.blob_store.objects import Directory, Objects
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.blob_store.s3_objects import Bucket
from issuance_backend.blob_store.service import UNNAMED_FOR, BlobStore
from issuance_backend.blob_store.tables import BLOBS, FORGOTTEN_OBJECTS
from issuance_backend.moments import utc_now
from issuance_backend.refusals import BlobAltered, BlobStoreUnavailable, BlobTooLarge, BlobUnknown
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from tests.support.engines import Engine

PICTURE = bytes(range(256)) * 20
KIND = "image/jpeg"
KEY_OF_32 = st.binary(min_size=32, max_size=32)


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(ISSUANCE_MIGRATIONS))


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    add_key(tmp_path / "keys.json", "2026")
    return tmp_path / "keys.json"


@pytest.fixture
def make_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Bucket]]:
    """Buckets of a store that moto stands for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def make() -> Bucket:
        name = f"b{os.urandom(6).hex()}"
        boto3.client("s3").create_bucket(Bucket=name)
        return Bucket(name, None)

    with mock_aws():
        yield make


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "directory":
        return Directory(tmp_path / "blobs")
    made: Objects = request.getfixturevalue("make_bucket")()
    return made


@pytest.fixture
def store(database: Database, place: Objects, keys_file: Path) -> BlobStore:
    return BlobStore(database, place, load_keys(keys_file), utc_now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def local(database: Database, folder: Path, keys_file: Path) -> BlobStore:
    """A store in a directory, for what looks at files."""
    return BlobStore(database, Directory(folder), load_keys(keys_file), utc_now)


def kept(store: BlobStore, database: Database, content: bytes = PICTURE) -> str:
    blob = store.put(content, KIND)
    with database.writing() as connection:
        store.keep(connection, blob)
    return blob.address


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"x", PICTURE, bytes(300_000)], ids=len)
def test_what_was_kept_is_read(store: BlobStore, database: Database, content: bytes) -> None:
    assert store.read(kept(store, database, content)) == content
    assert store.check().whole == 1


def test_the_same_content_is_kept_once(store: BlobStore, database: Database, place: Objects) -> None:
    assert kept(store, database) == kept(store, database) != kept(store, database, b"other")
    assert len(list(place.listed())) == 2


def test_who_stores_the_same_at_once_reads_the_same(store: BlobStore, database: Database) -> None:
    """Both looked before either wrote: two objects under two keys, of which one is named."""
    first, second = store.put(PICTURE, KIND), store.put(PICTURE, KIND)
    assert first.object_name != second.object_name
    with database.writing() as connection:
        store.keep(connection, second)
        store.keep(connection, first)
    assert first.address == second.address
    assert store.read(first.address) == PICTURE


def test_many_who_store_at_once_lose_nothing(local: BlobStore, database: Database) -> None:
    contents = [bytes([number]) * 500 for number in range(6)] * 4
    with ThreadPoolExecutor(8) as pool:
        addresses = list(pool.map(lambda content: kept(local, database, content), contents))
    assert [local.read(address) for address in addresses] == contents
    assert local.check().whole == 6


def test_neither_name_nor_object_tells_what_is_in_it(
    local: BlobStore, database: Database, folder: Path
) -> None:
    address = kept(local, database)
    (path,) = files(folder)
    assert hashlib.sha256(PICTURE).hexdigest() not in f"{address} {path}"
    assert PICTURE[:16] not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_put_together_lies_together_and_each_content_once(
    local: BlobStore, database: Database, folder: Path
) -> None:
    known = kept(local, database)
    contents = [b"one", PICTURE, b"two", b"one"]
    blobs = local.put_all([(content, KIND) for content in contents])
    with database.writing() as connection:
        local.keep(connection, *blobs)
    assert [local.read(blob.address) for blob in blobs] == contents
    assert (blobs[0], blobs[1].address) == (blobs[3], known)
    assert len(files(folder)) == 3
    together = {blobs[0].object_name, blobs[2].object_name}
    assert len({path.parent for path in files(folder) if path.name in together}) == 1


def test_another_key_gives_other_names(tmp_path: Path) -> None:
    rings = []
    for name in ("a", "b"):
        add_key(tmp_path / name, "k")
        rings.append(load_keys(tmp_path / name))
    assert len({ring.address(PICTURE) for ring in rings}) == 2


def test_every_byte_that_is_changed_shows(local: BlobStore, database: Database, folder: Path) -> None:
    address = kept(local, database, b"a print of a finger")
    (path,) = files(folder)
    whole = path.read_bytes()
    damaged = [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(len(whole))]
    damaged += [whole[:length] for length in range(len(whole))] + [whole + b"x"]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(BlobAltered):
            local.read(address)
    path.write_bytes(whole)
    assert local.read(address) == b"a print of a finger"


def test_an_object_under_another_name_does_not_open(
    local: BlobStore, database: Database, folder: Path
) -> None:
    mine, theirs = kept(local, database, b"my portrait...."), kept(local, database, b"their portrait!")
    (first, second) = files(folder)
    shutil.copyfile(first, second)
    opened = [_read(local, address) for address in (mine, theirs)]
    assert opened.count("altered") == 1


def _read(store: BlobStore, address: str) -> str:
    try:
        return store.read(address).decode()
    except BlobAltered:
        return "altered"


@pytest.mark.parametrize(
    "change",
    [
        {"media_type": "image/png"},
        {"size": 3},
        {"wrapped_key": bytes(40)},
        {"object_name": "../../etc/passwd"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_row_that_was_changed_shows(
    local: BlobStore, database: Database, change: dict[str, object]
) -> None:
    address = kept(local, database)
    with database.writing() as connection:
        connection.execute(update(BLOBS).values(**change))
    with pytest.raises(BlobAltered):
        local.read(address)
    assert local.check().altered == (address,)


def test_a_row_and_its_object_under_another_address_do_not_open(local: BlobStore, database: Database) -> None:
    address = kept(local, database)
    with database.writing() as connection:
        connection.execute(update(BLOBS).values(address="0" * 64))
    with pytest.raises(BlobAltered):
        local.read("0" * 64)
    with pytest.raises(BlobUnknown):
        local.read(address)


def test_a_lost_object_is_named_by_the_check(store: BlobStore, database: Database, place: Objects) -> None:
    lost, whole = kept(store, database), kept(store, database, b"x")
    (name,) = [name for name, _ in place.listed() if name.startswith(lost)]
    place.delete(name)
    place.delete(name)
    with pytest.raises(BlobUnknown):
        store.read(lost)
    found = store.check()
    assert (found.whole, found.missing, found.altered) == (1, (lost,), ())
    assert store.read(whole) == b"x"


def test_too_much_is_refused(local: BlobStore, folder: Path) -> None:
    with pytest.raises(BlobTooLarge):
        local.put(bytes(MAX_BLOB_BYTES + 1), KIND)
    assert not folder.exists()


def test_a_disk_that_does_not_take_it_is_said_and_nothing_is_left(
    local: BlobStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BlobStoreUnavailable):
        local.put(PICTURE, KIND)
    monkeypatch.undo()
    assert files(folder) == []


def test_a_bucket_that_is_not_there_is_said(make_bucket: Callable[[], Bucket]) -> None:
    make_bucket()
    gone = Bucket("no-such-bucket", None)
    name = f"{'0' * 64}.{'0' * 16}"
    for ask in (lambda: gone.put_all({name: b"x"}), lambda: gone.get(name, 9), lambda: list(gone.listed())):
        with pytest.raises(BlobStoreUnavailable):
            ask()


def test_an_object_in_a_bucket_is_never_written_over(make_bucket: Callable[[], Bucket]) -> None:
    bucket, name = make_bucket(), f"{'0' * 64}.{'0' * 16}"
    bucket.put_all({name: b"first"})
    with pytest.raises(BlobStoreUnavailable):
        bucket.put_all({name: b"second"})
    assert bucket.get(name, 9) == b"first"
    with pytest.raises(BlobAltered):
        bucket.get(name, 4)


def test_what_a_failed_transaction_left_is_swept_and_what_is_named_stays(
    database: Database, keys_file: Path, folder: Path
) -> None:
    now = [datetime.now(UTC)]
    store = BlobStore(database, Directory(folder), load_keys(keys_file), lambda: now[0])
    address = kept(store, database)
    store.put(b"nobody named this", KIND)
    half = files(folder)[0].with_name(".writing-0123")
    half.write_bytes(b"half")
    assert store.sweep() == 0, "a transaction may still be on its way to name it"
    now[0] += UNNAMED_FOR + timedelta(minutes=1)
    assert store.sweep() == 2
    assert store.read(address) == PICTURE
    assert len(files(folder)) == 1


def test_what_is_stored_at_the_moment_in_which_it_is_forgotten_stays(
    database: Database, keys_file: Path, place: Objects
) -> None:
    """The one has read that the content is there, the other forgets it and sweeps, the first commits."""
    now = [datetime.now(UTC)]
    store = BlobStore(database, place, load_keys(keys_file), lambda: now[0])
    address = kept(store, database)
    now[0] += 3 * UNNAMED_FOR
    for _ in range(2):
        looked = store.put(PICTURE, KIND)
        with database.writing() as connection:
            store.forget(connection, [address], now[0])
        with pytest.raises(BlobUnknown):
            store.read(address)
        assert store.sweep() == 0
        with database.writing() as connection:
            store.keep(connection, looked)
        now[0] += 2 * UNNAMED_FOR
        assert (store.sweep(), store.read(address)) == (0, PICTURE)
    with database.writing() as connection:
        store.forget(connection, [address], now[0])
    now[0] += UNNAMED_FOR + timedelta(minutes=1)
    assert (store.sweep(), list(place.listed())) == (1, []), "and when nobody did, it goes"
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FORGOTTEN_OBJECTS)).scalar_one() == 0


def test_rotation_wraps_keys_anew_and_leaves_contents_as_they_are(
    local: BlobStore, database: Database, keys_file: Path, folder: Path
) -> None:
    addresses = [kept(local, database, bytes([number])) for number in range(5)]
    before = {path: path.read_bytes() for path in files(folder)}
    add_key(keys_file, "2027")
    later = BlobStore(database, Directory(folder), load_keys(keys_file), utc_now)
    assert later.read(addresses[0]) == b"\x00", "readable before the rotation is through"
    assert kept(later, database, bytes([1])) == addresses[1], "addresses outlive the wrapping keys"
    assert (later.rewrap(), later.rewrap()) == (5, 0)
    assert {path: path.read_bytes() for path in files(folder)} == before
    remove_key(keys_file, "2026")
    without = BlobStore(database, Directory(folder), load_keys(keys_file), utc_now)
    assert [without.read(address) for address in addresses] == [bytes([number]) for number in range(5)]
    with pytest.raises(BlobStoreUnavailable):
        KeyRing(_keys(keys_file, "2028")).unwrap("2026", bytes(40))


def _keys(path: Path, name: str) -> KeyFile:
    from issuance_backend.blob_store import keys  # noqa: PLC0415 - one look inside

    add_key(path, name)
    return keys._read(path)


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (b"{}", 0o600), (b"not json", 0o600), (None, 0o600),
        (b'{"address_key": "AA==", "current": "a", "keys": {"a": "AA=="}}', 0o600),
        (b"", 0o644),
    ],
    ids=["empty", "no json", "missing", "short keys", "readable by others"],
)  # fmt: skip
def test_a_key_file_that_is_none_stops_the_start(tmp_path: Path, content: bytes | None, mode: int) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(ConfigurationFault):
        load_keys(path)


def test_only_a_key_that_is_not_current_can_be_removed(keys_file: Path) -> None:
    for name in ("2026", "2020"):
        with pytest.raises(ConfigurationFault):
            remove_key(keys_file, name)
    for name in ("2026", "with space", ""):
        with pytest.raises(ConfigurationFault):
            add_key(keys_file, name)


@pytest.mark.parametrize(
    "half",
    [{"keys_file": Path("k")}, {"dir": Path("d")}, {"bucket": "b"},
     {"keys_file": Path("k"), "dir": Path("d"), "bucket": "b"}],
)  # fmt: skip
def test_half_a_store_is_none(half: dict[str, object]) -> None:
    with pytest.raises(ConfigurationFault):
        StorePlace(**half)  # type: ignore[arg-type]


def test_no_store_is_a_choice(database: Database) -> None:
    assert open_store(StorePlace(), database, utc_now) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=2_000), binding=st.binary(max_size=40), key=st.binary(min_size=32, max_size=32)
)
def test_an_envelope_opens_with_its_own_key_and_binding_only(
    content: bytes, binding: bytes, key: bytes
) -> None:
    sealed = domain.seal(content, binding, key, bytes(12))
    assert domain.unseal(sealed, binding, key) == content
    for other_binding, other_key in ((binding + b"x", key), (binding, bytes([key[0] ^ 1]) + key[1:])):
        with pytest.raises(BlobAltered):
            domain.unseal(sealed, other_binding, other_key)


def test_one_content_has_one_row(local: BlobStore, database: Database) -> None:
    for _ in range(3):
        kept(local, database)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(BLOBS)).scalar_one() == 1
