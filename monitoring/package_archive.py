"""Fetch one source archive with pip, as it lies on the package index, and nothing more.

``pip download`` unpacks a source archive and runs its build script to learn its metadata. For an
archive that only carries data that is one thing too many, so pip is asked for the two steps before
that: find the file on the configured index, and fetch it. Index, mirrors, certificates and proxies
are those of the machine's pip configuration.

pip calls its modules internal. This module therefore runs as a process of its own
(``python -m monitoring.package_archive NAME==VERSION FILE``) and uses only what has kept its name
from pip 20 to 26.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from optparse import Values
from pathlib import Path
from typing import Any

MAX_ARCHIVE = 160 * 1024 * 1024
_CHUNK = 256 * 1024


def fetch(requirement: str, destination: Path) -> None:
    """Write the source archive of ``NAME==VERSION`` to a file; raise OSError when it cannot be had.

    The caller checks the archive's sha256 before reading it.
    """
    name, _, version = requirement.partition("==")
    command_class: Any = import_module("pip._internal.commands.download").DownloadCommand
    specifier: Any = import_module("pip._vendor.packaging.specifiers").SpecifierSet(f"=={version}")
    logging.getLogger("pip").setLevel(logging.ERROR)  # a configured place without this package is no news
    command = command_class("download", "fetch one source archive")
    with command.main_context():
        options, _ = command.parse_args(["--no-binary", ":all:", "--no-deps"])
        options.require_venv = False
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        found = finder.find_best_candidate(name, specifier).best_candidate
        if found is None:
            raise FileNotFoundError(f"the package index offers no source archive of {requirement}")
        _stream(session, found.link.url_without_fragment, destination, options)


def _stream(session: Any, url: str, destination: Path, options: Values) -> None:
    response = session.get(url, stream=True, timeout=options.timeout, headers={"Accept-Encoding": "identity"})
    response.raise_for_status()
    written = 0
    with destination.open("wb") as out:
        for chunk in response.iter_content(_CHUNK):
            written += len(chunk)
            if written > MAX_ARCHIVE:
                raise OSError(f"the archive is larger than {MAX_ARCHIVE} bytes")
            out.write(chunk)


if __name__ == "__main__":
    fetch(sys.argv[1], Path(sys.argv[2]))
