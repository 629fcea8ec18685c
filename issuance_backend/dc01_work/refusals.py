"""What only the work on forms DC01 refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused


class Dc01FormElsewhere(Refused):
    """A form, or a batch of forms, of another unit than the officer's."""

    code = "DC01_FORM_ELSEWHERE"
