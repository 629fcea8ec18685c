"""Both database engines for tests: a file of SQLite, and a PostgreSQL server of the tests' own.

The server listens on a socket in its own folder, where it asks for nothing, and on loopback, where it asks
for a password; it ends with the test run, also when that is killed.
"""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, String

from monitoring.database import Database
from monitoring.supervisor import end_with_parent

_BINARIES = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"
_START_SECONDS = 30.0
_STARTS = 3
_LOOPBACK = "127.0.0.1"
MISSING = "PostgreSQL is not installed: apt-get install postgresql"


class Engine(Protocol):
    """Where a test's databases come from."""

    name: str

    def new(self) -> str:
        """The URL of an empty database."""

    def copy(self, url: str) -> str:
        """The URL of a database like the one at ``url``, which nobody uses at the moment."""

    def migrated(self, scripts: Path) -> str:
        """The URL of an empty database with the newest schema of ``scripts``: a copy of one."""


@dataclass
class Sqlite:
    """Databases as files of a folder."""

    folder: Path
    name: str = "sqlite"
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def new(self) -> str:
        paths = (self.folder / f"database-{number}.db" for number in self._numbers)
        return f"sqlite:///{next(path for path in paths if not path.exists())}"

    def copy(self, url: str) -> str:
        made = self.new()
        shutil.copyfile(url.removeprefix("sqlite:///"), made.removeprefix("sqlite:///"))
        return made

    def migrated(self, scripts: Path) -> str:
        made = self.new()
        Path(made.removeprefix("sqlite:///")).write_bytes(_migrated_file(scripts))
        return made


@cache
def _migrated_file(scripts: Path) -> bytes:
    """A whole database: its last connection took the write-ahead log in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.db"
        _migrate(f"sqlite:///{path}", scripts)
        return path.read_bytes()


def _migrate(url: str, scripts: Path) -> None:
    database = Database(url)
    database.migrate(scripts)
    database.close()


class Postgres:
    """A PostgreSQL server of our own, from ``start`` to ``stop``."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._migrated: dict[Path, str] = {}
        self._copies: list[str] = []
        self._left: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.password = secrets.token_hex(16)
        # The server refuses to run as root: Debian's package brings an account for it.
        self._account = _ACCOUNT if os.geteuid() == 0 else None

    @staticmethod
    def binaries() -> Path | None:
        """The folder of the newest installed server, None where there is none."""
        found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        return found[-1].parent if found else None

    def start(self) -> None:
        """Make a cluster and serve it."""
        binaries = self.binaries()
        if binaries is None:
            raise FileNotFoundError(MISSING)
        if self._account:
            owner = pwd.getpwnam(self._account)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        data = self._folder / "data"
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            _ACCOUNT,
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
        ]
        subprocess.run(initdb, check=True, capture_output=True, user=self._account, cwd="/")
        # A port that is free now may be somebody else's when the server takes it: then it ends at once.
        if not any(self._serves(binaries, data) for _ in range(_STARTS)):
            raise ChildProcessError("PostgreSQL does not start")
        with self._connect() as connection:
            connection.execute(f"ALTER ROLE {_ACCOUNT} PASSWORD '{self.password}'".encode())

    def stop(self) -> None:
        """End the server and every connection to it."""
        if self._process is not None:
            # At once, without writing what is thrown away anyway.
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_START_SECONDS)

    def new(self, options: str = "") -> str:
        return self._create(options)

    def over_tcp(self, url: str, password: str) -> str:
        """The URL of the same database on loopback."""
        return f"postgresql+psycopg://{_ACCOUNT}:{password}@{_LOOPBACK}:{self._port}/{_name(url)}"

    def copy(self, url: str) -> str:
        made = self._create(f"TEMPLATE {_name(url)}")
        self._copies.append(made)
        return made

    def drop_copies(self) -> None:
        """End the connections to every copy that was made since the last time, and drop those of before.

        What tests copy from stays. Thousands of databases of 500 files each take a disk minutes to remove,
        and whoever drops one at once waits a tenth of a second for its connections to end.
        """
        with self._connect() as connection:
            for url in self._left:
                connection.execute(f"DROP DATABASE {_name(url)} WITH (FORCE)".encode())
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)"
            connection.execute(ended, [[_name(url) for url in self._copies]])
        self._left, self._copies = self._copies, []

    def migrated(self, scripts: Path) -> str:
        if scripts not in self._migrated:
            made = self.new()
            _migrate(made, scripts)
            self._migrated[scripts] = made
        return self.copy(self._migrated[scripts])

    def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name} {template}".encode())
        return f"postgresql+psycopg://{_ACCOUNT}@/{name}?host={self._folder}&port={self._port}"

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._folder), port=self._port, user=_ACCOUNT, dbname=_ACCOUNT, autocommit=True
        )

    def _serves(self, binaries: Path, data: Path) -> bool:
        """Start the server on a free port; False when it ended."""
        with socket.create_server((_LOOPBACK, 0)) as listener:
            self._port = int(listener.getsockname()[1])
        # What a power cut would do is not asked here; what a killed process leaves behind is, and
        # that does not depend on fsync.
        server: list[str | Path] = [binaries / "postgres", "-D", data, "-k", self._folder]
        server += ["-p", str(self._port), "-c", f"listen_addresses={_LOOPBACK}"]
        server += ["-c", "fsync=off", "-c", "max_connections=200"]
        self._process = subprocess.Popen(
            server,
            user=self._account,
            cwd="/",
            preexec_fn=end_with_parent,  # noqa: PLW1509 - prctl only, no lock is taken in the child
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + _START_SECONDS
        while self._process.poll() is None:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                return True
        return False


def _name(url: str) -> str:
    """The name of the database at an URL of PostgreSQL."""
    return url.partition("@/")[2].partition("?")[0]


def schema_differences(database: Database, metadata: MetaData) -> list[Any]:
    """What migrations made otherwise than the code declares; SQLite holds texts to no length."""

    def differs(context: Any, _column: Any, _declared: Any, found: Any, wanted: Any) -> bool | None:
        texts = isinstance(found, String) and isinstance(wanted, String)
        return False if texts and context.dialect.name == "sqlite" else None

    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": differs})
        return list(compare_metadata(context, metadata))
