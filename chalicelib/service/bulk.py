"""Submit up to a hundred jobs at once: batch writes, then batch sends; each is judged by itself."""

from collections.abc import Sequence

from chalicelib.errors import SortieError
from chalicelib.ports import Ports
from chalicelib.service import hints, journal
from chalicelib.service.new_job import NewJob, build
from chalicelib.service.submit import Submitted, submit


def submit_many(
    ports: Ports, wanted: Sequence[NewJob | SortieError], *, key: str | None, bodies: Sequence[bytes]
) -> list[Submitted | SortieError]:
    """In the order asked for; an entry that is already an error stays one.

    Jobs with a window, and all of them under an Idempotency-Key, have to be decided one by one. The rest is new for
    certain and goes in batches.
    """
    results: list[Submitted | SortieError] = []
    batch = []
    for place, new in enumerate(wanted):
        if isinstance(new, SortieError):
            results.append(new)
        elif key is not None or new.window is not None:
            results.append(_alone(ports, new, f"{key}\n{place}" if key else None, bodies[place]))
        else:
            built = _build(ports, new)
            results.append(built)
            if isinstance(built, Submitted):
                batch.append(built.job)
    if batch:
        ports.jobs.insert_many(batch)
        for job in batch:
            journal.moved("submit", job, None)
        hints.send(ports, batch, ports.clock.now())
    return results


def _alone(ports: Ports, new: NewJob, key: str | None, body: bytes) -> Submitted | SortieError:
    try:
        return submit(ports, new, key=key, body=body)
    except SortieError as error:
        return error


def _build(ports: Ports, new: NewJob) -> Submitted | SortieError:
    now = ports.clock.now()
    try:
        return Submitted(build(ports, new, ports.chance.new_id(now), now), created=True)
    except SortieError as error:
        return error
