"""Use cases on memory ports: retention, runs, pages, steering, schedules that outlive their task."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from chalicelib import tasks
from chalicelib.config import Settings
from chalicelib.core.filters import Filter
from chalicelib.core.job import Inline, Job, Status
from chalicelib.core.lane import Lane
from chalicelib.core.records import Schedule
from chalicelib.core.window import OnRepeat
from chalicelib.errors import Invalid, NotFound, Unavailable, WindowHeld, WrongStatus
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import cancel, dispatch_jobs, groups, read, retry, schedules
from chalicelib.service.bulk import submit_many
from chalicelib.service.dispatch import dispatch
from chalicelib.service.groups import Group, JobFieldError
from chalicelib.service.new_job import NewJob, WindowWish
from chalicelib.service.quick import work_quick
from chalicelib.service.stats import stats
from chalicelib.service.submit import Submitted, submit
from chalicelib.service.work import work
from tests.support import fakes

SORT = NewJob(owner="alice", task="sort", input=b'{"array":[2,1]}')
SLEEP = NewJob(owner="alice", task="sleep", input=b'{"seconds":0}')
WEEK = 7 * 86_400


class Desk:
    """Memory ports, a clock to turn, and the steps that tests repeat."""

    def __init__(self) -> None:
        self.clock, self.table = fakes.StoppedClock(), fakes.Table()
        self.queue, self.payloads = fakes.MemoryQueue(self.clock), fakes.MemoryPayloads()
        self.ports = Ports(
            fakes.MemoryJobs(self.table), fakes.MemoryRecords(self.table), self.queue, self.payloads, self.clock,
            fakes.SeededRandom(), fakes.SilentAlarm(), fakes.OneThread(), tasks.load(), Settings(),
        )  # fmt: skip

    def submit(self, new: NewJob = SORT, key: str | None = None) -> Submitted:
        return submit(self.ports, new, key=key)

    def work(self) -> None:
        for lane, function in ((Lane.QUICK, work_quick), (Lane.LONG, work)):
            messages = self.queue.receive(lane)
            assert function(self.ports, messages, lambda: 900.0) == []
            self.queue.delete(lane, [message.receipt for message in messages])

    def page(self, chosen: Filter, limit: int = 20) -> list[Job]:
        return read.list_jobs(self.ports, chosen, None, limit)[0]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_row_past_its_retention_is_gone_for_every_reader(desk: Desk) -> None:
    """Whether or not DynamoDB has removed it yet."""
    job_id = desk.submit().job.id
    desk.work()
    desk.clock.advance(WEEK - 1)
    assert read.get_job(desk.ports, "alice", job_id).status is Status.COMPLETED
    desk.clock.advance(1)
    for look in (read.get_job, cancel.cancel, retry.retry):
        with pytest.raises(NotFound):
            look(desk.ports, "alice", job_id)
    assert desk.page(Filter("alice")) == []
    assert list(read.get_board(desk.ports, "alice").history) == []


def test_a_run_stays_whole_when_some_of_its_jobs_are_past_retention(desk: Desk) -> None:
    jobs = [replace(SORT, label="now"), replace(SORT, label="later", run_at=desk.clock.now() + 20 * 86_400_000)]
    run = groups.trigger(desk.ports, Group("nightly", ["now", "later"], jobs, []), "alice", None)
    assert run.progress == 0
    desk.work()
    assert groups.get_run(desk.ports, "alice", "nightly", run.record.run_id).progress == 0.5
    desk.clock.advance(WEEK + 1)
    seen = groups.get_run(desk.ports, "alice", "nightly", run.record.run_id)
    assert [job.label for job in seen.jobs] == ["later"]
    assert seen.progress == 0.5


def test_a_run_whose_rows_are_not_seen_yet_has_not_begun(desk: Desk) -> None:
    with desk.table.lagging():
        run = groups.trigger(desk.ports, Group("nightly", ["a"], [SORT], []), "alice", None)
        assert groups.get_run(desk.ports, "alice", "nightly", run.record.run_id).progress == 0


def test_a_run_is_found_by_its_owner_under_its_group_alone(desk: Desk) -> None:
    run_id = groups.trigger(desk.ports, Group("nightly", ["a"], [SORT], []), "alice", None).record.run_id
    for owner, group, name in (("bob", "nightly", run_id), ("alice", "daily", run_id), ("alice", "nightly", "x")):
        with pytest.raises(NotFound):
            groups.get_run(desk.ports, owner, group, name)


def test_a_group_with_a_problem_starts_nothing(desk: Desk) -> None:
    group = Group("bad", ["a"], [SORT], [JobFieldError("b", "task", "there is no such task")])
    with pytest.raises(Invalid) as invalid:
        groups.trigger(desk.ports, group, "alice", None)
    assert [(fault.loc, fault.msg) for fault in invalid.value.errors] == [("b.task", "there is no such task")]
    assert desk.table.jobs == {}


def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    job_ids = [desk.submit().job.id for _ in range(25)]
    listed, before = list[str](), None
    while True:
        page, before = read.list_jobs(desk.ports, Filter("alice", frozenset({Status.PENDING})), before, 10)
        listed += [job.id for job in page]
        if before is None:
            break
    assert listed == sorted(job_ids, reverse=True)


def test_a_job_that_has_fallen_due_is_pending_in_every_list(desk: Desk) -> None:
    """Its row says `scheduled` until a worker takes it, or the dispatcher has looked."""
    due = desk.submit(replace(SORT, run_at=fakes.START + 5_000)).job.id
    later = [desk.submit(replace(SORT, run_at=fakes.START + 3_000_000)).job.id for _ in range(3)]
    now = desk.submit().job.id
    pending, scheduled = (Filter("alice", frozenset({status})) for status in (Status.PENDING, Status.SCHEDULED))
    desk.clock.advance(5)
    assert [job.id for job in desk.page(pending)] == sorted([now, due], reverse=True)
    assert [job.id for job in desk.page(scheduled)] == sorted(later, reverse=True)
    assert [job.id for job in desk.page(pending, 1)] == [max(now, due)]
    desk.clock.advance(30)
    dispatch(desk.ports, lambda: 60.0)
    assert desk.table.jobs[due].status is Status.PENDING
    assert stats(desk.ports, "alice").whole.outcomes == {}
    assert [job.id for job in desk.page(pending, 2)] == sorted([now, due], reverse=True)


def test_a_due_job_behind_many_that_wait_is_pending_once_the_dispatcher_has_looked(desk: Desk) -> None:
    """A page reads no further for it; what is listed as pending already does not wait behind it."""
    due = desk.submit(replace(SORT, run_at=fakes.START + 5_000)).job.id
    now = desk.submit().job.id
    desk.clock.advance(5)
    for _ in range(10):
        desk.submit(replace(SORT, run_at=fakes.START + 3_000_000))
    pending = Filter("alice", frozenset({Status.PENDING}))
    assert [job.id for job in desk.page(pending, 5)] == [now]
    desk.clock.advance(30)
    dispatch(desk.ports, lambda: 60.0)
    assert {job.id for job in desk.page(pending, 5)} == {now, due}


def test_pages_of_pending_jobs_leave_out_none_that_are_due(desk: Desk) -> None:
    soon = replace(SORT, run_at=fakes.START + 5_000)
    job_ids = [desk.submit(soon if number % 3 else SORT).job.id for number in range(20)]
    desk.clock.advance(5)
    listed, before = list[str](), None
    while True:
        page, before = read.list_jobs(desk.ports, Filter("alice", frozenset({Status.PENDING})), before, 3)
        listed += [job.id for job in page]
        if before is None:
            break
    assert listed == sorted(job_ids, reverse=True)


def test_a_rare_filter_looks_at_a_bounded_number_of_jobs_and_goes_on(desk: Desk) -> None:
    rare = desk.submit(replace(SORT, object_id="x", group="rare")).job.id
    for _ in range(15):
        desk.submit(replace(SORT, object_id="x"))
    page, before = read.list_jobs(desk.ports, Filter("alice", object_id="x", group="rare"), None, 10)
    assert (page, before is None) == ([], False)
    page, before = read.list_jobs(desk.ports, Filter("alice", object_id="x", group="rare"), before, 10)
    assert ([job.id for job in page], before) == ([rare], None)


def test_a_batch_that_gets_no_answer_leaves_what_stands_and_tries_no_more(desk: Desk) -> None:
    class Deaf(fakes.MemoryJobs):
        calls = 0

        def insert_many(self, jobs: Sequence[Job]) -> None:
            self.calls += 1
            if self.calls == 2:
                raise Unavailable("put the jobs: ReadTimeoutError")
            super().insert_many(jobs)

    ports = replace(desk.ports, jobs=Deaf(desk.table))
    answers = submit_many(ports, SORT.owner, [SORT] * 60, key=None, bodies=[b""] * 60)
    assert [isinstance(answer, Submitted) for answer in answers] == [True] * 25 + [False] * 35
    desk.clock.advance(1)
    assert {answer.job.id for answer in answers if isinstance(answer, Submitted)} == set(desk.table.jobs)
    assert desk.queue.depth(Lane.QUICK).waiting == 25


def test_a_stranger_gets_nothing(desk: Desk) -> None:
    job_id = desk.submit().job.id
    for look in (read.get_job, cancel.cancel, retry.retry):
        with pytest.raises(NotFound):
            look(desk.ports, "bob", job_id)
        with pytest.raises(NotFound):
            look(desk.ports, "alice", "no id at all")
    assert desk.page(Filter("bob")) == []
    assert read.get_job(desk.ports, None, job_id).id == job_id


def test_a_cancel_whose_answer_was_lost_is_not_refused_when_it_is_sent_again(desk: Desk) -> None:
    """botocore sends the write a second time and gets the row that the first one made."""

    class Echo(fakes.MemoryJobs):
        def apply(self, change: object) -> Job:
            super().apply(change)  # type: ignore[arg-type]
            return super().apply(change)  # type: ignore[arg-type]

    job_id = desk.submit().job.id
    ports = replace(desk.ports, jobs=Echo(desk.table))
    assert cancel.cancel(ports, "alice", job_id).status is Status.CANCELED
    with pytest.raises(WrongStatus):
        cancel.cancel(desk.ports, "alice", job_id)


def test_a_job_that_is_canceled_while_it_waits_for_its_next_attempt_has_waited_once(desk: Desk) -> None:
    new = NewJob(owner="alice", task="fail", input=b'{"message":"no"}')
    job_id = desk.submit(new).job.id
    desk.work()
    cancel.cancel(desk.ports, "alice", job_id)
    (tally,) = desk.table.tallies.values()
    assert (tally.outcomes, tally.wait.total()) == ({"retried": 1, "canceled": 1}, 1)


@pytest.mark.parametrize("text", ['plain "quoted" \\ text', "äöü", "中文", "🎈🎈", ""])
def test_the_size_in_an_answer_is_never_less_than_what_lambda_counts(text: str) -> None:
    assert read.size_in_answer(text.encode()) >= len(json.dumps(text)) - 2


@pytest.mark.parametrize(
    ("new", "moves"),
    [
        (SORT, [("submit", "pending"), ("complete_unclaimed", "completed")]),
        (SLEEP, [("submit", "pending"), ("claim", "running"), ("complete", "completed")]),
    ],
)
def test_each_move_is_one_line_which_says_for_how_long_the_task_ran(
    desk: Desk, new: NewJob, moves: list[tuple[str, str]]
) -> None:
    lines: list[dict[str, object]] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(record.getMessage()))

    reader, logger = Reader(), logging.getLogger("sortie")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(reader)
    try:
        job_id = desk.submit(new).job.id
        desk.work()
    finally:
        logger.removeHandler(reader)
        logger.setLevel(level)
    assert [(line["event"], line["to"]) for line in lines] == moves
    assert {line["job"] for line in lines} == {job_id}
    assert [isinstance(line["seconds"], float) for line in lines] == [False] * (len(moves) - 1) + [True]


def test_a_retry_gives_as_many_attempts_as_before_and_numbers_go_on(desk: Desk) -> None:
    new = NewJob(owner="alice", task="fail", input=b'{"message":"no"}', max_attempts=1)
    job_id = desk.submit(new).job.id
    desk.work()
    again = retry.retry(desk.ports, "alice", job_id)
    assert (again.status, again.attempts, again.attempt_limit, again.error) == (Status.PENDING, 1, 2, None)
    desk.work()
    assert desk.table.jobs[job_id].attempts == 2
    with pytest.raises(WrongStatus):
        retry.retry(desk.ports, "alice", desk.submit().job.id)


def test_a_repeat_of_a_key_in_a_window_finds_its_own_job(desk: Desk) -> None:
    """Even when the first request was so slow that the second had read the key, but not yet its job."""
    new = replace(SORT, object_id="x", window=WindowWish(60, OnRepeat.REJECT))
    first = desk.submit(new, key="key").job

    class Late(fakes.MemoryJobs):
        looks = 0

        def get(self, job_id: str) -> Job | None:
            self.looks += 1
            return None if self.looks == 1 else super().get(job_id)

    second = submit(replace(desk.ports, jobs=Late(desk.table)), new, key="key")
    assert (second.job.id, len(desk.table.jobs)) == (first.id, 1)
    with pytest.raises(WindowHeld) as held:
        desk.submit(new)
    assert held.value.retry_after == 60


def test_a_schedule_whose_task_is_gone_is_skipped_and_keeps_nobody_waiting(desk: Desk) -> None:
    schedules.add(desk.ports, "* * * * *", "UTC", b"{}", SORT)
    other = schedules.add(desk.ports, "* * * * *", "UTC", b"{}", replace(SORT, owner="bob")).schedule
    broken = replace(desk.table.schedules[other.id], new_job=b"not what it was")
    desk.table.schedules[other.id] = broken
    left = {name: task for name, task in desk.ports.tasks.items() if name != "sort"}
    desk.clock.advance(61)
    job_id = desk.submit().job.id
    desk.table.jobs[job_id] = msgspec.structs.replace(desk.table.jobs[job_id], wake_at=desk.clock.now())
    desk.queue.held.clear()
    assert dispatch(replace(desk.ports, tasks=left), lambda: 60.0) == 3
    assert [held.body for held in desk.queue.held] == [job_id]


def test_a_large_input_that_may_wait_long_is_put_where_it_is_kept_long(desk: Desk) -> None:
    large = replace(SORT, input=b'{"array":[' + b"1," * 4_000 + b"1]}")
    desk.submit(large)
    desk.submit(replace(large, run_at=desk.clock.now() + 30 * 86_400_000))
    for mode in OnRepeat:  # `reuse` and `delay` come after a window before, which may be a year away
        desk.submit(replace(large, object_id=mode, window=WindowWish(86_400, mode)))
    folders = sorted(key.partition("/")[0] for key in desk.payloads.objects)
    assert folders == ["inputs", "inputs", "kept", "kept", "kept"]


def test_a_schedule_whose_first_slot_is_contested_stands_and_is_answered(desk: Desk) -> None:
    """Else it is sent again, and there are two."""

    class Contested(fakes.MemoryJobs):
        def insert_in_window(self, job: Job, *args: object) -> None:
            raise ChangeRefused(None)

    class Slow(fakes.MemoryRecords):
        def add_schedule(self, schedule: Schedule) -> Schedule:
            desk.clock.advance(60)
            return super().add_schedule(schedule)

    ports = replace(desk.ports, jobs=Contested(desk.table), records=Slow(desk.table))
    wish = WindowWish(60, OnRepeat.DELAY)
    assert schedules.add(ports, "* * * * *", "UTC", b"{}", replace(SORT, object_id="x", window=wish)).created
    assert len(desk.table.schedules) == 1


def test_a_job_that_is_watched_while_it_ends_is_answered_as_ended(desk: Desk) -> None:
    job_id = desk.submit().job.id
    assert read.wait_for_end(desk.ports, read.Waits(), "alice", job_id, 2.0).status is Status.PENDING
    desk.work()
    job = read.wait_for_end(desk.ports, read.Waits(), "alice", job_id, 2.0)
    assert (job.status, job.output) == (Status.COMPLETED, Inline(b'{"array":[1,2]}'))


def test_an_upload_over_the_limit_is_refused_where_it_is_named() -> None:
    desk = Desk()
    desk.ports = replace(desk.ports, settings=Settings(upload_limit=3))
    upload_id = desk.ports.random.new_id(desk.clock.now())
    desk.payloads.put(f"uploads/alice/{upload_id}", b"[2,1]")
    with pytest.raises(Invalid, match="input.upload: an upload holds at most 3 bytes"):
        desk.submit(NewJob(owner="alice", task="sort", upload=upload_id))
    assert desk.table.jobs == {}


def test_jobs_come_before_schedules_and_an_owner_with_many_leaves_the_others_their_turn(desk: Desk) -> None:
    """A round that has time for its job and three schedules: eight hundred of one owner take one of the three."""
    first = schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", replace(SORT, owner="bob")).schedule
    many = [replace(first, id=f"s-{number:026d}") for number in range(800)]
    desk.table.schedules.update({each.id: each for each in many})
    for owner in ("alice", "carol"):
        schedules.add(desk.ports, "*/5 * * * *", "UTC", b"{}", replace(SORT, owner=owner))
    job = desk.submit(replace(SORT, owner="dave", run_at=desk.clock.now() + 50_000)).job
    desk.queue.held.clear()
    desk.clock.advance(181)
    looks = len(list(dispatch_jobs.waves(desk.ports))) + 1  # and one for the job's part
    fired = iter([60.0] * (looks + 3))
    dispatch(desk.ports, lambda: next(fired, 0.0))
    assert [message.body for message in desk.queue.receive(Lane.LONG, 1)] == [job.id]
    owners = sorted(row.owner for row in desk.table.jobs.values() if row.id != job.id)
    assert owners == ["alice", "bob", "carol"]


def test_a_chain_of_delays_ends_a_year_ahead(desk: Desk) -> None:
    """As `run_at` does: what waits longer would lose its input, and each link puts the next one further off."""
    day = replace(SORT, object_id="o", window=WindowWish(86_400, OnRepeat.DELAY))
    for _ in range(367):
        newest = desk.submit(day).job
    assert newest.run_at - desk.clock.now() == 366 * 86_400_000
    with pytest.raises(WindowHeld, match="a year ahead") as refusal:
        desk.submit(day)
    assert refusal.value.retry_after == 86_400
    desk.clock.advance(86_400)
    assert desk.submit(day).job.run_at > newest.run_at
    with pytest.raises(WindowHeld):
        desk.submit(day)
