"""Plans that wait: for one job's end, for its output, for the next of many to end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from sortie_client import asking
from sortie_client.answers import JobPage, JobState, Link
from sortie_client.arrays import ArrayText, decode_output, numbers_for
from sortie_client.errors import JobCanceled, JobFailed, Refused, StillRunning, Unreachable
from sortie_client.plans import Broken, Fetch, Pause, Plan, Progress, Sink
from sortie_client.retries import Retries, pause_before_next
from sortie_client.saving import FileSink

LONGEST_WAIT = 25
"""Seconds that the service holds an answer at most."""
SHORT_LOOK = 0.1
FEW = 8
"""So many jobs are asked for one by one; more are found in lists of a hundred."""
Update = Callable[[JobState], object]
S = TypeVar("S", bound=Sink)


class Deadline:
    """`timeout` seconds from now; None is never."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._end = math.inf if timeout is None else time.monotonic() + timeout

    @property
    def left(self) -> float:
        return self._end - time.monotonic()

    def still(self, what: str) -> StillRunning:
        return StillRunning(what, self._timeout or 0.0)


def patient(policy: Retries, deadline: Deadline) -> Retries:
    """Who waits for a job outlives a restart of the service, and gives up when the time is over."""
    most = min(policy.most, max(0.0, deadline.left))
    return msgspec.structs.replace(policy, unmet=policy.tries, most=most)


def job(policy: Retries, job_id: str, wait: int = 0) -> Plan[JobState]:
    response = yield from asking.get(policy, f"/jobs/{asking.quoted(job_id)}", wait=wait)
    return asking.answer(JobState, response)


def ended(policy: Retries, job_id: str, deadline: Deadline, on_update: Update | None = None) -> Plan[JobState]:
    """The job once it has ended. Raises StillRunning. `on_update` gets the job about once a second."""
    longest = 1 if on_update else LONGEST_WAIT
    while True:
        wait = int(min(longest, max(0, deadline.left)))
        began = time.monotonic()
        state = yield from job(patient(policy, deadline), job_id, wait)
        if on_update:
            on_update(state)
        if state.has_ended:
            return state
        if deadline.left <= 0:
            raise deadline.still(f"job {job_id} is {state.status}")
        yield from _breathe(wait, time.monotonic() - began, deadline)


def output(policy: Retries, state: JobState, dtype: Any | None, on_progress: Progress | None) -> Plan[Any]:
    """The output of an ended job; of a sort, the array itself. Raises JobFailed, JobCanceled."""
    raw = _completed(state)
    link = link_in(raw)
    try:
        if link is None:
            return array_of(decode_output(raw, dtype))

        def new_sink(size: int) -> ArrayText:
            return ArrayText(numbers_for(dtype, size))

        return array_of((yield from streamed(policy, state.id, link, new_sink, on_progress)).value())
    except msgspec.DecodeError as error:
        raise Unreachable(f"the output of job {state.id} came damaged: {error}") from None


def streamed(
    policy: Retries, job_id: str, link: Link, new_sink: Callable[[int], S], on_progress: Progress | None
) -> Plan[S]:
    """What lies behind a link of the job. When it breaks off, a fresh link and a fresh sink begin anew."""
    tried, paused = 0, 0.0
    while True:
        tried += 1
        sink = new_sink(link.bytes)
        try:
            yield from asking.fetch(Fetch(link.href, sink, on_progress))
            return sink
        except (Broken, Refused) as failure:
            broken = failure if isinstance(failure, Broken) else Broken(str(failure), met=True)
            pause = pause_before_next(policy, tried, broken, chance=asking.chance(), paused=paused)
            if pause is None:
                asking.final(broken, tried)
            assert pause is not None
            paused += pause
            yield Pause(pause)
        state = yield from job(policy, job_id)
        link = link_in(_completed(state)) or link


def _completed(state: JobState) -> bytes:
    """The output's JSON. Raises JobFailed, JobCanceled."""
    if state.status == "failed":
        raise JobFailed(state)
    if state.status == "canceled":
        raise JobCanceled(state)
    return b"null" if isinstance(state.output, msgspec.UnsetType) else bytes(state.output)


def link_in(raw: bytes) -> Link | None:
    """A payload that did not fit reads {"href", "bytes"} and nothing else."""
    if len(raw) > 10_000 or b'"href"' not in raw:
        return None
    try:
        fields = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    if not isinstance(fields, dict) or set(fields) != {"href", "bytes"} or not isinstance(fields["bytes"], int):
        return None
    return Link(href=str(fields["href"]), bytes=fields["bytes"])


def array_of(value: Any) -> Any:
    """The output of a sort is `{"array": …}`: the array is what was asked for."""
    return value["array"] if isinstance(value, dict) and set(value) == {"array"} else value


class Watch:
    """The jobs of a batch that have not ended yet, oldest first."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.open = dict.fromkeys(ids)

    def take(self, states: Iterable[JobState]) -> list[JobState]:
        """Those that have ended, once each."""
        over = [state for state in states if state.has_ended and state.id in self.open]
        for state in over:
            del self.open[state.id]
        return over


def next_ended(policy: Retries, watch: Watch, deadline: Deadline) -> Plan[list[JobState]]:
    """At least one more job of the watch. Raises StillRunning.

    One look at all of them, then a long poll of the oldest: most likely it ends first. The poll is short while others
    may end before it.
    """
    longest, policy = 1, patient(policy, deadline)
    while True:
        over = watch.take((yield from _look(policy, watch)))
        if over:
            return over
        if deadline.left <= 0:
            raise deadline.still(f"{len(watch.open)} jobs have not ended")
        oldest = next(iter(watch.open))
        wait = int(min(longest if len(watch.open) > 1 else LONGEST_WAIT, max(0, deadline.left)))
        began = time.monotonic()
        over = watch.take([(yield from job(policy, oldest, wait))])
        if over:
            return over + watch.take((yield from _look(policy, watch)))
        longest = min(4, longest * 2)
        yield from _breathe(wait, time.monotonic() - began, deadline)


def _look(policy: Retries, watch: Watch) -> Plan[list[JobState]]:
    if len(watch.open) > FEW:
        return (yield from _listed(policy, watch))
    states = []
    for job_id in list(watch.open):
        states.append((yield from job(policy, job_id)))
    return states


def _listed(policy: Retries, watch: Watch) -> Plan[list[JobState]]:
    """Pages of the list, newest first, down to the oldest job of the watch. Text order of ids is time order."""
    lowest, states = min(watch.open), list[JobState]()
    cursor: str | None = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = asking.answer(JobPage, (yield from asking.get(policy, "/jobs", query)))
        states += page.jobs
        cursor = page.next
        if cursor is None or (page.jobs and page.jobs[-1].id <= lowest):
            return states


def _breathe(wait: int, took: float, deadline: Deadline) -> Plan[None]:
    """A service that did not hold its answer for as long as it was asked to is not asked again at once."""
    if took < wait * 0.8 or wait == 0:
        yield Pause(max(0.0, min(SHORT_LOOK if wait == 0 else 0.5, deadline.left)))


def saved(policy: Retries, state: JobState, file: Any, on_progress: Progress | None) -> Plan[None]:
    """Raises JobFailed, JobCanceled."""
    raw = _completed(state)
    link = link_in(raw)
    if link is None:
        file.write(raw)
        return
    sink = FileSink(file)
    once = policy if sink.start is not None else msgspec.structs.replace(policy, tries=1)
    yield from streamed(once, state.id, link, lambda size: sink.begin(), on_progress)
