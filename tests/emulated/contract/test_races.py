"""Fifty clients at once: one wins."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import msgspec
import pytest

from chalicelib.core.change import cancel, complete, move_wake, withdraw
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.records import KeyRecord, Schedule, ScheduleMove, WindowRecord
from chalicelib.ports import ChangeRefused
from tests.emulated.contract.conftest import Ground
from tests.support.fakes import START
from tests.support.rows import RUNNING, new_id, row

CLIENTS = 50


def race(act: Callable[[int], bool]) -> int:
    """How many of the clients win when all begin together."""
    ready = Barrier(CLIENTS)

    def client(client_number: int) -> bool:
        ready.wait()
        try:
            return act(client_number)
        except ChangeRefused:
            return False

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(client, range(CLIENTS)))


def test_of_many_inserts_of_one_id_one_wins_and_all_see_its_row(ground: Ground) -> None:
    job_id = new_id()
    answers: list[Job] = []

    def insert(client_number: int) -> bool:
        mine = row(id=job_id, label=str(client_number))
        answers.append(ground.jobs.insert(mine))
        return answers[-1].label == str(client_number)

    race(insert)
    assert len(answers) == CLIENTS
    assert set(answers) == {ground.jobs.get(job_id)}


def test_of_many_claims_one_wins(ground: Ground) -> None:
    job = ground.jobs.insert(row())
    assert race(lambda client_number: bool(ground.jobs.claim(job.id, START, f"token {client_number}"))) == 1
    after = ground.jobs.get(job.id)
    assert after is not None
    assert (after.status, after.attempts) == (Status.RUNNING, 1)


def test_of_many_outcomes_of_one_attempt_one_is_written(ground: Ground) -> None:
    job = ground.jobs.insert(row(**RUNNING, not_before=START + 1))

    def write(client_number: int) -> bool:
        output = Inline(str(client_number).encode())
        return bool(ground.jobs.apply(complete(job, START, output=output, duration_ms=1.0, retention=60)))

    assert race(write) == 1


def test_of_a_claim_and_a_cancel_one_wins(ground: Ground) -> None:
    job = ground.jobs.insert(row())

    def act(client_number: int) -> bool:
        if client_number % 2:
            return bool(ground.jobs.claim(job.id, START, str(client_number)))
        return bool(ground.jobs.apply(cancel(job, START, retention=60)))

    assert race(act) == 1


def test_of_many_dispatchers_one_takes_the_look(ground: Ground) -> None:
    job = ground.jobs.insert(row())
    assert (
        race(lambda client_number: bool(ground.jobs.apply(move_wake(job, START, START + 90_000 + client_number)))) == 1
    )


def test_of_many_jobs_in_a_new_window_one_is_let_in(ground: Ground) -> None:
    object_id = new_id()

    def enter(client_number: int) -> bool:
        job = row(object_id=object_id)
        record = WindowRecord("alice", object_id, job.id, START, START + 60_000, 1)
        ground.jobs.insert_in_window(job, record, None)
        return True

    assert race(enter) == 1
    record = ground.records.window("alice", object_id)
    assert record is not None
    assert ground.jobs.get(record.job_id) is not None


def test_of_many_jobs_in_the_next_window_one_is_let_in(ground: Ground) -> None:
    object_id = 2**70 + len(new_id())
    first = row(object_id=object_id)
    seen = WindowRecord("alice", object_id, first.id, START, START + 60_000, 1)
    ground.jobs.insert_in_window(first, seen, None)
    rows = [row(object_id=object_id) for _ in range(CLIENTS)]

    def enter(client_number: int) -> bool:
        record = replace(seen, job_id=rows[client_number].id, version=2)
        ground.jobs.insert_in_window(rows[client_number], record, seen)
        return True

    assert race(enter) == 1
    assert len([each for each in rows if ground.jobs.get(each.id)]) == 1


def test_of_many_requests_with_one_key_all_get_one_job_id(ground: Ground) -> None:
    key, ids = new_id(), set()

    def reserve(client_number: int) -> bool:
        mine = KeyRecord("alice", key, new_id(), "fingerprint", START // 1000 + 60)
        ids.add(ground.records.reserve_key(mine, START).job_id)
        return mine.job_id in ids

    race(reserve)
    assert len(ids) == 1


def test_of_many_dispatchers_one_moves_a_schedule_on(ground: Ground) -> None:
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)

    def move(client_number: int) -> bool:
        after = replace(schedule, next_run_at=START + 60_000, wake_at=START + 60_000 + client_number)
        return ground.records.move_schedule(ScheduleMove(schedule, after))

    assert race(move) == 1


def test_a_removed_schedule_cannot_be_moved_on(ground: Ground) -> None:
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)
    move = ScheduleMove(schedule, replace(schedule, next_run_at=START + 60_000, wake_at=START + 60_000))
    assert ground.records.remove_schedule(schedule)
    assert not ground.records.move_schedule(move)
    assert not ground.records.remove_schedule(schedule)
    assert ground.records.schedule(schedule.id) is None
    with pytest.raises(ChangeRefused):
        ground.jobs.insert_slot(row(), move)
    assert ground.records.schedule(schedule.id) is None


def test_of_many_dispatchers_one_makes_the_job_of_a_slot(ground: Ground) -> None:
    """Whatever the ids of their jobs: the schedule alone says who was first."""
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)
    jobs = [row(schedule_id=schedule.id) for _ in range(CLIENTS)]

    def make(client_number: int) -> bool:
        after = replace(schedule, wake_at=START + 60_000 + client_number)
        ground.jobs.insert_slot(jobs[client_number], ScheduleMove(schedule, after))
        return True

    assert race(make) == 1
    [job] = [job for job in jobs if ground.jobs.get(job.id)]
    moved = ground.records.schedule(schedule.id)
    assert moved
    assert moved.wake_at == START + 60_000 + jobs.index(job)


def test_either_the_job_of_a_slot_is_made_or_its_schedule_is_removed(ground: Ground) -> None:
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)
    job = row(schedule_id=schedule.id)

    def act(client_number: int) -> bool:
        if client_number % 2:
            return ground.records.remove_schedule(schedule)
        ground.jobs.insert_slot(job, ScheduleMove(schedule, replace(schedule, wake_at=START + 60_000)))
        return True

    assert race(act) == 1
    assert (ground.jobs.get(job.id) is None) == (ground.records.schedule(schedule.id) is None)


def test_a_schedule_goes_with_the_job_of_its_slot_or_both_stand(ground: Ground) -> None:
    """A claim races the removal of many clients: who claims first keeps the job, and the schedule."""
    schedule = Schedule(f"s-{new_id()}", "alice", "* * * * *", "UTC", b"{}", b"{}", START, START, START, START)
    ground.records.add_schedule(schedule)
    job = row(schedule_id=schedule.id)
    ground.jobs.insert(job)
    change = withdraw(job, START, retention=60)

    def act(client_number: int) -> bool:
        if client_number % 2:
            ground.jobs.claim(job.id, START, f"worker {client_number}")
        else:
            ground.jobs.cancel_slot(change, schedule)
        return True

    assert race(act) == 1
    after = ground.jobs.get(job.id)
    assert after
    assert (after.status is Status.CANCELED) == (ground.records.schedule(schedule.id) is None)


def test_a_lost_answer_to_an_insert_is_made_good_by_the_same_insert(ground: Ground) -> None:
    job = row()
    assert ground.jobs.insert(job) == ground.jobs.insert(job) == job
    assert ground.jobs.insert(msgspec.structs.replace(job, label="late")) == job
