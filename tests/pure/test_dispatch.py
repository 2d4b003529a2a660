"""What keeps a round of the dispatcher from everybody: a row that cannot be read, a window that is contested."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chalicelib.core.change import Change
from chalicelib.core.job import Job
from chalicelib.core.window import OnRepeat
from chalicelib.errors import SortieError, Unavailable
from chalicelib.ports import ChangeRefused
from chalicelib.service import schedules
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import WindowWish
from tests.pure.test_service import SORT, Desk
from tests.support import fakes


@pytest.fixture
def desk() -> Desk:
    return Desk()


class DamagedJobs(fakes.MemoryJobs):
    """One row cannot be read, as one that a newer version has written in a way of its own."""

    damaged = ""

    def get(self, job_id: str) -> Job | None:
        if job_id == self.damaged:
            raise ValueError("no such status")
        return super().get(job_id)

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        return [row for job_id in job_ids if (row := self.get(job_id))]


def test_a_row_that_cannot_be_read_keeps_no_other_job_waiting(desk: Desk) -> None:
    jobs = DamagedJobs(desk.table)
    desk.ports = replace(desk.ports, jobs=jobs)
    ids = [desk.submit().job.id for _ in range(20)]
    desk.queue.held.clear()
    jobs.damaged = ids[7]
    desk.clock.advance(31)
    dispatch(desk.ports, lambda: 60.0)
    assert sorted(held.body for held in desk.queue.held) == sorted(set(ids) - {ids[7]})


class ContestedJobs(fakes.MemoryJobs):
    """Somebody else wins every race for mallory's windows."""

    def insert_in_window(self, job: Job, *args: object) -> None:
        if job.owner == "mallory":
            raise ChangeRefused(None)
        super().insert_in_window(job, *args)  # type: ignore[arg-type]


def test_an_owner_who_contests_a_window_of_its_own_holds_up_no_schedule_of_another(desk: Desk) -> None:
    """Twenty schedules of one owner whose window is lost in every race, and twenty of another, in one round."""
    desk.ports = replace(desk.ports, jobs=ContestedJobs(desk.table))
    wish = WindowWish(60, OnRepeat.DELAY)
    for owner in ("mallory", "alice"):
        for _ in range(20):
            new = replace(SORT, owner=owner, object_id="o", window=wish if owner == "mallory" else None)
            schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", new)
    desk.clock.advance(300)
    began = desk.clock.monotonic()
    dispatch(desk.ports, lambda: 55.0 - (desk.clock.monotonic() - began))
    assert sum(row.owner == "alice" and row.slot_at is not None for row in desk.table.jobs.values()) >= 20
    assert desk.clock.monotonic() - began < 20


class SlowJobs(fakes.MemoryJobs):
    """Each change takes a twentieth of a second."""

    spent = 0.0

    def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
        self.spent += 0.05 * len(changes)
        return super().apply_many(changes)


def test_a_backlog_of_one_owner_lets_no_slot_of_another_pass(desk: Desk) -> None:
    """Two thousand jobs wait, more than a round can look at; they have waited for longer than the schedule."""
    jobs = SlowJobs(desk.table)
    desk.ports = replace(desk.ports, jobs=jobs)
    for _ in range(2_000):
        desk.submit(replace(SORT, owner="mallory"))
    schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", SORT)
    desk.clock.advance(300)
    dispatch(desk.ports, lambda: 55.0 - jobs.spent)
    assert 500 < jobs.spent / 0.05 < 1_000, "most of the round is the jobs'"
    assert any(row.slot_at is not None for row in desk.table.jobs.values())


class SilentJobs(fakes.MemoryJobs):
    """The table has no reads left for jobs."""

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        raise Unavailable("read rows: the table answers no more reads now")


def test_jobs_that_cannot_be_read_keep_no_schedule_waiting(desk: Desk) -> None:
    desk.submit()
    schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", SORT)
    desk.clock.advance(300)
    with pytest.raises(Unavailable):  # and the round is told as failed
        dispatch(replace(desk.ports, jobs=SilentJobs(desk.table)), lambda: 55.0)
    assert any(row.slot_at is not None for row in desk.table.jobs.values())
