"""Every change on every row, as core/change.py judges it and as the store does: DynamoDB's conditions are the same."""

import itertools

import msgspec
import pytest

from chalicelib.core import change as changes
from chalicelib.core.job import Job
from chalicelib.ports import ChangeRefused, JobStore
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import STATES, every_change, new_id, row

SEEN = ("due", "looked after meanwhile", "running", "next attempt")


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


@pytest.mark.parametrize("state", STATES)
def test_a_change_is_accepted_exactly_when_the_row_permits_it(ground: Ground, state: str) -> None:
    """The change was decided on a row that may since have moved on: `seen_as` is how it was."""
    for seen_as, number in itertools.product({*SEEN, state}, range(len(list(every_change(row()))))):
        job = placed(ground.jobs, state)
        seen = row(**{**STATES[seen_as], "id": job.id})
        change = list(every_change(seen))[number]
        if changes.permits(change, job):
            want = changes.apply_change(change, job)
            got = ground.jobs.apply(change)
            if not change.fields:  # a checkpoint writes the token that it knows
                want = msgspec.structs.replace(want, claim_token=got.claim_token)
            assert got == want
        else:
            want = job
            with pytest.raises(ChangeRefused) as refused:
                ground.jobs.apply(change)
            assert refused.value.job == job
        assert ground.jobs.get(job.id) == want


def test_a_row_that_is_not_there_can_neither_be_claimed_nor_changed(ground: Ground) -> None:
    with pytest.raises(ChangeRefused) as claim:
        ground.jobs.claim(new_id(), START, "mine")
    assert claim.value.job is None
    for change in every_change(row()):
        with pytest.raises(ChangeRefused) as refused:
            ground.jobs.apply(change)
        assert refused.value.job is None
