"""Every fault code has its sentence, its next step and its owner, in Vietnamese and English."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import verification.errors
from verification.errors import VerificationError
from verification.messages.fault_catalogue import counter_faults, fault_catalogue
from verification.messages.person_query import LifeStatus

OUTSIDE_THE_OFFICE = ("verification", "monitoring", "reader_agent", "gateway")
PROGRAMS = ("verification", "monitoring", "reader_agent", "gateway", "issuance_backend", "enrollment_admin")
OWNERS = {"teller", "holder", "supervisor", "operator", "officer", "partner"}
ROOT = Path(verification.errors.__file__).parents[1]
VIETNAMESE = re.compile(
    "[ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.IGNORECASE
)


def error_classes(root: type[VerificationError] = VerificationError) -> set[type[VerificationError]]:
    return {root}.union(*(error_classes(kind) for kind in root.__subclasses__()))


def test_every_error_class_of_every_program_has_a_text() -> None:
    for program in PROGRAMS:
        package = importlib.import_module(program)
        for module in pkgutil.walk_packages(package.__path__, f"{program}."):
            if module.name.rpartition(".")[2] in {"errors", "faults", "refusals"}:
                importlib.import_module(module.name)
    missing = {kind.code for kind in error_classes()} - fault_catalogue().keys()
    assert not missing


def test_every_code_that_is_written_in_the_source_has_a_text() -> None:
    """A literal that follows ``problem(status, ...)`` or stands as ``code=...`` in a call."""
    missing = {}
    for program in PROGRAMS:
        for path in (ROOT / program).rglob("*.py"):
            for code in codes_in(ast.parse(path.read_text(encoding="utf-8"))):
                if code not in fault_catalogue():
                    missing[code] = path.name
    assert not missing


def test_a_counter_keeps_no_fault_in_memory_that_only_the_office_meets() -> None:
    """A new file of faults that only officers meet belongs into _OFFICE_AREAS: a counter has 45 MB."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for program in OUTSIDE_THE_OFFICE
        for path in (ROOT / program).rglob("*.py")
    )
    # The gateway spells these two from what the registry says of a life.
    spelled = {f"PERSON_{status.name}" for status in LifeStatus}
    assert not {code for code in counter_faults() if f'"{code}"' not in sources} - spelled


def codes_in(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            values = [k.value for k in node.keywords if k.arg == "code"]
            values += node.args[1:2] if name in {"problem", "CheckResult"} else []
            found |= {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}
    return {code for code in found if re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", code)}


def test_texts_are_complete_and_in_their_language() -> None:
    for code, fault in fault_catalogue().items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", code), code
        assert fault.owner in OWNERS, code
        for text in (fault.vi.what, fault.vi.next, fault.en.what, fault.en.next):
            assert text.strip() == text, code
            assert text.endswith((".", "!", "?")), (code, text)
        assert VIETNAMESE.search(fault.vi.what + fault.vi.next), code
        assert not VIETNAMESE.search(fault.en.what + fault.en.next), code
