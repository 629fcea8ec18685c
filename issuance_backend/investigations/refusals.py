"""What only a search that begins with pictures refuses; the groups are those of ``verification.errors``."""

from __future__ import annotations

from verification.errors import Refused


class PictureNotSearched(Refused):
    """No engine at this office makes anything of such a picture."""

    code = "PICTURE_NOT_SEARCHED"
