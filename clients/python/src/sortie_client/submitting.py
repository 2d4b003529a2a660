"""Plans that make jobs: one, many, and a large input's upload before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import msgspec

from sortie_client import asking
from sortie_client.answers import BulkAnswer, BulkResult, JobState, Upload
from sortie_client.errors import Invalid, SortieError
from sortie_client.estimates import TooSmall
from sortie_client.inputs import FileSource, Inline, Source, TaskInput, prepare
from sortie_client.plans import Pause, Plan, Progress, Put, Response
from sortie_client.retries import Retries, pause_before_next

BULK_JOBS = 100
BULK_BYTES = 4_900_000
BULK_INLINE = 4_800_000
"""What a job of a bulk may hold itself; a larger input goes by upload."""
REFUSED_ENTRY = b"{}"
"""Stands in the place of an entry that is settled: the service refuses it and makes nothing."""


class Prepared(msgspec.Struct, frozen=True):
    """A job request that is ready to be sent. `fields`: what stands beside task and input."""

    task: str
    task_input: TaskInput
    fields: Mapping[str, Any]

    @property
    def dtype(self) -> Any:
        return self.task_input.dtype


def prepared(task: str, task_input: Any, array: Any, fields: Mapping[str, Any], limit: int) -> Prepared:
    """Raises BadInput."""
    content = prepare(task_input, array, limit)
    return Prepared(task, content, {name: value for name, value in fields.items() if value is not None})


def submit(policy: Retries, job: Prepared, key: str | None, on_progress: Progress | None) -> Plan[JobState]:
    """Raises Refused, Unreachable."""
    body = yield from job_body(policy, job, on_progress)
    try:
        response = yield from asking.post(policy, "/jobs", body, key)
    except Invalid as refused:
        source = _source_of(job) if refused.status == 413 else None
        if source is None:
            raise
        # This service takes less in a request than others do.
        body = _request(job, (yield from upload(policy, source, on_progress)))
        response = yield from asking.post(policy, "/jobs", body, key)
    return asking.answer(JobState, response)


def job_body(policy: Retries, job: Prepared, on_progress: Progress | None) -> Plan[bytes]:
    return _request(job, (yield from input_json(policy, job.task_input, on_progress)))


def input_json(policy: Retries, task_input: TaskInput, on_progress: Progress | None = None) -> Plan[bytes]:
    """The JSON of `input`, once what is large has been uploaded."""
    if isinstance(task_input.content, Inline):
        return task_input.content.json
    try:
        return (yield from upload(policy, task_input.content, on_progress))
    except TooSmall:
        return (yield from input_json(policy, task_input.counted(), on_progress))
    finally:
        task_input.close()


def upload(policy: Retries, source: Source, on_progress: Progress | None) -> Plan[bytes]:
    """The JSON that names the upload."""
    size = msgspec.json.encode({"bytes": source.size})
    upload = asking.answer(Upload, (yield from asking.post(policy, "/uploads", size)))
    yield from asking.put(policy, Put(upload.href, upload.headers, source, on_progress))
    return msgspec.json.encode({"upload": upload.id})


def submit_many(policy: Retries, jobs: Sequence[Prepared]) -> Plan[list[JobState | SortieError]]:
    """In the order asked for. What is refused is its error, and the others stand; so it is where the service falls
    silent after it has made some. Raises Refused, Unreachable where it has made none."""
    results: dict[int, JobState | SortieError] = {}
    batch: dict[int, bytes] = {}
    failure: SortieError | None = None
    for index, job in enumerate(jobs):
        try:
            body = yield from job_body(policy, job, None)
        except SortieError as error:
            results[index] = failure = error
            continue
        if batch and (len(batch) == BULK_JOBS or sum(map(len, batch.values())) + len(body) > BULK_BYTES):
            failure = (yield from _flush(policy, batch, results)) or failure
            batch = {}
        batch[index] = body
    failure = (yield from _flush(policy, batch, results)) or failure
    if failure is not None and not any(isinstance(result, JobState) for result in results.values()):
        raise failure
    return [results[index] for index in range(len(jobs))]


def _flush(
    policy: Retries, batch: Mapping[int, bytes], results: dict[int, JobState | SortieError]
) -> Plan[SortieError | None]:
    """The error of a batch that was not taken at all, which is then that of each of its entries."""
    if not batch:
        return None
    try:
        outcomes = yield from _submit_batch(policy, list(batch.values()))
    except SortieError as error:
        results.update(dict.fromkeys(batch, error))
        return error
    results.update(zip(batch, outcomes, strict=True))
    return None


def _submit_batch(policy: Retries, bodies: Sequence[bytes]) -> Plan[list[JobState | SortieError]]:
    """One key for the batch gives each place a key of its own. An entry that reads 503 may or may not have made its
    job: it is sent again at the same place under the same key, which makes it once.
    """
    key = asking.new_key()
    results: dict[int, BulkResult] = {}
    left = list(range(len(bodies)))
    tried, paused = 0, 0.0
    while True:
        tried += 1
        entries = [bodies[index] if index in left else REFUSED_ENTRY for index in range(max(left) + 1)]
        body = b'{"jobs":[%b]}' % b",".join(entries)
        answer = asking.answer(BulkAnswer, (yield from asking.post(policy, "/jobs/bulk", body, key)))
        results |= {index: answer.results[index] for index in left}
        left = [index for index in left if answer.results[index].status == 503]
        if not left:
            break
        pause = pause_before_next(policy, tried, Response(503), chance=asking.chance(), paused=paused)
        if pause is None:
            break
        paused += pause
        yield Pause(pause)
    return [_outcome(results[index]) for index in range(len(bodies))]


def _outcome(result: BulkResult) -> JobState | SortieError:
    if result.job is not None:
        return result.job
    problem = result.problem.to_dict() if result.problem else {}
    body = msgspec.json.encode({**problem, "status": result.status})
    return asking.refusal(Response(result.status, body=body))


def _request(job: Prepared, task_input: bytes) -> bytes:
    return msgspec.json.encode({"task": job.task, "input": msgspec.Raw(task_input), **job.fields})


def _source_of(job: Prepared) -> Source | None:
    content = job.task_input.content
    if not isinstance(content, Inline):
        return None

    return FileSource(BytesIO(content.json), len(content.json))
