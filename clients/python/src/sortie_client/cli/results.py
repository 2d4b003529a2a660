"""Wait for a job with a bar, then put out what came of it; the exit code says how it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

import msgspec

from sortie_client.cli import bars
from sortie_client.cli.output import json_out, put_json
from sortie_client.client import Job
from sortie_client.errors import JobCanceled, JobFailed, SortieError

CODES = {"completed": 0, "failed": 1, "canceled": 3}
STEP = 10_000


def waited(job: Job, timeout: float | None) -> Job:
    """Raises StillRunning."""
    if not bars.is_seen():
        return job.wait(timeout)
    with bars.one_job(job.id) as on_update:
        return job.wait(timeout, on_update=on_update)


def finish(job: Job, timeout: float | None, *, as_json: bool) -> int:
    """The output on stdout, or with `as_json` the job. Raises JobFailed, JobCanceled, StillRunning."""
    waited(job, timeout)
    if as_json:
        put_json(job.to_dict())
        return CODES[job.status]
    with bars.transfer("download") as on_progress:
        job.save(json_out(), on_progress=on_progress)
    sys.stdout.buffer.write(b"\n")
    return 0


def write_numbers(job: Job, timeout: float | None, out: str | None, form: str) -> int:
    """`form`: json, lines or npy. Raises JobFailed, JobCanceled, StillRunning."""
    waited(job, timeout)
    error = failure(job)
    if error:
        raise error
    with bars.transfer("download") as on_progress:
        numbers = job.result(on_progress=on_progress)
    with _opened(out) as file:
        _write(file, numbers, form)
    return 0


def failure(job: Job) -> SortieError | None:
    """How a job that has ended badly is told."""
    if job.status == "failed":
        return JobFailed(job.state)
    return JobCanceled(job.state) if job.status == "canceled" else None


@contextmanager
def _opened(out: str | None) -> Iterator[BinaryIO | IO[bytes]]:
    if out is None or out == "-":
        yield sys.stdout.buffer
    else:
        with open(out, "wb") as file:
            yield file


def _write(file: Any, numbers: Any, form: str) -> None:
    if form == "npy":
        import numpy as np  # it is here: the file that came was its own

        np.save(file, numbers)
        return
    encode = msgspec.json.Encoder().encode
    start, between, end = (b"[", b",", b"]\n") if form == "json" else (b"", b"\n", b"\n" if len(numbers) else b"")
    file.write(start)
    for at in range(0, len(numbers), STEP):
        text = encode(numbers[at : at + STEP])[1:-1]
        file.write((between if at else b"") + (text if form == "json" else text.replace(b",", between)))
    file.write(end)
