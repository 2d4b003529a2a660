"""The dispatcher's look at jobs: what is due, whose message was lost, whose worker died. In waves, side by side:

a page of each of some shards ─▶ their rows ─▶ plans ─▶ parts, each: the writes, then the messages of what was written

Who stops in the middle leaves at most a part a thread whose wake time has moved and whose message was not sent: made
good at the next wake time. Everything else is still due.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, zip_longest

from chalicelib.core.change import Change, apply_change
from chalicelib.core.dispatch_plan import Plan, plan
from chalicelib.core.job import WAITING, Job
from chalicelib.core.lane import Lane, lane_of
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Hint, Ports
from chalicelib.service import containers, log, notify
from chalicelib.service.metrics import Tallies

STOP_BEFORE_SECONDS = 5.0
FOR_SCHEDULES_SECONDS = 10.0
"""What jobs leave of a round where schedules are due: only the newest slot of each is caught up, so that a backlog of
jobs must not let slots pass."""
FOR_CONTAINERS_SECONDS, CONTAINERS_STOP_BEFORE_SECONDS = 20.0, 10.0
"""What jobs and schedules leave of a round where containers are to be looked after: nothing waits for those, yet a
flood of jobs must not let them run past their time. A log that does not answer takes nine seconds."""
PAGE_ROWS = 100
"""What one call reads of the table."""
WAKE_PAGE_ROWS, SHARDS_AT_ONCE, WAVE_ROWS = 1_000, 8, 800
PART_OF_SINGLES, PART_OF_BATCHES = 10, 50
"""Jobs of one part: ten messages go in one call, twenty-five changes where the table takes a batch."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of the dispatcher works with. `has_backlog` is asked only when it matters; `schedules`: ids of
    those that are due; `remote` gathers the jobs whose containers are looked after in the end."""

    ports: Ports
    tallies: Tallies
    seconds_left: Callable[[], float]
    has_backlog: Callable[[], bool]
    schedules: list[str] = field(default_factory=list)
    remote: list[Job] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """For schedules."""
        return self._left < 0.0

    @property
    def is_over_for_jobs(self) -> bool:
        return self._left < (FOR_SCHEDULES_SECONDS if self.schedules else 0.0)

    @property
    def _left(self) -> float:
        """Seconds for jobs and schedules."""
        return self.seconds_left() - STOP_BEFORE_SECONDS - (FOR_CONTAINERS_SECONDS if self.remote else 0.0)


@dataclass(frozen=True, slots=True)
class _Planned:
    job: Job
    plan: Plan

    @property
    def after(self) -> Job:
        """The row once the change was made: its guards held, so nothing that is told of it has moved meanwhile."""
        return apply_change(self.plan.change, self.job)


def waves(ports: Ports) -> Iterator[Sequence[str]]:
    """Ids whose wake time has come. A shard that has more is asked again before another's turn comes."""
    left = list(ports.jobs.due(ports.clock.now(), WAKE_PAGE_ROWS))
    while left:
        shards, left = left[:SHARDS_AT_ONCE], left[SHARDS_AT_ONCE:]
        pages = ports.concurrency.together([partial(next, shard, None) for shard in shards])
        left = [shard for shard, page in zip(shards, pages, strict=True) if page is not None] + left
        in_turn = chain.from_iterable(zip_longest(*filter(None, pages)))  # what woke first, whichever shard it is in
        names = list(dict.fromkeys(filter(None, in_turn)))  # an index may have one twice
        for start in range(0, len(names), WAVE_ROWS):
            yield names[start : start + WAVE_ROWS]


def dispatch_jobs(job_ids: Sequence[str], of: Round) -> None:
    ports = of.ports
    pages = [job_ids[start : start + PAGE_ROWS] for start in range(0, len(job_ids), PAGE_ROWS)]
    rows = [row for page in ports.concurrency.together([partial(_read, ports, page) for page in pages])
            for row in page]  # fmt: skip
    of.remote.extend(containers.unsettled(rows, ports.clock.now()))
    planned = [_Planned(job, its_plan) for job in rows if (its_plan := _plan(job, of))]
    size = PART_OF_BATCHES if ports.settings.batch_updates else PART_OF_SINGLES
    parts = [planned[start : start + size] for start in range(0, len(planned), size)]
    done = ports.concurrency.together([partial(_write_and_send, part, of) for part in parts])
    for part, refusals in zip(parts, done, strict=True):
        for each, refused in zip(part, refusals, strict=False):
            _note(each, refused, of.tallies)


def _read(ports: Ports, names: Sequence[str]) -> list[Job]:
    """Raises Unavailable."""
    try:
        return ports.jobs.get_many(names)
    except Unavailable:
        raise
    except Exception:  # one bad row must not keep all the others waiting
        return [row for name in names if (row := _read_alone(ports, name))]


def _read_alone(ports: Ports, name: str) -> Job | None:
    try:
        return ports.jobs.get(name)
    except Unavailable:
        raise
    except Exception as error:
        log.warning("row_not_read", job=name, reason=f"{type(error).__name__}: {error}")
        return None


def settle_containers(of: Round) -> None:
    """What runs in containers: one look for all of them."""
    try:
        if of.remote:
            go_on = lambda: of.seconds_left() > CONTAINERS_STOP_BEFORE_SECONDS  # noqa: E731
            containers.settle_many(of.ports, of.remote, of.tallies, in_round=True, go_on=go_on)
    except Unavailable as error:
        log.warning("containers_not_looked_at", reason=str(error))


def _plan(job: Job, of: Round) -> Plan | None:
    now, jitter, retention = of.ports.clock.now(), of.ports.random.uniform(), of.ports.settings.retention
    waits = lane_of(job) is Lane.QUICK and job.status in WAITING and job.not_before <= now
    try:
        return plan(job, now, jitter=jitter, retention=retention, backlog=waits and of.has_backlog())
    except Exception as error:  # one bad row must not keep all the others waiting
        log.warning("dispatch_failed", job=job.id, reason=f"{type(error).__name__}: {error}")
        return None


def _write_and_send(part: Sequence[_Planned], of: Round) -> Sequence[Exception | None]:
    """What was in the way of each. Nothing is done when time is up: the next round finds these jobs as they are."""
    if of.is_over_for_jobs:
        return []
    refusals = _apply(of.ports, [each.plan.change for each in part])
    hints = [
        Hint(each.job.id, lane_of(each.after), each.job.owner, each.plan.delay)
        for each, refused in zip(part, refusals, strict=True)
        if refused is None and each.plan.delay is not None
    ]
    notify.send_hints(of.ports, hints)
    return refusals


def _apply(ports: Ports, changes: Sequence[Change]) -> Sequence[Exception | None]:
    size = len(changes) if ports.settings.batch_updates else 1
    refusals: list[Exception | None] = []
    for start in range(0, len(changes), max(size, 1)):
        few = changes[start : start + size]
        try:
            refusals += ports.jobs.apply_many(few)
        except Exception as error:  # one bad row must not keep all the others waiting
            refusals += [error] * len(few)
    return refusals


def _note(planned: _Planned, refused: Exception | None, tallies: Tallies) -> None:
    job, change = planned.job, planned.plan.change
    if isinstance(refused, ChangeRefused):
        return  # somebody was faster
    if refused is not None:
        log.warning("dispatch_failed", job=job.id, reason=f"{type(refused).__name__}: {refused}")
    elif change.event is not None:
        log.transition(change.event, planned.after, job.status)
        tallies.ended(planned.after, job, None)
