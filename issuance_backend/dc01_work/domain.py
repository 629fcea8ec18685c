"""Who takes which step of a DC01 form, and whose forms an officer works on.

That who did one step does not judge it, and that a second reader knows nothing of the first, the registry
enforces itself: it knows who did what.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from issuance_backend.dc01_work.refusals import Dc01FormElsewhere
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.unit_codes import lies_in
from verification.errors import TransitionRefused


class FormStep(StrEnum):
    """What officers do with a form, in its order."""

    LIST = "list"
    COLLECT = "collect"
    SCAN = "scan"
    INDEX = "index"
    KEY = "key"
    KEY_AGAIN = "key_again"
    DECIDE = "decide"
    CORRECT = "correct"
    REVIEW = "review"
    LEAD = "lead"
    """Open a batch, close it and draw its sample, have what was accepted compared with the registry, and have
    it register whom it does not hold."""


ROLES: Mapping[FormStep, tuple[Role, ...]] = {
    FormStep.LIST: (Role.COMMUNE_OFFICER, Role.TEAM_LEADER),
    FormStep.COLLECT: (Role.COMMUNE_OFFICER,),
    FormStep.SCAN: (Role.COMMUNE_OFFICER, Role.FORM_CLERK),
    FormStep.INDEX: (Role.FORM_CLERK,),
    FormStep.KEY: (Role.FORM_CLERK,),
    FormStep.KEY_AGAIN: (Role.FORM_CLERK,),
    FormStep.DECIDE: (Role.FORM_CLERK,),
    FormStep.CORRECT: (Role.COMMUNE_OFFICER,),
    FormStep.REVIEW: (Role.COMMUNE_OFFICER, Role.TEAM_LEADER),
    FormStep.LEAD: (Role.TEAM_LEADER,),
}

READERS = (Role.COMMUNE_OFFICER, Role.FORM_CLERK, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.AUDITOR)
"""Who sees where forms and batches stand; nothing of what is written on them."""

TOLD_NUMBERS = ROLES[FormStep.REVIEW]
"""Who sees under which number the person of a form is registered: who hands it on, and who registered."""

LEADERS = (Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.AUDITOR)
"""Who sees how well each clerk reads."""

WAITING: Mapping[FormStep, tuple[str, ...]] = {
    FormStep.COLLECT: ("planned",),
    FormStep.SCAN: ("collected",),
    FormStep.INDEX: ("scanned",),
    FormStep.KEY: ("indexed", "batch_rejected"),
    FormStep.CORRECT: ("conflict",),
    FormStep.REVIEW: ("correction",),
}
"""The states in which a form waits for a step that anybody of the role may take."""

_LOOKED_AT_FOR: Mapping[str, FormStep] = {
    **{state: step for step, states in WAITING.items() for state in states},
    "auto_checked": FormStep.KEY,
    "recheck_sampled": FormStep.KEY_AGAIN,
}
_WITHOUT_PICTURE = frozenset({FormStep.COLLECT, FormStep.SCAN})


def require_step(officer: Officer, step: FormStep) -> None:
    """Raise RoleMissing unless one of the officer's roles takes this step."""
    officer.require(*ROLES[step])


def is_of_area(officer: Officer, unit: str) -> bool:
    """Whether a unit is the officer's, or below it."""
    return officer.area is None or lies_in(unit, officer.area)


def require_area(officer: Officer, unit: str) -> None:
    """Raise Dc01FormElsewhere for a unit that is not the officer's, nor below it."""
    if not is_of_area(officer, unit):
        raise Dc01FormElsewhere("it belongs to another unit")


def require_at_work(officer: Officer, state: str) -> None:
    """Let pass who may take the step that a form waits for; raises TransitionRefused and RoleMissing."""
    step = _LOOKED_AT_FOR.get(state)
    if step is None or step in _WITHOUT_PICTURE:
        raise TransitionRefused("nobody has to look at the form now")
    require_step(officer, step)
