"""One round of the dispatcher: start what is due, recover what was lost (dispatch_jobs.py), fire the schedules that
have come up, and last look after containers, for which nothing waits.
Schedules take turns by owner, so that whoever has many gets what time the others leave.

It reads only rows whose wake time has come. It moves the wake time first (conditionally) and sends afterwards, so two
dispatchers at once do no harm, and one that dies in between is made good at the next wake time.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, zip_longest

from chalicelib.core.ids import is_id
from chalicelib.core.lane import Lane
from chalicelib.core.records import Schedule
from chalicelib.errors import Unavailable
from chalicelib.ports import Ports
from chalicelib.service import containers, log, schedules
from chalicelib.service.dispatch_jobs import (
    CONTAINERS_STOP_BEFORE_SECONDS,
    PAGE_ROWS,
    WAKE_PAGE_ROWS,
    Round,
    dispatch_jobs,
    settle_containers,
    waves,
)
from chalicelib.service.metrics import Tallies


def dispatch(ports: Ports, seconds_left: Callable[[], float]) -> int:
    """How many rows were looked at. Stops by itself while the function still has a few seconds. Raises Unavailable."""
    tallies = Tallies(ports)
    this = Round(ports, tallies, seconds_left, cache(lambda: _has_backlog(ports)), _due_schedules(ports))
    looked_at, failure = len(this.schedules), None
    try:
        looked_at += _look_at_jobs(this)
    except Unavailable as error:  # neither schedules nor containers wait for what cannot be read
        failure = error
    tallies.write()
    _fire_in_turns(this)
    if seconds_left() > CONTAINERS_STOP_BEFORE_SECONDS:
        _sweep(ports)
    settle_containers(this)
    tallies.write()
    if failure:
        raise failure
    return looked_at


def _due_schedules(ports: Ports) -> list[str]:
    return list(chain.from_iterable(ports.jobs.due_schedules(ports.clock.now(), WAKE_PAGE_ROWS)))


def _look_at_jobs(this: Round) -> int:
    looked_at = 0
    for names in waves(this.ports):
        looked_at += len(names)
        dispatch_jobs([name for name in names if is_id(name)], this)
        this.schedules.extend(name for name in names if not is_id(name))  # as versions before have written them
        if this.is_over_for_jobs:
            log.warning("dispatch_out_of_time", looked_at=looked_at, schedules=len(this.schedules))
            break
    return looked_at


def _sweep(ports: Ports) -> None:
    try:
        if not containers.allowed(ports.settings).off:
            containers.sweep(ports)
    except Exception as error:  # one bad row must not keep those that are to be settled waiting
        log.warning("containers_not_swept", reason=f"{type(error).__name__}: {error}")


def _has_backlog(ports: Ports) -> bool:
    """Whether messages wait in the quick lane. Asked once a round, and only when it matters."""
    try:
        return ports.queue.depth(Lane.QUICK).waiting > 0
    except Unavailable:
        return True  # nobody knows: a message less is sent


def _fire_in_turns(this: Round) -> None:
    """One of each owner, then the second of each, and so on, while there is time: a slot that is left is caught up
    by the next round."""
    for turn in zip_longest(*_by_owner(this.ports, this.schedules)):
        for schedule_id in filter(None, turn):
            if this.is_over:
                log.warning("dispatch_out_of_time", schedules=len(this.schedules))
                return
            _fire(this.ports, schedule_id)


def _by_owner(ports: Ports, schedule_ids: Sequence[str]) -> list[list[str]]:
    """Their ids, owner by owner."""
    schedule_ids = list(dict.fromkeys(schedule_ids))  # an index may have one twice
    by_owner: dict[str, list[str]] = defaultdict(list)
    for start in range(0, len(schedule_ids), PAGE_ROWS):
        for schedule in _read(ports, schedule_ids[start : start + PAGE_ROWS]):
            by_owner[schedule.owner].append(schedule.id)
    return list(by_owner.values())


def _read(ports: Ports, schedule_ids: Sequence[str]) -> list[Schedule]:
    """Those that can be read: one that cannot must keep neither the others waiting nor what comes after them."""
    try:
        return ports.records.get_schedules(schedule_ids)
    except Exception as error:
        log.warning("schedules_not_read", schedules=list(schedule_ids), reason=f"{type(error).__name__}: {error}")
        if isinstance(error, Unavailable) or len(schedule_ids) < 2:
            return []
    return [schedule for schedule_id in schedule_ids for schedule in _read(ports, [schedule_id])]


def _fire(ports: Ports, schedule_id: str) -> None:
    try:
        schedules.fire(ports, schedule_id)
    except Exception as error:  # one bad row must not keep all the others waiting
        log.warning("schedule_failed", schedule=schedule_id, reason=f"{type(error).__name__}: {error}")
