"""``python -m issuance_backend.personalization.face_engine_name FOLDER`` says which face engine runs here.

Whoever only has to know the name asks this program: the models stay in its memory and go with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from verification.face.choice import choose_engine


def main(folder: str) -> str:
    """The engine whose models in the folder are complete and answer right; empty where there is none."""
    engine = choose_engine(Path(folder))
    return engine.id if engine else ""


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]))
