"""What the use cases need from outside, as Protocols. tests/support/fakes.py and aws/* both fulfil them.

Every method may raise errors.Unavailable, after which nothing is known about its effect.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from chalicelib.config import Settings
from chalicelib.core.change import Change
from chalicelib.core.container import Spec
from chalicelib.core.container_look import MISSING, Look
from chalicelib.core.filters import Filter
from chalicelib.core.job import Job, Millis
from chalicelib.core.lane import Lane
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
from chalicelib.core.task import Task
from chalicelib.errors import SortieError

T = TypeVar("T")


class ChangeRefused(SortieError):
    """A storage condition said no; `job` is the row that stood in the way."""

    code = "change-refused"

    def __init__(self, job: Job | None) -> None:
        super().__init__("the row has moved on" if job else "there is no such row")
        self.job = job


class StartRefused(SortieError):
    """The engine has no room for a container now; nothing was started."""

    code = "start-refused"


class JobStore(Protocol):
    """The table's job rows: the truth."""

    def insert(self, job: Job) -> Job:
        """Write the row unless its id is taken; the row that stands there afterwards, new or old."""

    def insert_many(self, jobs: Sequence[Job]) -> None:
        """Write up to 25 rows whose ids are new for certain, in one call."""

    def insert_run(self, run: RunRecord, jobs: Sequence[Job]) -> None:
        """Write a run and all of its jobs, or nothing."""

    def insert_in_window(
        self, job: Job, window: WindowRecord, seen: WindowRecord | None, handed: Change | None = None,
        move: ScheduleMove | None = None,
    ) -> None:  # fmt: skip
        """Write job, window, `handed` and `move` together if the window is still as `seen`; else ChangeRefused."""

    def insert_slot(self, job: Job, move: ScheduleMove) -> None:
        """Write a schedule's job and move the schedule on, together; else ChangeRefused."""

    def cancel_slot(self, change: Change, schedule: Schedule) -> None:
        """Carry out the change and remove the schedule if it is still as it was read, together; else ChangeRefused."""

    def get(self, job_id: str) -> Job | None:
        """The row as it is now (a consistent read)."""

    def get_many(self, job_ids: Sequence[str]) -> list[Job]:
        """The rows that exist, in the order asked for; may lag unless written long ago."""

    def read_batch(self, job_ids: Sequence[str]) -> "BatchRead":
        """The rows as they are now (one consistent call), each judged by itself; up to a hundred ids, all different."""

    def claim(self, job_id: str, now: Millis, token: str) -> Job:
        """Start the next attempt; ChangeRefused with the row when it may not start."""

    def apply(self, change: Change) -> Job:
        """Carry out a change; ChangeRefused with the row when a guard does not hold."""

    def apply_many(self, changes: Sequence[Change]) -> Sequence[SortieError | None]:
        """As apply, in few calls, each judged by itself: at its place what was in its way, or None; no job twice."""

    def beat(self, change: Change) -> Job:
        """As apply, with little patience and a connection of its own: for a heartbeat, beside the task."""

    def due(self, now: Millis, limit: int) -> Sequence[Iterator[Sequence[str]]]:
        """Ids whose wake time has come, by shard: pages, oldest first. Some are schedules of the version before."""

    def due_schedules(self, now: Millis, limit: int) -> Iterator[Sequence[str]]: ...

    def page(self, chosen: Filter, before: str | None, limit: int, now: Millis) -> list[str]:
        """Up to `limit` ids below `before`, newest first, that an index holds for the filter; may lag."""

    def open_jobs(self, owner: str) -> "OpenJobs":
        """What waits and runs for this owner, counted in the indexes."""


@dataclass(frozen=True, slots=True)
class BatchRead:
    """`rows` by id; `unread`: ids that the table left out, or whose row cannot be decoded. Others have no row."""

    rows: Mapping[str, Job]
    unread: Sequence[str]


@dataclass(frozen=True, slots=True)
class OpenJobs:
    """Every waiting job as the indexes know it, and how many run."""

    waiting: Sequence["WaitingJob"]
    running: int


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """`quick`: it is in a list of quick jobs, where it stays while it runs."""

    id: str
    not_before: Millis
    quick: bool


class Records(Protocol):
    """The table's other rows: idempotency keys, windows, runs, schedules, tokens, minutes."""

    def reserve_key(self, record: KeyRecord, now: Millis) -> KeyRecord:
        """Take the key unless it is taken and not expired; the record in force afterwards."""

    def key(self, owner: str, key: str) -> KeyRecord | None:
        """The key's record, expired or not."""

    def window(self, owner: str, object_id: str | int) -> WindowRecord | None: ...

    def open_uploads(self, owner: str) -> OpenUploads | None: ...

    def put_open_uploads(self, uploads: OpenUploads, seen: OpenUploads | None) -> bool:
        """Write it if it is still as `seen`; False when it is not."""

    def run(self, owner: str, run_id: str) -> RunRecord | None: ...

    def add_schedule(self, schedule: Schedule) -> Schedule:
        """Write it unless its id is taken; the one that stands there afterwards, new or old."""

    def schedule(self, schedule_id: str) -> Schedule | None: ...

    def schedules(self, owner: str) -> list[Schedule]: ...

    def schedule_ids(self, owner: str) -> list[str]:
        """Oldest first, as an index has them, which may lag."""

    def get_schedules(self, schedule_ids: Sequence[str]) -> list[Schedule]:
        """Those that exist, as they are now, in the order asked for."""

    def move_schedule(self, move: ScheduleMove) -> bool:
        """False where the schedule is not as it was read, or gone."""

    def remove_schedule(self, schedule: Schedule) -> bool:
        """False where it is not as it was read, or gone."""

    def add_tally(self, owner: str, minute: Millis, tally: Tally, expires_at: int, share: float = 0.0) -> None:
        """Add to one of the minute's rows. `share`: a number in [0, 1), by which writers spread over them."""

    def token(self, digest: str) -> TokenRecord | None: ...

    def tallies(self, owner: str, minutes: Sequence[Millis]) -> Mapping[Millis, Tally]: ...


@dataclass(frozen=True, slots=True)
class Depth:
    """The approximate counts of one lane's queue."""

    waiting: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Hint:
    """A job may run now, or in `delay` whole seconds (0 to 900). `owner`: whose turn it is, where that is known."""

    job_id: str
    lane: Lane
    owner: str | None = None
    delay: int = 0


class Queue(Protocol):
    """Hints that a job may run now. A message is a job id and nothing else."""

    def send(self, hints: Sequence[Hint]) -> None:
        """In as few calls as may be."""

    def depth(self, lane: Lane) -> Depth: ...

    def dead(self) -> int:
        """How many messages of both lanes were given up."""


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A presigned PUT: where to, with which headers, until when."""

    href: str
    headers: Mapping[str, str]
    expires_at: Millis


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """Bytes of an object, and the tag that tells its contents from others."""

    size: int
    etag: str


class Payloads(Protocol):
    """Inputs and outputs too large for a row."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str, most: int) -> bytes:
        """errors.PayloadMissing when there is no such object, errors.TooLarge when it holds more than `most` bytes."""

    def copy(self, source: str, target: str, etag: str | None = None) -> bool:
        """False when `etag` is given and the source is another by now, or gone."""

    def stat(self, key: str) -> ObjectStat | None:
        """None when there is no such object."""

    def link(self, key: str) -> str:
        """A short-lived presigned GET."""

    def upload_link(self, key: str, now: Millis, size: int) -> UploadLink:
        """A presigned PUT, signed for `size` bytes."""

    def check(self) -> None:
        """Return when the bucket answers."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first, and what to ask for the next ones with."""

    lines: Sequence[str]
    after: str | None


class Containers(Protocol):
    """The engine that runs containers. A reference (`ref`) is its own name for one."""

    def start(self, name: str, spec: Spec) -> str:
        """Start it, unless one was started under this name: the reference of that. StartRefused where there is no room,
        errors.Invalid where the engine does not take the spec."""

    def find(self, name: str) -> list[str]:
        """References of what was started under this name, whether or not it still runs."""

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        """Each one as it is; MISSING for what the engine does not know."""

    def running(self) -> Sequence[Look]:
        """What starts or runs now."""

    def stop(self, ref: str, why: str) -> None:
        """Ask it to end, and end it soon after. One that has ended or is unknown is left as it is."""

    def tail(self, ref: str, lines: int) -> Sequence[str]:
        """Its last lines, as far as they have arrived."""

    def log(self, ref: str, after: str | None) -> LogPage:
        """Its lines from the start, or on from where a page ended."""

    def check(self) -> None:
        """Return when the engine answers."""


class NoContainers:
    """Containers where no engine is configured: nothing starts, nothing is known."""

    def start(self, name: str, spec: Spec) -> str:
        raise StartRefused("no engine is configured")

    def find(self, name: str) -> list[str]:
        return []

    def look(self, refs: Sequence[str]) -> Mapping[str, Look]:
        return {ref: Look(ref, MISSING) for ref in refs}

    def running(self) -> Sequence[Look]:
        return []

    def stop(self, ref: str, why: str) -> None:
        return None

    def tail(self, ref: str, lines: int) -> Sequence[str]:
        return []

    def log(self, ref: str, after: str | None) -> LogPage:
        return LogPage([], after)

    def check(self) -> None:
        return None


class Clock(Protocol):
    def now(self) -> Millis: ...

    def monotonic(self) -> float:
        """Seconds, for durations."""

    def pause(self, seconds: float) -> None: ...


class Random(Protocol):
    def new_id(self, now: Millis) -> str:
        """A job id, later in text order than the one before."""

    def new_token(self) -> str:
        """A text that nobody else has: by it a worker knows its own claim."""

    def uniform(self) -> float:
        """A number in [0, 1)."""


class Alarm(Protocol):
    """What interrupts a task."""

    def guard(self, call: Callable[[], T], seconds: float, ring: Callable[[], None]) -> T:
        """What `call` returns. After `seconds`, and again each second, `ring` is called within it: what it raises is
        raised there. Once `call` has returned, nothing rings any more."""

    def ring(self) -> None:
        """Now, from any thread; nothing happens where no call is guarded."""

    def end_process(self) -> None:
        """At once, for a task that nothing interrupts; nothing after it runs."""


class Cut(Protocol):
    """What a bound has kept out of the log so far: how many lines."""

    @property
    def lines(self) -> int: ...


class Logs(Protocol):
    """What a task may write to the log."""

    def bounded(self) -> AbstractContextManager[Cut]:
        """Of what is logged or printed within the block only so much passes; the rest is dropped and counted."""


class NothingCut:
    """Cut where nothing is kept out."""

    lines = 0


class WholeLogs:
    """Logs that nobody bounds."""

    def bounded(self) -> AbstractContextManager[Cut]:
        return nullcontext(NothingCut())


class Concurrency(Protocol):
    """What goes on side by side."""

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each call returns, in the order given; in which order they run is open."""

    def beat(self, seconds: float, act: Callable[[], bool]) -> AbstractContextManager[None]:
        """Beside the block, call `act` every so many seconds, until it returns False or the block ends."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a use case is handed."""

    jobs: JobStore
    records: Records
    queue: Queue
    payloads: Payloads
    clock: Clock
    random: Random
    alarm: Alarm
    concurrency: Concurrency
    tasks: Mapping[str, Task]
    settings: Settings
    containers: Containers = field(default_factory=NoContainers)
    logs: Logs = field(default_factory=WholeLogs)
