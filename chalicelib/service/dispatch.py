"""One round of the dispatcher: start what is due, recover what was lost, then fire the schedules that have come up.
Schedules take turns by owner, so that whoever has many gets what time the others leave.

It reads only rows whose wake time has come. It moves the wake time first (conditionally) and sends afterwards, so two
dispatchers at once do no harm, and one that dies in between is made good at the next wake time.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import zip_longest

from chalicelib.core.dispatch_plan import Plan, plan
from chalicelib.core.ids import is_id
from chalicelib.core.job import Job
from chalicelib.errors import Unavailable
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service import containers, log, schedules
from chalicelib.service.metrics import Tallies

STOP_BEFORE_SECONDS = 5.0
PAGE_ROWS = 100


def dispatch(ports: Ports, seconds_left: Callable[[], float]) -> int:
    """How many rows were looked at. Stops by itself while the function still has a few seconds."""
    waiting: list[str] = []
    looked_at, tallies = 0, Tallies(ports)
    _sweep(ports)
    for names in ports.jobs.due(ports.clock.now(), PAGE_ROWS):
        looked_at += len(names)
        _dispatch_jobs([name for name in names if is_id(name)], ports, tallies)
        waiting += [name for name in names if not is_id(name)]
        if seconds_left() < STOP_BEFORE_SECONDS:
            log.warning("dispatch_out_of_time", looked_at=looked_at, schedules=len(waiting))
            break
    tallies.write()
    _fire_in_turns(ports, waiting, seconds_left)
    return looked_at


def _dispatch_jobs(job_ids: Sequence[str], ports: Ports, tallies: Tallies) -> None:
    messages: list[tuple[str, int]] = []
    rows = ports.jobs.get_many(job_ids)
    _look_after(ports, rows, tallies)
    for job in rows:
        try:
            delay = _apply_plan(ports, job, tallies)
        except Exception as error:  # one bad row must not keep all the others waiting
            log.warning("dispatch_failed", job=job.id, reason=f"{type(error).__name__}: {error}")
            continue
        if delay is not None:
            messages.append((job.id, delay))
    _send(ports, messages)


def _look_after(ports: Ports, rows: Sequence[Job], tallies: Tallies) -> None:
    """What runs in containers: one look for a page of rows."""
    try:
        if remote := containers.unsettled(rows, ports.clock.now()):
            containers.settle_many(ports, remote, tallies, in_round=True)
    except Unavailable as error:
        log.warning("containers_not_looked_at", reason=str(error))


def _sweep(ports: Ports) -> None:
    try:
        if not containers.allowed(ports.settings).off:
            containers.sweep(ports)
    except Unavailable as error:
        log.warning("containers_not_swept", reason=str(error))


def _apply_plan(ports: Ports, job: Job, tallies: Tallies) -> int | None:
    """The delay of the message to send, if any."""
    now, jitter = ports.clock.now(), ports.random.uniform()
    planned: Plan | None = plan(job, now, jitter=jitter, retention=ports.settings.retention)
    if planned is None:
        return None
    try:
        row = ports.jobs.apply(planned.change)
    except ChangeRefused:
        return None  # somebody was faster
    if planned.change.event is not None:
        log.transition(planned.change.event, row, job.status)
        tallies.ended(row, job, None)
    return planned.delay


def _send(ports: Ports, messages: Sequence[tuple[str, int]]) -> None:
    if not messages:
        return
    try:
        ports.queue.send_many(messages)
    except Unavailable as error:
        log.warning("message_not_sent", jobs=[job_id for job_id, _ in messages], reason=str(error))


def _fire_in_turns(ports: Ports, schedule_ids: Sequence[str], seconds_left: Callable[[], float]) -> None:
    """One of each owner, then the second of each, and so on, while there is time: a slot that is left is caught up
    by the next round."""
    by_owner: dict[str, list[str]] = defaultdict(list)
    for start in range(0, len(schedule_ids), PAGE_ROWS):
        for schedule in ports.records.get_schedules(schedule_ids[start : start + PAGE_ROWS]):
            by_owner[schedule.owner].append(schedule.id)
    for turn in zip_longest(*by_owner.values()):
        for schedule_id in filter(None, turn):
            if seconds_left() < STOP_BEFORE_SECONDS:
                log.warning("dispatch_out_of_time", schedules=len(schedule_ids))
                return
            _fire(ports, schedule_id)


def _fire(ports: Ports, schedule_id: str) -> None:
    try:
        schedules.fire(ports, schedule_id)
    except Exception as error:  # one bad row must not keep all the others waiting
        log.warning("schedule_failed", schedule=schedule_id, reason=f"{type(error).__name__}: {error}")
