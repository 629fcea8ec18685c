"""A process that decodes one image and ends: ``python -I image_worker.py``.

It reads an encoded image from standard input and writes width, height (4 bytes each) and RGB bytes.
It limits itself before it reads a byte, so a hostile image costs this process and nothing else. It
stands alone: it imports nothing of ours, to start fast and to hold nothing worth taking.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys

from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin, PngImagePlugin

if sys.platform != "win32":
    import resource

MAX_PIXELS = 4_000_000
_MEMORY = 512 * 1024 * 1024
_CPU_SECONDS = 3
# The import above registered the first three; no format outside this list is opened.
_FORMATS = (
    Jpeg2KImagePlugin.Jpeg2KImageFile.format,
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    "WSQ",
)


def limit() -> None:
    """Cap address space, processor time, new files and processes where the system can (not on Windows).

    Without a free descriptor nothing can be opened any more: no file, and no way to a network.
    """
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> int:
    """Decode one image; exit code 1 when it cannot be done."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses at twice this number
    Image.preinit()  # now, while nobody waits
    with contextlib.suppress(ImportError):
        # Counters do without this codec: fingerprints are decoded where they are compared.
        importlib.import_module("wsq")
    limit()
    encoded = sys.stdin.buffer.read()
    try:
        with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
            picture = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return 1
    size = picture.width.to_bytes(4, "big") + picture.height.to_bytes(4, "big")
    sys.stdout.buffer.write(size + picture.tobytes())
    sys.stdout.buffer.flush()
    # Taking the interpreter apart would keep the waiting parent for another ten milliseconds.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
