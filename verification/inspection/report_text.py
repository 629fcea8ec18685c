"""Reports, findings and dumps as facts for programs (JSON) and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verification.inspection.file_dump import Dump
from verification.inspection.report import CheckResult, InspectionReport
from verification.pki.master_list import MasterListFindings
from verification.pki.trust_store import TrustStore

Json = dict[str, object]


def report_facts(report: InspectionReport, trust_store: TrustStore, ignored: Sequence[str]) -> Json:
    """Verdict and outcomes; ``checks`` has every check there is, also those that were not made."""
    return {
        "verdict": report.verdict.value,
        "fault_code": report.fault_code,
        "checks": {check.value: _check_facts(result) for check, result in report.every_check.items()},
        "data_groups": {file.name: word.value for file, word in report.data_groups.items()},
        "trusted_authorities": len(trust_store.authorities),
        "trust_refused": [
            {"sha256": one.digest, "code": one.code, "reason": one.reason} for one in trust_store.rejected
        ],
        "files_ignored": list(ignored),
    }


def _check_facts(result: CheckResult) -> Json:
    return {"outcome": result.outcome.value, "code": result.code, "reason": result.reason}


def findings_facts(findings: MasterListFindings) -> Json:
    """What ``masterlist`` prints."""
    return {
        "certificates": findings.certificates,
        "loaded": findings.loaded,
        "usable_keys": findings.usable_keys,
        "signature": findings.signature,
        "signature_code": findings.signature_code,
        "signature_reason": findings.signature_reason,
        "refused": [{"subject": one.subject, "reason": one.reason} for one in findings.refused],
    }


def dump_facts(dump: Dump) -> Json:
    """What ``dump`` prints."""
    fault = None if dump.fault is None else {"code": dump.fault.code, "reason": str(dump.fault)}
    return {
        "kind": dump.kind,
        "bytes": dump.size,
        "facts": dump.facts,
        "fault": fault,
        "outline": dump.outline,
    }


def as_lines(facts: Mapping[str, object], depth: int = 0) -> Iterable[str]:
    """The same facts for people: a line each, what belongs to one indented under it."""
    for name, value in facts.items():
        yield from _lines(name, value, "  " * depth, depth)


def _lines(name: str, value: object, indent: str, depth: int) -> Iterable[str]:
    if isinstance(value, dict) and value.keys() == {"outcome", "code", "reason"}:
        yield f"{indent}{name:28} {' '.join(str(part) for part in value.values() if part)}"
    elif isinstance(value, dict) and value:
        yield f"{indent}{name}"
        yield from as_lines(value, depth + 1)
    elif isinstance(value, list) and value:
        yield f"{indent}{name}"
        for number, member in enumerate(value, start=1):
            if isinstance(member, dict):
                yield from _lines(str(number), member, f"{indent}  ", depth + 1)
            else:
                yield f"{indent}  {member}"
    else:
        shown = "-" if value is None or value in ("", [], {}) else value
        yield f"{indent}{name:28} {shown}"
