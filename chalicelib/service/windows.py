"""Submit into a window: read the object's newest window, decide, and write window and job in one transaction.
Where the window is taken over from a job that came to nothing, that job's row learns in the same transaction who holds
it now: its retry by hand, and a retry that was faster, are told by that row alone."""

from collections.abc import Callable
from functools import cache

import msgspec

from chalicelib.core import dispatch_plan, window
from chalicelib.core.change import hand_window_over
from chalicelib.core.job import Job, Millis, Status, Window
from chalicelib.core.records import Schedule, ScheduleMove, WindowRecord
from chalicelib.core.times import MAX_AHEAD_MS
from chalicelib.errors import Contended, WindowHeld
from chalicelib.ports import ChangeRefused, Ports
from chalicelib.service.new_job import Draft, WindowWish

TRIES = 80
"""Every lost race means that another client has won one: fifty racing clients need fifty tries at the most."""
TRIES_OF_A_SLOT = 6
"""A round of the dispatcher is everybody's: who loses them tries again in the next one."""


def insert(ports: Ports, drafted: Draft, wish: WindowWish, move: ScheduleMove | None = None) -> Job:
    """The row that answers the request: the drafted job, or under `reuse` the one that holds the window. The window
    decides before anything is stored for the job. `move`: carried out with a new row; ChangeRefused once it cannot."""
    job, place_input = drafted.job, cache(drafted.place_input)
    for attempt in range(TRIES if move is None else TRIES_OF_A_SLOT):
        try:
            return _insert_once(ports, job, wish, place_input, move)
        except ChangeRefused:
            earlier = ports.jobs.get(job.id)
            if earlier is not None:
                return earlier
            if move is not None and not _stands(ports, move.seen):
                raise
            ports.clock.pause(ports.random.uniform() * min(0.2, 0.005 * 2**attempt))
    raise Contended("too many requests decide this object's window at once: send the request again in a second")


def _stands(ports: Ports, schedule: Schedule) -> bool:
    stands = ports.records.schedule(schedule.id)
    return stands is not None and stands.wake_at == schedule.wake_at


def _insert_once(
    ports: Ports, job: Job, wish: WindowWish, place_input: Callable[[], object], move: ScheduleMove | None
) -> Job:
    assert job.object_id is not None
    now, millis = ports.clock.now(), wish.seconds * 1000
    seen = ports.records.window(job.owner, job.object_id)
    if seen is not None and seen.job_id == job.id:
        raise ChangeRefused(None)  # the same request was faster, or our own first answer was lost: the row is there
    inside = seen is not None and job.run_at < window.free_from(seen, millis)
    holder = ports.jobs.get(seen.job_id) if seen and inside else None
    answer = window.decide(seen, holder, wish.on_repeat, job.run_at, millis, now)
    if isinstance(answer, window.Reuse):
        assert holder is not None
        return holder
    if isinstance(answer, window.Reject):
        seconds = max(1, dispatch_plan.compute_delay(answer.ends_at, now))
        raise WindowHeld(
            f"the window of object {job.object_id!r} holds a job: try again after the seconds of Retry-After",
            retry_after=seconds,
        )
    _refuse_too_far(job, answer.run_at, now)
    place_input()
    row = _in_window(job, wish, answer, now)
    version = seen.version + 1 if seen else 1
    record = WindowRecord(
        job.owner, job.object_id, job.id, answer.run_at, answer.ends_at, version, answer.floor, answer.floor_run_at
    )
    handed = hand_window_over(holder, now, job.id) if holder and answer.takes_over else None
    ports.jobs.insert_in_window(row, record, seen, handed, move)
    return row


def _refuse_too_far(job: Job, run_at: Millis, now: Millis) -> None:
    """As far ahead as a request may ask for, and no further: each link of a chain of delays puts the next one off."""
    too_far = run_at - now - MAX_AHEAD_MS
    if run_at > job.run_at and too_far > 0:
        raise WindowHeld(
            f"the windows of object {job.object_id!r} are taken for a year ahead: try again after the seconds of "
            "Retry-After, or with shorter windows",
            retry_after=dispatch_plan.compute_delay(now + too_far, now),
        )


def _in_window(job: Job, wish: WindowWish, opening: window.Open, now: Millis) -> Job:
    return msgspec.structs.replace(
        job,
        run_at=opening.run_at,
        not_before=opening.run_at,
        wake_at=dispatch_plan.choose_first_wake(opening.run_at, now),
        status=Status.SCHEDULED if opening.run_at > now else Status.PENDING,
        window=Window(wish.seconds, wish.on_repeat, opening.ends_at, job.id),
    )
