"""Submit up to a hundred jobs at once: batch writes, then batch sends; each is judged by itself."""

from collections.abc import Sequence

from chalicelib.core.job import Job
from chalicelib.errors import SortieError, Unavailable
from chalicelib.ports import Ports
from chalicelib.service import log, notify
from chalicelib.service.inputs import Inputs
from chalicelib.service.new_job import NewJob, build
from chalicelib.service.submit import Submitted, submit_judged

BATCH_ROWS = 25
"""What one call to the table takes."""


def submit_many(
    ports: Ports, owner: str, entries: Sequence[NewJob | SortieError], *, key: str | None, bodies: Sequence[bytes]
) -> list[Submitted | SortieError]:
    """In the order asked for; an entry that is already an error stays one, unless it repeats a job under its key.

    Jobs with a window, and all of them under an Idempotency-Key, have to be decided one by one. The rest is new for
    certain and goes in batches. Once AWS does not answer, nothing more is tried: the entries that are left say so, and
    the others stand. The answer has to come before API Gateway's patience ends.
    """
    results: list[Submitted | SortieError] = []
    new_ones: dict[int, Job] = {}
    inputs = Inputs(ports)
    away: Unavailable | None = None
    for position, entry in enumerate(entries):
        result: Submitted | SortieError
        if isinstance(entry, SortieError) and key is None:
            result = entry
        elif away is not None:
            result = away
        elif isinstance(entry, NewJob) and key is None and entry.window is None:
            result = _build(ports, entry, inputs)
            if isinstance(result, Submitted):
                new_ones[position] = result.job
        else:
            name = f"{key}\n{position}" if key else None
            result = _alone(ports, owner, entry, name, bodies[position])
        if isinstance(result, Unavailable):
            away = result
        results.append(result)
    written: list[Job] = []
    positions = list(new_ones)
    for start in range(0, len(positions), BATCH_ROWS):
        batch = positions[start : start + BATCH_ROWS]
        jobs = [new_ones[position] for position in batch]
        if away is None:
            try:
                ports.jobs.insert_many(jobs)
            except Unavailable as error:
                away = error
        if away is None:
            written += jobs
        else:
            for position in batch:
                results[position] = away
    for job in written:
        log.transition("submit", job, None)
    if written:
        notify.send(ports, written, ports.clock.now())
    return results


def _alone(
    ports: Ports, owner: str, entry: NewJob | SortieError, key: str | None, body: bytes
) -> Submitted | SortieError:
    try:
        return submit_judged(ports, owner, entry, key=key, body=body)
    except SortieError as error:
        return error


def _build(ports: Ports, new: NewJob, inputs: Inputs) -> Submitted | SortieError:
    now = ports.clock.now()
    try:
        return Submitted(build(ports, new, ports.random.new_id(now), now, inputs), created=True)
    except SortieError as error:
        return error
