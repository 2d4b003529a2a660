"""Read jobs: one, a page of them, the board. A job of somebody else is as absent as one that never was."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chalicelib.core.access import may_name
from chalicelib.core.filters import Filter, keeps
from chalicelib.core.ids import is_id
from chalicelib.core.job import ENDED, Inline, Job, Millis, Payload, Status, is_gone
from chalicelib.errors import Busy, NotFound, PayloadMissing, TooLarge
from chalicelib.ports import Ports

FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.02, 0.5
MOST_WAITS = 32
BOARD_SIZE = 100
ASCII = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Link:
    """Where to fetch a payload that does not fit an answer."""

    href: str
    bytes: int


Rendered = bytes | Link | None


def get_job(ports: Ports, owner: str | None, job_id: str) -> Job:
    """The job as it is now. `owner` None sees every owner's. Raises NotFound."""
    row = ports.jobs.get(job_id) if is_id(job_id) else None
    if row is None or is_gone(row, ports.clock.now()) or not may_name(owner, row.owner):
        raise NotFound(f"there is no job {job_id!r}")
    return row


def require_row(row: Job | None, job_id: str) -> Job:
    """The row. Raises NotFound where there is none."""
    if row is None:
        raise NotFound(f"there is no job {job_id!r}")
    return row


class Waits:
    """The requests of this process that wait: each holds a thread, and reads the table twice a second."""

    def __init__(self, most: int = MOST_WAITS) -> None:
        self.most = most
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Raises Busy."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self.most} requests wait here already: ask without `wait`, or again in a second")
        try:
            yield
        finally:
            self._free.release()


def wait_for_end(ports: Ports, waits: Waits, owner: str | None, job_id: str, seconds: float) -> Job:
    """The job once it has ended, or as it is when the seconds are over. Raises NotFound, Busy."""
    end, look = ports.clock.monotonic() + seconds, FIRST_LOOK_SECONDS
    row = get_job(ports, owner, job_id)
    if row.status in ENDED or seconds <= 0:
        return row
    with waits.hold():
        while row.status not in ENDED and (left := end - ports.clock.monotonic()) > 0:
            ports.clock.pause(min(look, left))
            look = min(look * 1.5, LONGEST_LOOK_SECONDS)
            row = get_job(ports, owner, job_id)
    return row


def render_input(ports: Ports, payload: Payload) -> Rendered:
    if isinstance(payload, Inline):
        return payload.data
    return Link(ports.payloads.link(payload.key), payload.size)


def render_output(ports: Ports, payload: Payload | None, max_bytes: int) -> Rendered:
    """The output itself while it fits in `max_bytes`, wherever it is stored; else a
    link."""
    if payload is None or isinstance(payload, Inline):
        return payload.data if payload else None
    if payload.size <= max_bytes:
        try:
            data = ports.payloads.get(payload.key, max_bytes)
        except (PayloadMissing, TooLarge):
            data = b""
        if data and size_in_answer(data) <= max_bytes:
            return data
    return Link(ports.payloads.link(payload.key), payload.size)


def size_in_answer(data: bytes) -> int:
    """Lambda's limit counts the body as a JSON string in ASCII: a quote or backslash takes one byte more, each byte of
    another letter up to two."""
    beyond = 0 if data.isascii() else len(data.translate(None, ASCII))
    return len(data) + data.count(b'"') + data.count(b"\\") + 2 * beyond


def list_jobs(ports: Ports, chosen: Filter, before: str | None, limit: int) -> tuple[list[Job], str | None]:
    """Newest first, and the id to go on below (None at the end).

    Looks at the newest `limit` rows of the lists that fit the filter, and no further: where a list holds other jobs
    too, a page may be shorter than `limit` and still go on.
    """
    now = ports.clock.now()
    ids = ports.jobs.page(chosen, before, limit, now)
    kept = [row for row in ports.jobs.get_many(ids) if keeps(chosen, row, now)]
    return kept, ids[-1] if len(ids) == limit else None


@dataclass(frozen=True, slots=True)
class Board:
    running: Sequence[Job]
    scheduled: Sequence[Job]
    history: Sequence[Job]
    now: Millis


def get_board(ports: Ports, owner: str) -> Board:
    """The newest hundred of each side; a pending job is listed under running."""

    def newest(*statuses: Status) -> Sequence[Job]:
        return list_jobs(ports, Filter(owner, frozenset(statuses)), None, BOARD_SIZE)[0]

    return Board(newest(Status.PENDING, Status.RUNNING), newest(Status.SCHEDULED), newest(*ENDED), ports.clock.now())
