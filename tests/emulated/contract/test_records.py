"""Keys, windows, schedules and tallies."""

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from chalicelib.core.change import apply_change, withdraw
from chalicelib.core.filters import Filter
from chalicelib.core.job import Millis, Status
from chalicelib.core.records import KeyRecord, Schedule, ScheduleMove, Tally, WindowRecord
from chalicelib.ports import ChangeRefused
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import new_id, row

MINUTE = 60_000


@pytest.fixture
def owner() -> str:
    return f"owner-{new_id()}"


def schedule(owner: str, wake_at: Millis = START) -> Schedule:
    return Schedule(
        f"s-{new_id()}", owner, "*/5 * * * *", "Europe/Berlin", b'{"array":[1]}', b"\x00\xff not text",
        START - 1, START, wake_at, wake_at,
    )  # fmt: skip


def test_a_key_belongs_to_the_first_until_it_expires(ground: Ground, owner: str) -> None:
    first = KeyRecord(owner, "key", new_id(), "fingerprint", START // 1000 + 60)
    second = replace(first, job_id=new_id(), fingerprint="another", expires_at=START // 1000 + 200)
    assert ground.records.key(owner, "key") is None
    assert ground.records.reserve_key(first, START) == first
    assert ground.records.key(owner, "key") == first
    assert ground.records.reserve_key(second, START + 59_999) == first
    assert ground.records.reserve_key(first, START + 59_999) == first
    assert ground.records.reserve_key(second, START + 60_000) == second
    assert ground.records.reserve_key(first, START + 60_000) == second


def test_two_owners_may_use_the_same_key(ground: Ground, owner: str) -> None:
    mine = KeyRecord(owner, "key", new_id(), "fingerprint", START // 1000 + 60)
    theirs = replace(mine, owner=f"{owner}-2", job_id=new_id())
    assert ground.records.reserve_key(mine, START) == mine
    assert ground.records.reserve_key(theirs, START) == theirs


@pytest.mark.parametrize("object_id", ["order", "", "#", "Ünï\x00", 0, -1, 2**64, 10**120])
def test_a_window_is_found_under_its_object_and_owner_alone(ground: Ground, owner: str, object_id: str | int) -> None:
    job = row(owner=owner, object_id=object_id)
    record = WindowRecord(owner, object_id, job.id, START, START + 5, 1, START - 5)
    ground.jobs.insert_in_window(job, record, None)
    assert ground.records.window(owner, object_id) == record
    assert ground.records.window(f"{owner}2", object_id) is None
    assert ground.jobs.get(job.id) == job


def test_a_schedule_wakes_like_a_job_and_moves_on(ground: Ground, owner: str) -> None:
    mine = schedule(owner, START - 5_000_000)
    assert ground.records.add_schedule(mine) == mine
    assert ground.records.add_schedule(replace(mine, cron="* * * * *")) == mine, "its id is taken: it stands"
    assert ground.records.schedule(mine.id) == mine
    assert mine.id in chain.from_iterable(ground.jobs.due_schedules(START - 5_000_000, 100))
    assert mine.id not in [name for shard in ground.jobs.due(START, 100) for page in shard for name in page]
    after = replace(mine, last=START - 5_000_000, next_run_at=START, wake_at=START)
    assert ground.records.move_schedule(ScheduleMove(mine, after))
    assert not ground.records.move_schedule(ScheduleMove(mine, replace(after, wake_at=START + 1)))
    assert ground.records.schedule(mine.id) == after
    assert mine.id not in chain.from_iterable(ground.jobs.due_schedules(START - 1, 100))
    assert not ground.records.remove_schedule(mine)
    assert ground.records.remove_schedule(after)
    assert ground.records.schedule(mine.id) is None


def test_the_job_of_a_slot_and_the_move_of_its_schedule_are_one(ground: Ground, owner: str) -> None:
    mine = schedule(owner)
    ground.records.add_schedule(mine)
    after = replace(mine, last=START + MINUTE, wake_at=START + MINUTE + 1)
    job = row(owner=owner, schedule_id=mine.id, slot_at=START + MINUTE)
    ground.jobs.insert_slot(job, ScheduleMove(mine, after))
    assert (ground.jobs.get(job.id), ground.records.schedule(mine.id)) == (job, after)
    later = replace(after, wake_at=START + 2 * MINUTE)
    for other, seen in ((row(owner=owner), mine), (job, after)):
        with pytest.raises(ChangeRefused):
            ground.jobs.insert_slot(other, ScheduleMove(seen, later))
        assert ground.records.schedule(mine.id) == after
    assert ground.jobs.get(job.id) == job


def test_a_job_in_a_window_moves_its_schedule_on_or_is_not_made(ground: Ground, owner: str) -> None:
    mine = schedule(owner)
    ground.records.add_schedule(mine)
    after = replace(mine, last=START, wake_at=START + MINUTE)
    first, second = (row(owner=owner, object_id="x", schedule_id=mine.id) for _ in range(2))
    window = WindowRecord(owner, "x", first.id, START, START + 5, 1)
    ground.jobs.insert_in_window(first, window, None, None, ScheduleMove(mine, after))
    assert (ground.jobs.get(first.id), ground.records.schedule(mine.id)) == (first, after)
    newer = replace(window, job_id=second.id, version=2)
    with pytest.raises(ChangeRefused):
        ground.jobs.insert_in_window(second, newer, window, None, ScheduleMove(mine, after))
    assert (ground.jobs.get(second.id), ground.records.window(owner, "x")) == (None, window)


def test_a_schedule_is_removed_with_the_job_of_its_slot_unless_an_attempt_has_begun(ground: Ground, owner: str) -> None:
    mine, moved = schedule(owner), replace(schedule(owner), wake_at=START + MINUTE)
    waiting, begun = row(owner=owner), row(owner=owner)
    for each in (mine, moved):
        ground.records.add_schedule(each)
    for job in (waiting, begun):
        ground.jobs.insert(job)
    ground.jobs.claim(begun.id, START, "worker")
    for job, seen in ((begun, mine), (waiting, replace(moved, wake_at=START))):
        with pytest.raises(ChangeRefused):
            ground.jobs.cancel_slot(withdraw(job, START, retention=60), seen)
        assert ground.records.schedule(seen.id) is not None
    assert ground.jobs.get(waiting.id) == waiting
    change = withdraw(waiting, START, retention=60)
    ground.jobs.cancel_slot(change, mine)
    assert ground.records.schedule(mine.id) is None
    assert ground.jobs.get(waiting.id) == apply_change(change, waiting)


def test_the_jobs_of_a_schedule_are_listed_by_what_became_of_them(ground: Ground, owner: str) -> None:
    mine = f"s-{new_id()}"
    jobs = [row(owner=owner, schedule_id=mine) for _ in range(3)]
    for job in [*jobs, row(owner=owner), row(owner=owner, schedule_id=f"{mine}x"), row(owner=owner, group=mine)]:
        ground.jobs.insert(job)
    ground.jobs.apply(withdraw(jobs[1], START, retention=60))

    def page(*statuses: Status) -> list[str]:
        chosen = Filter(owner, frozenset(statuses or Status), schedule_id=mine)
        return ground.jobs.page(chosen, None, 10, START)

    assert page() == [job.id for job in reversed(jobs)]
    assert page(Status.CANCELED) == [jobs[1].id]
    assert page(Status.PENDING) == [jobs[2].id, jobs[0].id]
    assert ground.jobs.page(Filter("somebody-else", schedule_id=mine), None, 10, START) == []


def test_schedules_are_listed_by_owner(ground: Ground, owner: str) -> None:
    mine = [schedule(owner) for _ in range(105)]
    for each in [*mine, schedule(f"{owner}2")]:
        ground.records.add_schedule(each)
    assert sorted(each.id for each in ground.records.schedules(owner)) == sorted(each.id for each in mine)
    assert ground.records.schedules(f"{owner}3") == []
    assert ground.jobs.page(Filter("schedule", group=owner), None, 10, START) == []  # whatever an owner is called


def test_tallies_of_many_batches_sum_up(ground: Ground, owner: str) -> None:
    tally = Tally(Counter(completed=2, retried=1), Counter({-14: 2, 31: 1}), Counter({5: 3}))
    for _ in range(3):
        ground.records.add_tally(owner, START, tally, START // 1000 + 60)
    ground.records.add_tally(owner, START + MINUTE, Tally(Counter(failed=1)), START // 1000 + 60)
    ground.records.add_tally(owner, START + 2 * MINUTE, Tally(), START // 1000 + 60)
    minutes = [START + offset * MINUTE for offset in range(-1, 130)]
    by_minute = ground.records.tallies(owner, minutes)
    assert by_minute[START] == Tally(Counter(completed=6, retried=3), Counter({-14: 6, 31: 3}), Counter({5: 9}))
    assert by_minute[START + MINUTE] == Tally(Counter(failed=1))
    assert START - MINUTE not in by_minute
    assert ground.records.tallies(f"{owner}2", minutes) == {}


def test_rows_that_may_go_say_when(ground: Ground, owner: str) -> None:
    """DynamoDB removes them by `expires_at`, in seconds; a schedule stays until somebody removes it."""
    if ground.stage is None:
        return
    job = row(owner=owner, object_id="x")
    ground.jobs.insert_in_window(job, WindowRecord(owner, "x", job.id, START, START + 5_000, 1), None)
    ground.records.reserve_key(KeyRecord(owner, "key", job.id, "f", START // 1000 + 60), START)
    ground.records.add_tally(owner, START, Tally(Counter(failed=1)), START // 1000 + 70)
    ground.records.add_schedule(schedule(owner))
    rows = {item["pk"]["S"]: item for item in ground.stage.items() if owner in str(item)}
    expiry = {pk.split("#")[0]: item.get("expires_at", {}).get("N") for pk, item in rows.items()}
    kept = START // 1000 + 5 + 400 * 86_400
    assert expiry.pop("key") == str(START // 1000 + 60)
    assert expiry.pop("minute") == str(START // 1000 + 70)
    assert expiry.pop("window") == str(kept)
    assert set(expiry.values()) == {None}
