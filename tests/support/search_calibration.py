"""``python -m tests.support.search_calibration``: fit the calibrations that come with the program.

Fingers are invented (``synthetic_fingers``), faces are the London set beside the project. Both are good
enough to show that evidence adds up and no claim about the people of a country: a site fits its own.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import msgspec
import numpy as np

from issuance_backend.biometric_search.calibration import Calibration, Pairs, fit
from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from tests.support.synthetic_fingers import fingers, records, second_impressions
from verification.face.choice import choose_engine
from verification.face.quality import only_face
from verification.fingerprint.nbis_engine import NbisEngine

GENUINE, STRANGERS_EACH = 600, 40
FINGER_BASIS = (
    "invented fingers (tests/support/synthetic_fingers.py): evidence adds up, no claim about people"
)
FACE_BASIS = "31 adults of the Face Research Lab London Set, neutral and smiling on one day: optimistic"


def finger_calibration() -> Calibration:
    """bozorth3 over invented fingers."""
    engine = NbisEngine()
    first = fingers(GENUINE, 71)
    stored, asked = records(first), records(second_impressions(first, 72))
    chance = np.random.default_rng(73)
    genuine, impostor = [], []
    for number, probe in enumerate(asked):
        prepared = engine.prepare(probe)
        genuine.append(prepared.score(stored[number]))
        others = chance.choice(np.delete(np.arange(GENUINE), number), STRANGERS_EACH, replace=False)
        impostor += [prepared.score(stored[int(other)]) for other in others]
    pairs = Pairs(tuple(genuine), tuple(impostor))
    return fit(f"finger-{engine.id}", engine.id, FINGER_BASIS, pairs)


def face_calibration(models: Path, faces: Path) -> Calibration:
    """The engine of this machine's models over portraits of consenting adults."""
    engine = choose_engine(models)
    if engine is None:
        raise SystemExit("no complete face engine in that folder")
    templates = {}
    for path in sorted(faces.glob("*.jpg")):
        picture = bgr(card_picture(path.read_bytes()))
        templates[path.stem] = engine.embed(picture, only_face(engine.detect(picture)))
    sign = -1.0 if engine.smaller_is_closer else 1.0
    genuine, impostor = [], []
    for one, other in itertools.combinations(templates, 2):
        score = sign * engine.compare(templates[one], templates[other])
        (genuine if one[:3] == other[:3] else impostor).append(score)
    pairs = Pairs(tuple(genuine), tuple(impostor))
    return fit(f"face-{engine.id}", f"{engine.id} {engine.model_digests[-1][:16]}", FACE_BASIS, pairs)


def main() -> None:
    """Print both as the file that is shipped."""
    models, faces = (Path(argument) for argument in sys.argv[1:3])
    fitted = (finger_calibration(), face_calibration(models, faces))
    print(msgspec.json.format(msgspec.json.encode(fitted), indent=1).decode())


if __name__ == "__main__":
    main()
