"""Kinds of biometrics that come in packages of their own: iris, DNA, voice, without a line changed here.

Such a package declares an entry point of the group ``issuance_backend.modalities``, named like the kind: a
callable that is told the profile of the installation and answers a
:class:`~issuance_backend.biometric_search.modality.Modality`. It is the package that refuses the profile
``production`` with a ConfigurationFault, where what it brings is a stand-in. Nothing is searched because it
happens to be installed: the operator names the kinds, ``ISSUANCE_MODALITIES=iris,voice``, to the office and
to every ``search work``.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from issuance_backend.biometric_search.face_modality import FACE
from issuance_backend.biometric_search.finger_modality import FINGER
from issuance_backend.biometric_search.modality import Modality
from issuance_backend.store_profile import require_profile
from monitoring.environment import ConfigurationFault

SETTING = "ISSUANCE_MODALITIES"
PROFILE = "ISSUANCE_PROFILE"
GROUP = "issuance_backend.modalities"
BUILT_IN = frozenset({FACE, FINGER})


def further_modalities(names: str, profile: str) -> tuple[Modality, ...]:
    """The plug-ins of these kinds, named with commas between; raises ConfigurationFault."""
    require_profile(PROFILE, profile)
    wanted = [name.strip() for name in names.split(",")] if names else []
    if len(set(wanted)) != len(wanted) or BUILT_IN.intersection(wanted):
        raise ConfigurationFault(f"{SETTING}: each kind once, and not those that are built in")
    return tuple(_made(_declared(name), profile) for name in wanted)


def _declared(name: str) -> EntryPoint:
    found = tuple(entry_points(group=GROUP, name=name))
    if len(found) != 1:
        raise ConfigurationFault(f"{SETTING}: {len(found)} installed packages bring {name!r}")
    return found[0]


def _made(declared: EntryPoint, profile: str) -> Modality:
    try:
        made: Modality = declared.load()(profile)
    except (ImportError, AttributeError) as fault:
        raise ConfigurationFault(f"{SETTING}: {declared.name}: {type(fault).__name__}") from None
    # Tables and requests hold the code, and the operator switched on a name: they are one.
    if made.code != declared.name:
        raise ConfigurationFault(f"{SETTING}: {declared.name} brings a plug-in of another code")
    return made
