"""Document signers sign within their period and their quota, whatever happens in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import Process, Queue
from pathlib import Path

import pytest

from issuance_backend.csca.ceremony import CeremonyPlan, issue_document_signer, period_of_use
from issuance_backend.csca.signer import CertifiedKey, PrivateKey
from issuance_backend.csca.signer_pool import CountedSigner, DocumentSignerPool, SignatureCount
from issuance_backend.refusals import DocumentSignerExhausted, SigningKeyUnavailable
from tests.support import pki

DAY = timedelta(days=1)


@pytest.fixture
def count(tmp_path: Path) -> Path:
    path = tmp_path / "ds.count"
    SignatureCount.begin(path)
    return path


def signer(starts: datetime, plan: CeremonyPlan = pki.P256) -> CertifiedKey:
    key = PrivateKey.of_profile(plan.signer_key)
    return key.with_certificate(issue_document_signer(pki.quick_issuer().csca, key, plan, starts))


def pool(*signers: CountedSigner) -> DocumentSignerPool:
    return DocumentSignerPool(lambda: signers, lambda: 0)


def counted(folder: Path, name: str, starts: datetime, quota: int = 1000) -> CountedSigner:
    path = folder / f"{name}.count"
    SignatureCount.begin(path)
    return CountedSigner(signer(starts), SignatureCount(path, quota))


@pytest.mark.parametrize("quota", [0, 1, 63, 64, 65, 200])
def test_the_quota_is_met_to_the_last_signature_and_never_passed(count: Path, quota: int) -> None:
    signatures = SignatureCount(count, quota)
    assert sum(signatures.take() for _ in range(quota + 70)) == quota
    assert signatures.left == 0


def test_a_process_that_died_loses_signatures_and_never_gains_one(count: Path) -> None:
    made = 0
    for _ in range(10):  # each of these is a process that dies after three signatures
        signatures = SignatureCount(count, 200)
        made += sum(signatures.take() for _ in range(3))
    assert made <= 200
    assert not SignatureCount(count, 200).take()


def test_threads_share_a_quota(count: Path) -> None:
    signatures = SignatureCount(count, 500)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: signatures.take(), range(2000))) == 500


def take_all(path: Path, quota: int, results: Queue[int]) -> None:
    signatures = SignatureCount(path, quota)
    results.put(sum(signatures.take() for _ in range(quota)))


def test_processes_share_a_quota(count: Path) -> None:
    results: Queue[int] = Queue()
    workers = [Process(target=take_all, args=(count, 300, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert sum(results.get(timeout=30) for _ in workers) == 300
    for worker in workers:
        worker.join()


@pytest.mark.parametrize("content", [None, b"", b"-1", b"x"])
def test_a_count_that_is_missing_or_no_number_signs_nothing(count: Path, content: bytes | None) -> None:
    count.unlink()
    if content is not None:
        count.write_bytes(content)
    with pytest.raises(SigningKeyUnavailable):
        SignatureCount(count, 10).take()


def test_a_signer_signs_from_its_first_moment_to_its_last(tmp_path: Path) -> None:
    only = counted(tmp_path, "ds", pki.CEREMONY)
    begin, end = period_of_use(only.signer.certificate)
    assert end - begin == timedelta(days=pki.P256.signer_use_days)
    for moment in (begin, pki.SIGNED, end):
        assert pool(only).signer_for(moment) is only.signer
    for moment in (begin - timedelta(seconds=1), end + timedelta(seconds=1)):
        with pytest.raises(DocumentSignerExhausted):
            pool(only).signer_for(moment)


def test_the_next_signer_takes_over_by_date(tmp_path: Path) -> None:
    first = counted(tmp_path, "first", pki.CEREMONY)
    _, end = period_of_use(first.signer.certificate)
    second = counted(tmp_path, "second", end)
    both = pool(second, first)
    assert both.signer_for(end - DAY) is first.signer
    assert both.signer_for(end + DAY) is second.signer


def test_the_next_signer_takes_over_by_quota(tmp_path: Path) -> None:
    first = counted(tmp_path, "first", pki.CEREMONY, quota=3)
    second = counted(tmp_path, "second", pki.CEREMONY + DAY, quota=2)
    both = pool(second, first)
    used = [both.signer_for(pki.SIGNED) for _ in range(5)]
    assert used == [first.signer] * 3 + [second.signer] * 2
    with pytest.raises(DocumentSignerExhausted):
        both.signer_for(pki.SIGNED)


def test_a_signer_put_in_use_or_withdrawn_counts_at_once(tmp_path: Path) -> None:
    held: list[CountedSigner] = []
    version = [0]
    changing = DocumentSignerPool(lambda: tuple(held), lambda: version[0])
    with pytest.raises(DocumentSignerExhausted):
        changing.signer_for(pki.SIGNED)
    held.append(counted(tmp_path, "ds", pki.CEREMONY))
    version[0] += 1
    assert changing.signer_for(pki.SIGNED) is held[0].signer
    held.clear()
    version[0] += 1
    with pytest.raises(DocumentSignerExhausted):
        changing.signer_for(pki.SIGNED)


def test_the_periods_are_those_of_the_plan(tmp_path: Path) -> None:
    short = replace(pki.P256, signer_use_days=30, document_days=100)
    certificate = signer(pki.CEREMONY, short).certificate
    begin, end = period_of_use(certificate)
    assert end - begin == timedelta(days=30)
    assert certificate.not_valid_after_utc - end == timedelta(days=100)
