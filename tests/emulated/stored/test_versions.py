"""An upgrade in place: the version before and today's work on one table and its queues, side by side."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import tasks
from chalicelib.aws import items
from chalicelib.config import Settings
from chalicelib.core.change import extend_lease
from chalicelib.core.ids import is_id, slot_id
from chalicelib.core.job import ENDED, Job, Status
from chalicelib.core.lane import Lane
from chalicelib.ports import Ports
from chalicelib.service import schedules
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.quick import work_quick
from chalicelib.service.submit import submit
from chalicelib.service.work import work
from tests.support import emulators, fakes

pytestmark = pytest.mark.slow
BATCHES = 5
MINUTE = 60_000
BEFORE = Path(__file__).with_name("before.py")
ROUNDS, ROUND_SECONDS = 8, 100
LARGE = '{"array":[' + ",".join(str(number) for number in range(3_000, 0, -1)) + "]}"
JOBS = (
    ("sort", '{"array":[2,1]}'),
    ("sort", LARGE),
    ("sleep", '{"seconds":0}'),
    ("fail", '{"message":"no","times":1}'),
)
ATTEMPTS = [1, 1, 1, 2]


class House:
    """Both versions over one stage, with one time."""

    def __init__(self, stage: emulators.Stage) -> None:
        self.stage, self.clock, self.mailbox = stage, fakes.StoppedClock(), emulators.Mailbox(stage)
        self.ports = Ports(
            stage.jobs(), stage.records(), stage.messages(), stage.payloads(), self.clock, fakes.SeededRandom(),
            fakes.SilentAlarm(), fakes.OneThread(), tasks.load(), Settings(),
        )  # fmt: skip

    def before(self, *steps: str) -> list[str]:
        """What the version before prints."""
        command = [sys.executable, str(BEFORE), self.stage.name, str(self.stage.endpoint), str(self.clock.now())]
        environ = {**os.environ, "PYTHONPATH": "", "BUCKET_NAME": self.stage.bucket_name}
        done = subprocess.run([*command, *steps], env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def submit(self, task: str, task_input: str, timeout: float | None = None) -> str:
        new = NewJob(owner="alice", task=task, input=task_input.encode(), timeout=timeout)
        return submit(self.ports, new).job.id

    def work(self) -> None:
        for lane, function in ((Lane.QUICK, work_quick), (Lane.LONG, work)):
            for _ in range(BATCHES):
                messages = self.mailbox.receive(lane)
                assert function(self.ports, messages, lambda: 900.0) == []
                self.mailbox.delete(lane, [message.receipt for message in messages])

    def dispatch(self) -> None:
        dispatch(self.ports, lambda: 60.0)

    def job(self, job_id: str) -> Job:
        row = self.ports.jobs.get(job_id)
        assert row is not None
        return row

    def ends(self, job_ids: list[str]) -> bool:
        return all(self.job(job_id).status in ENDED for job_id in job_ids)


@pytest.fixture(scope="module")
def stage() -> Iterator[emulators.Stage]:
    with emulators.ministack("versions") as stage:
        yield stage


@pytest.fixture
def house(stage: emulators.Stage) -> House:
    """Empty: no row and no message of the test before."""
    house = House(stage)
    for item in stage.items():
        stage.table.delete_item(TableName=stage.table_name, Key={"pk": item["pk"]})
    for lane in Lane:
        while messages := house.mailbox.receive(lane):
            house.mailbox.delete(lane, [message.receipt for message in messages])
    return house


def check(house: House, job_ids: list[str]) -> None:
    rows = [house.job(job_id) for job_id in job_ids]
    assert [(row.status, row.error) for row in rows] == [(Status.COMPLETED, None)] * len(rows)
    assert [row.attempts for row in rows] == ATTEMPTS


def test_jobs_of_today_end_under_the_version_before(house: House) -> None:
    """It does not know the quick lane: its dispatcher sends those jobs anew."""
    job_ids = [house.submit(*job) for job in JOBS]
    for _ in range(ROUNDS):
        house.before("work", "dispatch", "work")
        if house.ends(job_ids):
            break
        house.clock.advance(ROUND_SECONDS)
    check(house, job_ids)


def test_jobs_of_the_version_before_end_today(house: House) -> None:
    job_ids = house.before(*(f"submit:{task}:{task_input}" for task, task_input in JOBS))
    for _ in range(ROUNDS):
        house.work()
        house.dispatch()
        if house.ends(job_ids):
            break
        house.clock.advance(ROUND_SECONDS)
    check(house, job_ids)


def test_a_dead_worker_of_either_version_is_found_by_the_other(house: House) -> None:
    ours, theirs = house.submit("sleep", '{"seconds":0}'), house.before('submit:sleep:{"seconds":0}')[0]
    house.ports.jobs.claim(ours, house.clock.now(), "a worker that dies")
    house.before(f"claim:{theirs}")
    for step in range(ROUNDS):
        house.clock.advance(ROUND_SECONDS)
        if step % 2:
            house.before("dispatch", "work")
        else:
            house.dispatch()
            house.work()
        if house.ends([ours, theirs]):
            break
    assert [(house.job(name).status, house.job(name).attempts) for name in (ours, theirs)] == [("completed", 2)] * 2


@pytest.mark.parametrize("first", ["before", "today"])
def test_a_message_in_each_lane_is_one_run_whoever_comes_first(house: House, first: str) -> None:
    job_id = house.submit("sort", '{"array":[2,1]}')
    house.clock.advance(61)
    house.before("dispatch")
    if first == "before":
        house.before("work")
        house.work()
    else:
        house.work()
        house.before("work")
    row = house.job(job_id)
    assert (row.status, row.attempts, len(row.past_attempts)) == (Status.COMPLETED, 1, 0)


def test_heartbeats_keep_the_dispatcher_of_the_version_before_away(house: House) -> None:
    job_id = house.submit("sleep", '{"seconds":0}', timeout=400.0)
    row = house.ports.jobs.claim(job_id, house.clock.now(), "a worker that lives")
    for _ in range(4):
        house.clock.advance(40)
        house.ports.jobs.beat(extend_lease(row, house.clock.now()))
        house.before("dispatch", "work")
        assert (house.job(job_id).status, house.job(job_id).attempts) == (Status.RUNNING, 1)
    house.clock.advance(100)
    house.before("dispatch", "work")
    assert house.job(job_id).attempts == 1
    assert house.job(job_id).status is not Status.RUNNING


def slots_of(house: House, schedule_id: str) -> list[int]:
    """The slots whose jobs have completed, in minutes from the start; each job is the one of its slot."""
    jobs = [items.from_item(item) for item in house.stage.items() if is_id(item["pk"]["S"])]
    first = fakes.START // MINUTE * MINUTE
    minutes = {slot_id(schedule_id, first + minute * MINUTE): minute for minute in range(60)}
    done = [job for job in jobs if job.status is Status.COMPLETED]
    assert [job.attempts for job in done] == [1] * len(done)
    return sorted(minutes[job.id] for job in done)


@pytest.mark.parametrize("first", ["before", "today"])
def test_two_versions_by_turns_make_one_job_a_slot(house: House, first: str) -> None:
    """Whoever made the schedule, and whatever is ahead when the other one comes."""
    if first == "before":
        schedule_id = house.before("schedule:*/2 * * * *")[0]
    else:
        new = NewJob(owner="alice", task="sort", input=b'{"array":[2,1]}')
        schedule_id = schedules.add(house.ports, "*/2 * * * *", "UTC", b"{}", new).schedule.id
    for minute in range(9):
        house.clock.advance(60)
        if minute % 3 == 1:
            house.before("dispatch", "work")
        else:
            house.dispatch()
            house.work()
    assert slots_of(house, schedule_id) == [2, 4, 6, 8]
    house.before(f"remove:{schedule_id}")
    house.clock.advance(600)
    house.dispatch()
    assert house.ports.records.schedule(schedule_id) is None
