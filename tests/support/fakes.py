"""The ports in memory: plain classes with a stopped clock and seeded random numbers. No conditions of their own.

What a change needs is asked of core/change.py, as aws/expressions.py spells it out for DynamoDB. Switches make what
AWS may do: an index that lags, messages that are lost, doubled, late or out of order.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from chalicelib.core import change as changes
from chalicelib.core.change import Change
from chalicelib.core.filters import Filter, id_range, listed_status, phase_of, phases_of, wants_due
from chalicelib.core.ids import shard_of
from chalicelib.core.job import WAITING, Job, Millis, Status
from chalicelib.core.records import (
    KeyRecord,
    OpenUploads,
    RunRecord,
    Schedule,
    ScheduleMove,
    Tally,
    TokenRecord,
    WindowRecord,
)
from chalicelib.errors import SortieError
from chalicelib.ports import BatchRead, ChangeRefused, OpenJobs, WaitingJob
from tests.support.fake_payloads import MemoryPayloads as MemoryPayloads
from tests.support.fake_queue import VISIBILITY_SECONDS as VISIBILITY_SECONDS
from tests.support.fake_queue import MemoryQueue as MemoryQueue
from tests.support.fake_system import START as START
from tests.support.fake_system import OneThread as OneThread
from tests.support.fake_system import SeededRandom as SeededRandom
from tests.support.fake_system import SilentAlarm as SilentAlarm
from tests.support.fake_system import StoppedClock as StoppedClock


class Table:
    """The rows of all kinds. `lagging()` holds the indexes back at what they are now."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.jobs: dict[str, Job] = {}
        self.due_at: dict[str, Millis] = {}
        self.keys: dict[tuple[str, str], KeyRecord] = {}
        self.windows: dict[tuple[str, str | int], WindowRecord] = {}
        self.uploads: dict[str, OpenUploads] = {}
        self.runs: dict[tuple[str, str], RunRecord] = {}
        self.schedules: dict[str, Schedule] = {}
        self.tallies: dict[tuple[str, Millis], Tally] = defaultdict(Tally)
        self.tokens: dict[str, TokenRecord] = {}
        self._index: tuple[Mapping[str, Job], Mapping[str, Schedule]] | None = None

    @property
    def indexed_jobs(self) -> Mapping[str, Job]:
        return self._index[0] if self._index else self.jobs

    @property
    def indexed_schedules(self) -> Mapping[str, Schedule]:
        return self._index[1] if self._index else self.schedules

    def hold_index(self) -> None:
        self._index = (dict(self.jobs), dict(self.schedules))

    def release_index(self) -> None:
        self._index = None

    @contextmanager
    def lagging(self) -> Iterator[None]:
        self.hold_index()
        try:
            yield
        finally:
            self.release_index()

    def schedule_is(self, seen: Schedule) -> bool:
        stands = self.schedules.get(seen.id)
        return stands is not None and stands.wake_at == seen.wake_at

    def put(self, job: Job) -> Job:
        """Only a write of a waiting row moves its `due_at`: a claim leaves the index entry alone."""
        self.jobs[job.id] = job
        if job.status in WAITING:
            self.due_at[job.id] = job.not_before
        return job


class MemoryJobs:
    """ports.JobStore"""

    wake_shards = 2

    def __init__(self, table: Table) -> None:
        self.table = table

    def insert(self, job: Job) -> Job:
        with self.table.lock:
            if job.id in self.table.jobs:
                return self.table.jobs[job.id]
            return self.table.put(job)

    def insert_many(self, jobs: Sequence[Job]) -> None:
        with self.table.lock:
            for job in jobs:
                self.table.put(job)

    def insert_run(self, run: RunRecord, jobs: Sequence[Job]) -> None:
        with self.table.lock:
            if (run.owner, run.run_id) in self.table.runs or any(job.id in self.table.jobs for job in jobs):
                raise ChangeRefused(None)
            self.table.runs[run.owner, run.run_id] = run
            for job in jobs:
                self.table.put(job)

    def insert_in_window(
        self, job: Job, window: WindowRecord, seen: WindowRecord | None, handed: Change | None = None,
        move: ScheduleMove | None = None,
    ) -> None:  # fmt: skip
        with self.table.lock:
            key = (window.owner, window.object_id)
            stands = self.table.windows.get(key)
            if job.id in self.table.jobs or not self.window_is(stands, seen):
                raise ChangeRefused(None)
            if move is not None and not self.schedule_is(move.seen):
                raise ChangeRefused(None)
            if handed is not None:
                self._hand_over(handed)
            if move is not None:
                self.table.schedules[move.seen.id] = move.after
            self.table.windows[key] = window
            self.table.put(job)

    def insert_slot(self, job: Job, move: ScheduleMove) -> None:
        with self.table.lock:
            if job.id in self.table.jobs or not self.schedule_is(move.seen):
                raise ChangeRefused(None)
            self.table.schedules[move.seen.id] = move.after
            self.table.put(job)

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        with self.table.lock:
            row = self.table.jobs.get(change.job.id)
            if row is None or not self.permits(change, row) or not self.schedule_is(schedule):
                raise ChangeRefused(None)
            self.table.schedules.pop(schedule.id, None)
            self.table.put(changes.apply_change(change, row))

    def schedule_is(self, seen: Schedule) -> bool:
        return self.table.schedule_is(seen)

    def _hand_over(self, handed: Change) -> None:
        row = self.table.jobs.get(handed.job.id)
        if row is None or not self.permits(handed, row):
            raise ChangeRefused(None)
        self.table.jobs[row.id] = changes.apply_change(handed, row)

    @staticmethod
    def window_is(stands: WindowRecord | None, seen: WindowRecord | None) -> bool:
        return (stands.version if stands else None) == (seen.version if seen else None)

    def get(self, job_id: str) -> Job | None:
        return self.table.jobs.get(job_id)

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        rows = self.table.indexed_jobs
        return [rows[job_id] for job_id in job_ids if job_id in rows]

    def read_batch(self, job_ids: Sequence[str]) -> BatchRead:
        assert job_ids, "BatchGetItem refuses a request without keys"
        assert len(set(job_ids)) == len(job_ids), "BatchGetItem refuses a key that is named twice"
        return BatchRead({job_id: self.table.jobs[job_id] for job_id in job_ids if job_id in self.table.jobs}, [])

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        with self.table.lock:
            row = self.table.jobs.get(job_id)
            if row is None or not self.claimable(row, now):
                raise ChangeRefused(row)
            return self.table.put(changes.claim_row(row, now, token))

    def claimable(self, row: Job, now: Millis) -> bool:
        return changes.claimable(row, now)

    def apply(self, change: Change) -> Job:
        with self.table.lock:
            row = self.table.jobs.get(change.job.id)
            if row is None or not self.permits(change, row):
                raise ChangeRefused(row)
            return self.table.put(changes.apply_change(change, row))

    def apply_many(self, changes: Sequence[Change]) -> list[SortieError | None]:
        return [self._apply_alone(change) for change in changes]

    def _apply_alone(self, change: Change) -> SortieError | None:
        try:
            self.apply(change)
        except ChangeRefused as refused:
            return refused
        return None

    def permits(self, change: Change, row: Job) -> bool:
        return changes.permits(change, row)

    def beat(self, change: Change) -> Job:
        return self.apply(change)

    def due(self, now: Millis, limit: int) -> list[Iterator[Sequence[str]]]:
        return [self._due_in(shard, now, limit) for shard in range(self.wake_shards)]

    def _due_in(self, shard: int, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        waking = [(job.wake_at, job.id) for job in self.table.indexed_jobs.values() if job.wake_at is not None]
        yield from _due_pages([pair for pair in waking if shard_of(pair[1], self.wake_shards) == shard], now, limit)

    def due_schedules(self, now: Millis, limit: int) -> Iterator[Sequence[str]]:
        waking = [(schedule.wake_at, schedule.id) for schedule in self.table.indexed_schedules.values()]
        return _due_pages(waking, now, limit)

    def page(self, chosen: Filter, before: str | None, limit: int, now: Millis) -> list[str]:
        ids = self._newest(chosen, before, limit)
        if wants_due(chosen.statuses):
            scheduled = self._newest(replace(chosen, statuses=frozenset({Status.SCHEDULED})), before, limit)
            ids += [name for name in scheduled if self.table.due_at[name] <= now]
        return sorted(set(ids), reverse=True)[:limit]

    def _newest(self, chosen: Filter, before: str | None, limit: int) -> list[str]:
        listed = [job.id for job in self.table.indexed_jobs.values() if self._is_listed(chosen, job)]
        since, below = id_range(chosen, before)
        inside = (name for name in listed if (below is None or name < below) and (since is None or name >= since))
        return sorted(inside, reverse=True)[:limit]

    def _is_listed(self, chosen: Filter, job: Job) -> bool:
        """What the one index that fits the filter holds; service.read looks at the rest."""
        if job.owner != chosen.owner:
            return False
        in_phase = phase_of(job.status) in phases_of(chosen.statuses)
        if chosen.schedule_id is not None:
            return in_phase and job.schedule_id == chosen.schedule_id
        if chosen.object_id is not None:
            return in_phase and job.object_id == chosen.object_id
        if chosen.group is not None:
            return in_phase and job.group == chosen.group
        if chosen.task is not None and not job.quick:
            return in_phase and job.task == chosen.task
        return _list_of(job) in chosen.statuses and (chosen.task is None or chosen.quick_task)

    def open_jobs(self, owner: str) -> OpenJobs:
        mine = [job for job in self.table.indexed_jobs.values() if job.owner == owner]
        waiting = [WaitingJob(job.id, self.table.due_at[job.id], job.quick) for job in mine if _list_of(job) in WAITING]
        return OpenJobs(waiting, sum(_list_of(job) is Status.RUNNING for job in mine))


def _due_pages(waking: Sequence[tuple[int, str]], now: Millis, limit: int) -> Iterator[Sequence[str]]:
    ids = [id_ for wake_at, id_ in sorted(waking) if wake_at <= now]
    for start in range(0, len(ids), limit):
        yield ids[start : start + limit]


def _list_of(job: Job) -> Status:
    return listed_status(job.status, quick=job.quick)


class MemoryRecords:
    """ports.Records"""

    def __init__(self, table: Table) -> None:
        self.table = table

    def reserve_key(self, record: KeyRecord, now: Millis) -> KeyRecord:
        with self.table.lock:
            stands = self.table.keys.get((record.owner, record.key))
            if stands is not None and stands.expires_at > now // 1000:
                return stands
            self.table.keys[record.owner, record.key] = record
            return record

    def key(self, owner: str, key: str) -> KeyRecord | None:
        return self.table.keys.get((owner, key))

    def window(self, owner: str, object_id: str | int) -> WindowRecord | None:
        return self.table.windows.get((owner, object_id))

    def open_uploads(self, owner: str) -> OpenUploads | None:
        return self.table.uploads.get(owner)

    def put_open_uploads(self, uploads: OpenUploads, seen: OpenUploads | None) -> bool:
        with self.table.lock:
            stands = self.table.uploads.get(uploads.owner)
            if (stands.version if stands else None) != (seen.version if seen else None):
                return False
            self.table.uploads[uploads.owner] = uploads
            return True

    def run(self, owner: str, run_id: str) -> RunRecord | None:
        return self.table.runs.get((owner, run_id))

    def add_schedule(self, schedule: Schedule) -> Schedule:
        return self.table.schedules.setdefault(schedule.id, schedule)

    def schedule_ids(self, owner: str) -> list[str]:
        return sorted(id_ for id_, schedule in self.table.indexed_schedules.items() if schedule.owner == owner)

    def get_schedules(self, schedule_ids: Sequence[str]) -> list[Schedule]:
        return [self.table.schedules[id_] for id_ in schedule_ids if id_ in self.table.schedules]

    def schedule(self, schedule_id: str) -> Schedule | None:
        return self.table.schedules.get(schedule_id)

    def schedules(self, owner: str) -> list[Schedule]:
        mine = [id_ for id_, schedule in self.table.indexed_schedules.items() if schedule.owner == owner]
        return [self.table.schedules[id_] for id_ in mine if id_ in self.table.schedules]

    def move_schedule(self, move: ScheduleMove) -> bool:
        with self.table.lock:
            holds = self.table.schedule_is(move.seen)
            if holds:
                self.table.schedules[move.seen.id] = move.after
            return holds

    def remove_schedule(self, schedule: Schedule) -> bool:
        with self.table.lock:
            holds = self.table.schedule_is(schedule)
            if holds:
                del self.table.schedules[schedule.id]
            return holds

    def add_tally(self, owner: str, minute: Millis, tally: Tally, expires_at: int, share: float = 0.0) -> None:
        with self.table.lock:
            self.table.tallies[owner, minute].add(tally)

    def tallies(self, owner: str, minutes: Sequence[Millis]) -> Mapping[Millis, Tally]:
        stored = self.table.tallies
        return {minute: stored[owner, minute] for minute in minutes if (owner, minute) in stored}

    def token(self, digest: str) -> TokenRecord | None:
        return self.table.tokens.get(digest)
