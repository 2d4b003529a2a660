"""A round of the dispatcher with many containers to look after: what is due does not wait for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest

from chalicelib import tasks
from chalicelib.config import Settings
from chalicelib.core.change import Change
from chalicelib.core.container import Spec
from chalicelib.core.container_look import Look
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.lane import Lane
from chalicelib.core.records import Schedule
from chalicelib.errors import SortieError, Unavailable
from chalicelib.ports import Ports
from chalicelib.service import containers, schedules
from chalicelib.service.dispatch import dispatch
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import submit
from chalicelib.service.work import work
from tests.support import fakes
from tests.support.fake_containers import FakeContainers

ROUND_SECONDS = 55.0
BOX = NewJob(owner="alice", task="container", input=b'{"image":"busybox:1","command":["1","0"]}')
SORT = NewJob(owner="bob", task="sort", input=b'{"array":[2,1]}')
SETTINGS = Settings(container_images=("docker.io/library/*",), batch_updates=False)


@dataclass(slots=True)
class SlowLogs(FakeContainers):
    """Each look at a log takes `seconds`, and shows lines `late` seconds after the end; a list of all that runs takes
    `listing`. `sent_before`: how many messages were in the queue when it was first asked for anything."""

    queue: fakes.MemoryQueue | None = None
    seconds: float = 0.0
    late: float = 0.0
    listing: float = 0.0
    silent: bool = False
    sent_before: int | None = None

    def running(self) -> Sequence[Look]:
        self.note()
        self.clock.advance(self.listing)
        return FakeContainers.running(self)

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        self.note()
        return FakeContainers.look(self, refs)

    def note(self) -> None:
        if self.sent_before is None and self.queue is not None:
            self.sent_before = len(self.queue.held)

    def tail(self, ref: str, lines: int) -> Sequence[str]:
        self.clock.advance(self.seconds)
        arrived = self.clock.millis >= self.boxes[ref].ends_at + self.late * 1000
        return FakeContainers.tail(self, ref, lines) if arrived and not self.silent else []


class SlowJobs(fakes.MemoryJobs):
    """Each change that the dispatcher makes takes `seconds`."""

    clock: fakes.StoppedClock
    seconds = 0.0

    def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
        self.clock.advance(self.seconds * len(changes))
        return super().apply_many(changes)


class Desk:
    def __init__(self, count: int) -> None:
        """So many containers that run; nothing is told of them any more."""
        self.clock, self.table = fakes.StoppedClock(), fakes.Table()
        self.queue, self.jobs = fakes.MemoryQueue(self.clock), SlowJobs(self.table)
        self.engine, self.jobs.clock = SlowLogs(self.clock, queue=self.queue), self.clock
        self.ports = Ports(
            self.jobs, fakes.MemoryRecords(self.table), self.queue, fakes.MemoryPayloads(), self.clock,
            fakes.SeededRandom(), fakes.SilentAlarm(), fakes.OneThread(), tasks.load(), SETTINGS, self.engine,
        )  # fmt: skip
        for _ in range(count):
            submit(self.ports, BOX)
        while messages := self.queue.receive(Lane.LONG):
            work(self.ports, messages, lambda: 900.0)
            self.queue.delete(Lane.LONG, [message.receipt for message in messages])
            self.queue.held[:] = [held for held in self.queue.held if held.visible_at <= self.clock.millis]

    def lose(self, count: int) -> None:
        """So many jobs fall due whose messages are lost, and the slot of a schedule comes."""
        for _ in range(count):
            submit(self.ports, SORT)
        schedules.add(self.ports, "*/5 * * * *", "UTC", b"{}", replace(SORT, owner="carol"))
        self.clock.advance(181)
        self.queue.held.clear()

    def round(self) -> float:
        """Seconds that it took."""
        began = self.clock.monotonic()
        dispatch(self.ports, lambda: ROUND_SECONDS - (self.clock.monotonic() - began))
        took = self.clock.monotonic() - began
        assert took < ROUND_SECONDS
        return took

    def completed(self) -> int:
        return sum(job.task == "container" and job.status is Status.COMPLETED for job in self.table.jobs.values())


def test_no_due_job_and_no_schedule_waits_for_containers_however_many_and_slow() -> None:
    """A thousand have ended, nine hundred jobs and the slot of a schedule are due, each log takes a second, and to list
    what runs takes fifteen."""
    desk = Desk(1_000)
    desk.engine.seconds, desk.engine.listing, desk.engine.sent_before = 1.0, 15.0, None
    desk.lose(900)
    desk.round()
    assert desk.engine.sent_before == 901
    settled = desk.completed()
    assert settled > 20
    desk.clock.advance(5)
    desk.round()
    assert desk.completed() > 2 * settled - 5


def test_a_flood_of_due_jobs_leaves_containers_their_part_of_each_round() -> None:
    desk = Desk(3)
    desk.clock.advance(20)  # they are to be looked at before the jobs, and so in one of the pages that are read
    desk.lose(2_000)
    desk.jobs.seconds = 0.1
    desk.round()
    assert desk.completed() == 3
    assert len(desk.queue.held) > 180


def test_containers_that_print_nothing_are_waited_for_once_a_round() -> None:
    desk = Desk(50)
    desk.engine.silent = True
    desk.clock.advance(60)
    assert desk.round() == pytest.approx(containers.LATE_LINES_SECONDS, abs=0.01)
    assert desk.completed() == 50


def test_lines_that_come_late_are_not_lost() -> None:
    desk = Desk(50)
    desk.engine.late = containers.LATE_LINES_SECONDS
    desk.clock.advance(60)
    for box in desk.engine.boxes.values():
        box.ends_at = desk.clock.millis
    desk.round()
    for job in desk.table.jobs.values():
        assert isinstance(job.output, Inline)
        assert msgspec.json.decode(job.output.data)["tail"].startswith("a line of task-")


def test_an_input_that_is_too_large_to_be_read_fails_its_job_and_leaves_no_message() -> None:
    """An older version took it. It kept its message until that was a dead letter, and its attempts for a quarter of an
    hour each."""
    desk = Desk(0)
    job = submit(desk.ports, replace(BOX, input=BOX.input + b" " * containers.LARGEST_INPUT_BYTES, max_attempts=1)).job
    assert work(desk.ports, desk.queue.receive(Lane.LONG), lambda: 900.0) == []
    row = desk.table.jobs[job.id]
    assert row.status is Status.FAILED
    assert row.error is not None
    assert "cannot be started" in row.error.message


class NoSchedules(fakes.MemoryRecords):
    def get_schedules(self, schedule_ids: Sequence[str]) -> list[Schedule]:
        raise Unavailable("read rows: throttled")


def test_schedules_that_cannot_be_read_keep_no_container_waiting() -> None:
    desk = Desk(3)
    desk.lose(1)
    desk.ports = replace(desk.ports, records=NoSchedules(desk.table))
    desk.round()
    assert desk.completed() == 3


class DamagedRows(fakes.MemoryRecords):
    """One schedule cannot be read, alone or among others. `asked`: how many were read alone."""

    damaged = ""
    asked = 0

    def get_schedules(self, schedule_ids: Sequence[str]) -> list[Schedule]:
        self.asked += len(schedule_ids) == 1
        if self.damaged in schedule_ids:
            raise msgspec.ValidationError("Object missing required field `cron`")
        return super().get_schedules(schedule_ids)


def test_a_schedule_that_cannot_be_read_keeps_no_other_from_firing() -> None:
    desk = Desk(0)
    records = DamagedRows(desk.table)
    desk.ports = replace(desk.ports, records=records)
    for _ in range(50):
        schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", replace(SORT, owner="carol"))
    records.damaged = schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", SORT).schedule.id
    desk.clock.advance(181)
    desk.round()
    assert len(desk.table.jobs) == 50
    assert records.asked == 51


def test_a_container_whose_row_cannot_be_read_keeps_no_other_from_being_settled() -> None:
    desk = Desk(3)
    desk.clock.advance(60)
    desk.engine.boxes["task-9"] = replace(desk.engine.boxes["task-1"], ref="task-9", ends_at=desk.clock.millis + 60_000)

    class DamagedJobs(SlowJobs):
        def get_many(self, job_ids: Sequence[str]) -> list[Job]:
            if list(job_ids) == [desk.engine.boxes["task-1"].name.split("/")[1]]:
                raise msgspec.ValidationError("Object missing required field `owner`")
            return super().get_many(job_ids)

    damaged = DamagedJobs(desk.table)
    damaged.clock = desk.clock
    desk.ports = replace(desk.ports, jobs=damaged)
    desk.round()
    assert desk.completed() == 3


@dataclass(slots=True)
class Stumbles(SlowLogs):
    """Its first start gets no answer."""

    asked: int = 0

    def start(self, name: str, spec: Spec) -> str:
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("start the container: ServerException")
        return FakeContainers.start(self, name, spec)


def test_a_container_that_waited_for_long_is_started_again_as_soon_as_any() -> None:
    """Its next look was as far off as it had waited: after an hour no start was asked for again in time."""
    desk = Desk(0)
    desk.ports = replace(desk.ports, containers=(engine := Stumbles(desk.clock)))
    job = submit(desk.ports, replace(BOX, max_attempts=1)).job
    for _ in range(60):
        desk.clock.advance(60)
        desk.round()
    for _ in range(4):
        messages = desk.queue.receive(Lane.LONG)
        work(desk.ports, messages, lambda: 900.0)
        desk.queue.delete(Lane.LONG, [message.receipt for message in messages])
        desk.clock.advance(60)
        desk.round()
    assert (engine.asked, desk.table.jobs[job.id].status) == (2, Status.COMPLETED)
