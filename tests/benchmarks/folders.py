"""Folders that last until the program ends, whose files no benchmark removes while another measures.

ext4 gives an inode that was freed in the last minutes to no new file, and looks at each of them first: behind
some thousands of removed files a new one takes 0.6 ms of a processor instead of 0.02 ms.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def new_folder() -> Path:
    """An empty folder, removed when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
