"""A job store that writes down every move it sees: which event took which row from where to where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from chalicelib.core.change import Change
from chalicelib.core.filters import Filter
from chalicelib.core.job import Event, Job, Millis, Status
from chalicelib.core.records import RunRecord, Schedule, ScheduleMove, WindowRecord
from chalicelib.errors import SortieError
from chalicelib.ports import BatchRead, JobStore, OpenJobs


@dataclass(frozen=True, slots=True)
class Move:
    """`by`: the attempt that the writer believed to be the newest (None for a claim)."""

    event: Event
    before: Job
    after: Job
    at: Millis
    by: int | None


class Recorder:
    """ports.JobStore in front of another. The row before a write is read first: only one thread writes here."""

    def __init__(self, real: JobStore, quietly: Callable[[], AbstractContextManager[None]]) -> None:
        self.real = real
        self.quietly = quietly
        self.moves: list[Move] = []
        self.born: dict[str, int] = {}
        """Job id -> how many moves there had been when its row was written."""
        self.overwritten: list[str] = []
        self.strays: list[str] = []
        """Heartbeats and reports of progress that changed a row which was not their attempt's any more."""

    def insert(self, job: Job) -> Job:
        before = self._now(job.id)
        with self._writing([job]):
            row = self.real.insert(job)
        if before is not None and row == job != before:
            self.overwritten.append(job.id)
        return row

    def insert_many(self, jobs: Sequence[Job]) -> None:
        self.overwritten += [job.id for job in jobs if job.id in self.born]
        with self._writing(jobs):
            self.real.insert_many(jobs)

    def insert_run(self, run: RunRecord, jobs: Sequence[Job]) -> None:
        with self._writing(jobs):
            self.real.insert_run(run, jobs)

    def insert_in_window(
        self, job: Job, window: WindowRecord, seen: WindowRecord | None, handed: Change | None = None,
        move: ScheduleMove | None = None,
    ) -> None:  # fmt: skip
        with self._writing([job]):
            self.real.insert_in_window(job, window, seen, handed, move)

    def insert_slot(self, job: Job, move: ScheduleMove) -> None:
        before = self._now(job.id)
        with self._writing([job]):
            self.real.insert_slot(job, move)
        if before is not None:
            self.overwritten.append(job.id)

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        with self._moving(change.event, change.job.id, change.at, change.job.attempts):
            self.real.cancel_slot(change, schedule)

    def get(self, job_id: str) -> Job | None:
        return self.real.get(job_id)

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        return self.real.get_many(job_ids)

    def read_batch(self, job_ids: Sequence[str]) -> BatchRead:
        return self.real.read_batch(job_ids)

    def beat(self, change: Change) -> Job:
        with self._holding(change):
            return self.real.beat(change)

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        with self._moving(Event.CLAIM, job_id, now, None):
            return self.real.claim(job_id, now, token)

    def apply(self, change: Change) -> Job:
        with self._moving(change.event, change.job.id, change.at, change.job.attempts), self._holding(change):
            return self.real.apply(change)

    def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
        """One after the other, so that each move is seen: what they are judged by is the real store's."""
        return [self._apply_in_batch(change) for change in changes]

    def _apply_in_batch(self, change: Change) -> SortieError | None:
        with self._moving(change.event, change.job.id, change.at, change.job.attempts), self._holding(change):
            (answer,) = self.real.apply_many([change])
        return answer

    def due(self, now: Millis, limit: int) -> Sequence[Iterator[Sequence[str]]]:
        return self.real.due(now, limit)

    def due_schedules(self, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        return self.real.due_schedules(now, limit)

    def page(self, chosen: Filter, before: str | None, limit: int, now: Millis) -> list[str]:
        return self.real.page(chosen, before, limit, now)

    def open_jobs(self, owner: str) -> OpenJobs:
        return self.real.open_jobs(owner)

    @contextmanager
    def _writing(self, jobs: Sequence[Job]) -> Iterator[None]:
        """The answer may be lost and the rows there all the same."""
        try:
            yield
        finally:
            for job in jobs:
                if job.id not in self.born and self._now(job.id) is not None:
                    self.born[job.id] = len(self.moves)

    @contextmanager
    def _moving(self, event: Event | None, job_id: str, at: Millis, by: int | None) -> Iterator[None]:
        """What the row was before and is afterwards, whether or not the answer arrives."""
        before = self._now(job_id)
        try:
            yield
        finally:
            after = self._now(job_id)
            if event is not None and before is not None and after is not None and after != before:
                self.moves.append(Move(event, before, after, at, by))

    @contextmanager
    def _holding(self, change: Change) -> Iterator[None]:
        """Around a write that is no move, and whose attempt must own the row."""
        if change.event is not None or change.attempt is None:
            yield
            return
        before = self._now(change.job.id)
        try:
            yield
        finally:
            own = before is not None and (before.status, before.attempts) == (Status.RUNNING, change.job.attempts)
            if not own and self._now(change.job.id) != before:
                self.strays.append(f"{change.job.id} by attempt {change.job.attempts}")

    def _now(self, job_id: str) -> Job | None:
        """The harness's own read: no fault may come in here."""
        with self.quietly():
            return self.real.get(job_id)
