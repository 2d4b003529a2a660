"""The blocking client: `Sortie`, and the jobs, pages and batches it hands out. async_client.py is its twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sortie_client import actions, logs, queries, submitting, waiting
from sortie_client.address import Address, resolve
from sortie_client.answers import Board, Group, JobState, RunStarted, RunState, Schedule, Stats
from sortie_client.batch_view import BatchView
from sortie_client.inputs import prepare
from sortie_client.job_view import JobView
from sortie_client.plans import Plan, Progress
from sortie_client.requests import prepared_request
from sortie_client.retries import Retries
from sortie_client.waiting import Deadline, Update, Watch
from sortie_client.wire import Wire

T = TypeVar("T")


class Sortie:
    """A client of one service. `url` and `token` come from SORTIE_URL and SORTIE_TOKEN, else from a profile in
    ~/.config/sortie/config.toml. Threads may share it. Nothing is sent before the first call.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        profile: str | None = None,
        retries: Retries | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.address: Address = resolve(url, token, profile)
        self.retries = retries or Retries()
        self._wire = Wire(self.address, timeout)

    def submit(
        self,
        task: str = "sort",
        input: Any = None,
        *,
        array: Any = None,
        object_id: str | int | None = None,
        window: Mapping[str, Any] | None = None,
        run_in: str | float | None = None,
        run_at: Any = None,
        timeout: float | None = None,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        on_progress: Progress | None = None,
    ) -> Job:
        """Make a job. `array`, the input's field of that name: a list, a numpy array, a path or a binary file.

        What is larger than a request goes by upload; `on_progress(done, all)` is called with its bytes. `run_at` is a
        datetime with a zone, or text. Raises BadInput, Invalid, WindowHeld, Unauthorized, Forbidden, Unreachable.
        """
        request = {
            "task": task, "input": input, "array": array, "object_id": object_id, "window": window, "run_in": run_in,
            "run_at": run_at, "timeout": timeout, "max_attempts": max_attempts,
        }  # fmt: skip
        job = prepared_request(request)
        state = self._run(submitting.submit(self.retries, job, idempotency_key, on_progress))
        return Job(self, state, job.dtype)

    def submit_many(self, requests: Iterable[Mapping[str, Any]]) -> Batch:
        """Make many jobs, a hundred a request. A request is a mapping of what `submit` takes."""
        jobs = [prepared_request(request, submitting.BULK_INLINE) for request in requests]
        results = self._run(submitting.submit_many(self.retries, jobs))
        return Batch(self, [
            Job(self, result, job.dtype) if isinstance(result, JobState) else result
            for job, result in zip(jobs, results, strict=True)
        ])  # fmt: skip

    def job(self, job_id: str) -> Job:
        """The job of an id, made here or anywhere. Raises NotFound."""
        return Job(self, self._run(waiting.job(self.retries, job_id)))

    def jobs(
        self,
        *,
        status: str | None = None,
        task: str | None = None,
        object_id: str | int | None = None,
        group: str | None = None,
        schedule_id: str | None = None,
        since: Any = None,
        until: Any = None,
        owner: str | None = None,
    ) -> Pages:
        """Newest first. `since` and `until`: a datetime with a zone, RFC 3339, or how long ago, such as "1h"."""
        filters = {
            "status": status, "task": task, "object_id": object_id, "group": group, "schedule_id": schedule_id,
            "since": since, "until": until, "owner": owner,
        }  # fmt: skip
        return Pages(self, filters)

    def board(self, owner: str | None = None) -> Board:
        return self._run(queries.board(self.retries, owner))

    def stats(self, span: str = "hour", owner: str | None = None) -> Stats:
        return self._run(queries.stats(self.retries, span, owner))

    def groups(self) -> list[Group]:
        return self._run(queries.groups(self.retries))

    def start_group(self, name: str, *, idempotency_key: str | None = None) -> RunStarted:
        return self._run(queries.start_run(self.retries, name, idempotency_key))

    def group_run(self, name: str, run_id: str, owner: str | None = None) -> RunState:
        return self._run(queries.run(self.retries, name, run_id, owner))

    def schedules(self, owner: str | None = None) -> list[Schedule]:
        return self._run(queries.schedules(self.retries, owner))

    def add_schedule(
        self, cron: str, job: Mapping[str, Any], timezone: str = "UTC", *, idempotency_key: str | None = None
    ) -> Schedule:
        body = {"cron": cron, "timezone": timezone, "job": job}
        return self._run(queries.add_schedule(self.retries, body, idempotency_key))

    def remove_schedule(self, schedule_id: str) -> None:
        self._run(queries.remove_schedule(self.retries, schedule_id))

    def role(self) -> str:
        """What the token may do: read, submit or admin."""
        return self._run(queries.role(self.retries))

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> Sortie:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sortie at {self.address.url}>"

    def _run(self, plan: Plan[T]) -> T:
        return self._wire.run(plan)


class Job(JobView):
    """A job of this service."""

    def __init__(self, client: Sortie, state: JobState, dtype: Any = None) -> None:
        super().__init__(state, dtype)
        self._client = client

    def result(self, timeout: float | None = None, *, dtype: Any = None, on_progress: Progress | None = None) -> Any:
        """The output once the job has completed; of a sort, the array. A numpy array given comes back as one, of its
        dtype; `dtype` asks for one. `on_progress(done, all)`: bytes of an output that is streamed.

        Raises JobFailed, JobCanceled, and TimeoutError when the time-out passes: the job goes on.
        """
        self.wait(timeout)
        if self.status == "completed" and not self.state.is_whole:
            self.refresh()
        plan = waiting.output(self._client.retries, self.state, dtype or self.dtype, on_progress)
        return self._client._run(plan)

    def wait(self, timeout: float | None = None, *, on_update: Update | None = None) -> Job:
        """Until the job has ended, however that is. Raises TimeoutError. `on_update` sees the job once a second."""
        if not self.has_ended:
            plan = waiting.ended(self._client.retries, self.id, Deadline(timeout), on_update)
            self.state = self._client._run(plan)
        return self

    def refresh(self) -> Job:
        self.state = self._client._run(waiting.job(self._client.retries, self.id))
        return self

    def cancel(self) -> Job:
        """Raises WrongStatus when it has ended."""
        self.state = self._client._run(actions.cancel(self._client.retries, self.id))
        return self

    def retry(self) -> Job:
        """The same job once more, when it failed or was canceled. Raises WrongStatus."""
        self.state = self._client._run(actions.retry(self._client.retries, self.id))
        return self

    def run_again(
        self, *, input: Any = None, array: Any = None, idempotency_key: str | None = None, **changes: Any
    ) -> Job:
        """A new job like this ended one, with changed fields: `run_again(array=[2, 1], timeout=5)`."""
        task_input = None if input is None and array is None else prepare(input, array)
        plan = actions.run_again(self._client.retries, self.id, task_input, changes, idempotency_key)
        return Job(self._client, self._client._run(plan), task_input.dtype if task_input else self.dtype)

    def log(self, *, attempt: int | None = None, follow: bool = False) -> Iterator[str]:
        """The lines of an attempt, the newest if none is named. `follow` goes on until the job has ended."""
        reader = logs.Reader(self.id, attempt, follow)
        while not reader.is_done:
            yield from self._client._run(logs.next_lines(self._client.retries, reader))

    def save(self, file: Any, *, on_progress: Progress | None = None) -> None:
        """Stream the output of a completed job into a binary file, as the JSON it is."""
        if not self.state.is_whole:
            self.refresh()
        self._client._run(waiting.saved(self._client.retries, self.state, file, on_progress))


class Pages:
    """Jobs that a filter fits: iterates over all of them, page by page as they are needed."""

    def __init__(self, client: Sortie, filters: Mapping[str, Any]) -> None:
        self._client = client
        self._filters = filters

    def __iter__(self) -> Iterator[Job]:
        for page in self.pages():
            yield from page

    def pages(self, limit: int = queries.PAGE) -> Iterator[list[Job]]:
        cursor: str | None = None
        while True:
            page = self._client._run(queries.page(self._client.retries, {**self._filters, "limit": limit}, cursor))
            yield [Job(self._client, state) for state in page.jobs]
            cursor = page.next
            if cursor is None:
                return


class Batch(BatchView[Job]):
    """What came of `submit_many`."""

    def __init__(self, client: Sortie, results: list[Any]) -> None:
        super().__init__(results)
        self._client = client

    def as_completed(self, timeout: float | None = None) -> Iterator[Job]:
        """The jobs as they end, however that is. Raises TimeoutError when the time-out passes: the rest goes on."""
        deadline, watch = Deadline(timeout), Watch(job.id for job in self.jobs if not job.has_ended)
        yield from (job for job in self.jobs if job.has_ended)
        while watch.open:
            plan = waiting.next_ended(self._client.retries, watch, deadline)
            yield from self.updated(self._client._run(plan))
