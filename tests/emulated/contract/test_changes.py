"""Every change on every row, as core/change.py judges it and as the store does: DynamoDB's conditions are the same."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.job import Job, Status, Window
from chalicelib.core.records import WindowRecord
from chalicelib.ports import ChangeRefused, JobStore
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import STATES, every_change, new_id, row

SEEN = ("due", "looked after meanwhile", "running", "next attempt")


def alone(jobs: JobStore, change: Change) -> Job:
    return jobs.apply(change)


def in_a_batch(jobs: JobStore, change: Change) -> Job:
    (refused,) = jobs.apply_many([change])
    if refused is not None:
        raise refused
    row = jobs.get(change.job.id)
    assert row is not None
    return row


WAYS = pytest.mark.parametrize("carry_out", [alone, in_a_batch])


def placed(jobs: JobStore, state: str) -> Job:
    return jobs.insert(row(**STATES[state]))


@pytest.mark.parametrize("state", STATES)
def test_a_claim_is_granted_exactly_when_the_row_is_claimable(ground: Ground, state: str) -> None:
    for now in (START - 1, START, START + 5_000, START + 70_000):
        job = placed(ground.jobs, state)
        if changes.claimable(job, now):
            want = changes.claim_row(job, now, "mine")
            assert ground.jobs.claim(job.id, now, "mine") == want
        else:
            want = job
            with pytest.raises(ChangeRefused) as refused:
                ground.jobs.claim(job.id, now, "mine")
            assert refused.value.job == job
        assert ground.jobs.get(job.id) == want


@WAYS
@pytest.mark.parametrize("state", STATES)
def test_a_change_is_accepted_exactly_when_the_row_permits_it(
    ground: Ground, state: str, carry_out: Callable[[JobStore, Change], Job]
) -> None:
    """The change was decided on a row that may since have moved on: `seen_as` is how it was."""
    for seen_as, number in itertools.product({*SEEN, state}, range(len(list(every_change(row()))))):
        job = placed(ground.jobs, state)
        seen = row(**{**STATES[seen_as], "id": job.id})
        change = list(every_change(seen))[number]
        if changes.permits(change, job):
            want = changes.apply_change(change, job)
            got = carry_out(ground.jobs, change)
            if not change.fields:  # a checkpoint writes the token that it knows
                want = msgspec.structs.replace(want, claim_token=got.claim_token)
            assert got == want
        else:
            want = job
            with pytest.raises(ChangeRefused) as refused:
                carry_out(ground.jobs, change)
            assert refused.value.job == job
        assert ground.jobs.get(job.id) == want


def test_of_many_changes_each_is_judged_by_itself(ground: Ground) -> None:
    """Sixty are three calls. Every third row has moved on, every fifth is not there."""
    rows = [row() for _ in range(60)]
    for number, job in enumerate(rows):
        if number % 5:
            ground.jobs.insert(job)
        if number % 5 and number % 3 == 0:
            ground.jobs.apply(changes.move_wake(job, START, START + 999))
    answers = ground.jobs.apply_many([changes.move_wake(job, START, START + 61_000) for job in rows])
    for number, (job, answer) in enumerate(zip(rows, answers, strict=True)):
        stands = ground.jobs.get(job.id)
        if number % 5 and number % 3:
            assert answer is None
            assert stands == msgspec.structs.replace(job, wake_at=START + 61_000)
        else:
            assert isinstance(answer, ChangeRefused)
            assert answer.job == stands == (msgspec.structs.replace(job, wake_at=START + 999) if number % 5 else None)
    assert ground.jobs.apply_many([]) == []


@WAYS
def test_a_row_that_is_not_there_can_neither_be_claimed_nor_changed(
    ground: Ground, carry_out: Callable[[JobStore, Change], Job]
) -> None:
    with pytest.raises(ChangeRefused) as claim:
        ground.jobs.claim(new_id(), START, "mine")
    assert claim.value.job is None
    for change in every_change(row()):
        with pytest.raises(ChangeRefused) as refused:
            carry_out(ground.jobs, change)
        assert refused.value.job is None


def test_a_window_is_handed_over_with_the_new_job_or_not_at_all(ground: Ground) -> None:
    object_id = new_id()
    first = row(object_id=object_id, status=Status.CANCELED)
    first = msgspec.structs.replace(first, window=Window(60, "delay", START + 60_000, first.id))
    seen = WindowRecord("alice", object_id, first.id, START, START + 60_000, 1)
    ground.jobs.insert_in_window(first, seen, None)
    second, third = row(object_id=object_id), row(object_id=object_id)
    handed = changes.hand_window_over(first, START, second.id)
    ground.jobs.insert_in_window(second, replace(seen, job_id=second.id, version=2), seen, handed)
    stands = ground.jobs.get(first.id)
    assert stands is not None
    assert stands.window == Window(60, "delay", START + 60_000, second.id)
    with pytest.raises(ChangeRefused):
        ground.jobs.apply(changes.retry_by_hand(first, START))
    retried = ground.jobs.insert(row(object_id=object_id, status=Status.CANCELED, window=None))
    retried = ground.jobs.apply(changes.retry_by_hand(retried, START))
    late = changes.hand_window_over(msgspec.structs.replace(retried, window=first.window), START, third.id)
    now = ground.records.window("alice", object_id)
    assert now is not None
    with pytest.raises(ChangeRefused):
        ground.jobs.insert_in_window(third, replace(now, job_id=third.id, version=3), now, late)
    assert ground.jobs.get(third.id) is None
    assert ground.records.window("alice", object_id) == now
