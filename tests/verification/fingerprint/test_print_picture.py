"""Pictures of prints as scanners write them: what is cut off is no print, wherever it ends."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from verification.errors import FingerImageUndecodable
from verification.fingerprint.print_picture import read_print


@pytest.fixture(scope="module")
def wsq() -> bytes:
    out = io.BytesIO()
    shade = np.random.default_rng(4).integers(0, 255, (256, 256)).astype(np.uint8)
    Image.fromarray(shade).save(out, "WSQ")
    return out.getvalue()


def test_a_print_as_wsq_is_read(wsq: bytes) -> None:
    assert read_print(wsq).shape == (256, 256)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_a_print_that_is_cut_off_is_none(wsq: bytes, share: float) -> None:
    with pytest.raises(FingerImageUndecodable):
        read_print(wsq[: int(len(wsq) * share)])
