"""How chips in circulation depart from the standard or from each other; no quirk is the default."""

from __future__ import annotations

import msgspec


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """What readers of other people reported of real cards, each to be had by itself.

    ``master_file_status`` is what SELECT MF answers on a card that does not select it.
    ``largest_block`` is how many octets READ BINARY gives at most, ``beyond_block`` what a longer
    Le is answered with: an error (6700, 6B00), 6Cxx with the length that goes, 6282 or 9000 with
    fewer octets than asked for. ``answers_in_parts`` gives an answer that is longer than a short
    command may have by 61xx and GET RESPONSE. ``errors_end_session`` drops secure messaging after
    every answer that is an error.
    """

    master_file_status: int = 0x6D00
    wants_domain_parameters: bool = False
    lacks_key_agreement_template: bool = False
    largest_block: int | None = None
    beyond_block: int = 0x6700
    answers_in_parts: bool = False
    errors_end_session: bool = False
    der_signatures: bool = False


STANDARD = Quirks()
"""A chip that does everything as the standard says."""
