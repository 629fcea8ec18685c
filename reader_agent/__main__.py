"""``python -m reader_agent read | doctor | serve``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.environment import ConfigurationFault
from monitoring.logs import configure
from reader_agent import exit_codes

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0 ok, 3 no reader, 4 no card, 5 refused, 6 offline only."""
    configure("reader_agent")
    try:
        # The counter runs this one all day: it takes no options and pays for no parser of them.
        return _serve() if list(arguments) == ["serve"] else _run(arguments)
    except ConfigurationFault as faults:
        print(faults, file=sys.stderr)
        return exit_codes.USAGE
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str]) -> int:
    # Importing argparse only here keeps 1 MB out of a serving agent.
    import argparse  # noqa: PLC0415

    order = _parser(argparse.ArgumentParser).parse_args(arguments)
    run: Callable[[Namespace], int] = order.run
    return run(order)


def _parser(make: type[ArgumentParser]) -> ArgumentParser:
    parser = make(prog="reader_agent", description=__doc__)
    commands = parser.add_subparsers(required=True)

    read = commands.add_parser("read", help="read and judge one card on this machine alone")
    read.add_argument("--reader", default="*", help="glob over reader names, or vpcd:HOST:PORT")
    secret = read.add_mutually_exclusive_group(required=True)
    secret.add_argument("--can", help="six digits: the end of the citizen number")
    secret.add_argument("--mrz", help="the machine readable zone")
    read.add_argument(
        "--csca",
        nargs="+",
        action="extend",  # given twice they add up: no list may drop out
        type=Path,
        required=True,
        help="trusted CSCA certificates and CRLs",
    )
    read.add_argument("--cvc", type=Path, help="folder of cvc_*.cvcert and is_key.pkcs8")
    read.add_argument("--wait", type=float, default=10.0, help="seconds to wait for a card")
    read.add_argument("--json", action="store_true", help="one JSON object as the last line")
    read.set_defaults(run=_read)

    doctor = commands.add_parser("doctor", help="what is wrong with this counter, and who fixes it")
    doctor.add_argument("--json", action="store_true", help="one JSON object as the last line")
    doctor.set_defaults(run=_doctor)

    serve = commands.add_parser("serve", help="the teller's page and the local HTTP API")
    serve.set_defaults(run=_serve)
    return parser


def _read(order: Namespace) -> int:
    # Each command imports its own parts: reading a card needs no web server.
    from reader_agent.read_command import ReadOrder, as_text, empty_result, read_card  # noqa: PLC0415
    from reader_agent.session.access import Access  # noqa: PLC0415
    from reader_agent.transports.open_reader import open_reader  # noqa: PLC0415

    access = Access(can=order.can, mrz=order.mrz)
    wanted = ReadOrder(order.reader, access, tuple(order.csca), order.wait, order.cvc)
    try:
        result, code = read_card(wanted, open_reader)
    except ConfigurationFault as faults:
        # The words are for people; a program that reads the last line gets one here as well.
        print(faults, file=sys.stderr)
        result, code = empty_result() | {"error": "REQUEST_MALFORMED"}, exit_codes.USAGE
    print(json.dumps(result) if order.json else as_text(result))
    return code


def _doctor(order: Namespace) -> int:
    from reader_agent.doctor import as_text, examine  # noqa: PLC0415 - see _read

    report = examine(os.environ)
    print(report.to_json() if order.json else as_text(report))
    return report.exit_code


def _serve(_order: Namespace | None = None) -> int:
    _start_small()
    from reader_agent.app import serve, settings_from  # noqa: PLC0415 - see _read

    serve(settings_from(os.environ))
    return exit_codes.OK


def _start_small() -> None:
    """Start again without docstrings and column numbers, with a heap that gives back: 4 MB less, all day.

    After the first face it is 40 MB. All of it must be known before the interpreter starts, and nobody
    who starts a counter should have to know.
    """
    if os.name != "posix" or sys.flags.optimize > 1:
        return
    small = {
        "PYTHONOPTIMIZE": "2",
        "PYTHONNODEBUGRANGES": "1",
        "MALLOC_ARENA_MAX": "1",
        # Chips use nothing of OpenSSL's legacy provider: two-key 3DES is not in it.
        "CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1",
        "MALLOC_TRIM_THRESHOLD_": "65536",
    }
    command = [sys.executable, "-m", "reader_agent", "serve"]
    os.execve(sys.executable, command, {**os.environ, **small})  # noqa: S606 - ourselves


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
