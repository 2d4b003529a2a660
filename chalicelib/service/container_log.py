"""What an attempt's container has written, also while it runs."""

from chalicelib.core.job import Job, container_of
from chalicelib.errors import NotFound
from chalicelib.ports import LogPage, Ports
from chalicelib.service import read


def read_log(ports: Ports, owner: str | None, job_id: str, attempt: int | None, after: str | None) -> LogPage:
    """`attempt` None: the newest. `after`: where the page before has ended. An attempt that has not started, or whose
    container never did, has no lines. Raises NotFound, Invalid."""
    row = read.get_job(ports, owner, job_id)
    if not row.remote:
        raise NotFound(f"the task {row.task} runs in no container: only those have a log")
    number = row.attempts if attempt is None else attempt
    if number > row.attempts:
        raise NotFound(f"the job has had {row.attempts} attempts")
    ref = _ref_of(row, number)
    return ports.containers.log(ref, after) if ref else LogPage([], after)


def _ref_of(row: Job, attempt: int) -> str | None:
    container = container_of(row)
    if container and container.attempt == attempt:
        return container.ref
    return next((past.ref for past in row.past_attempts if past.attempt == attempt), None)
