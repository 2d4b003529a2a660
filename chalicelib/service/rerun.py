"""Run a job again: a new job from one that has ended, however it did."""

from chalicelib.core.job import ENDED, Job
from chalicelib.errors import SortieError, WrongStatus
from chalicelib.ports import Ports
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import Submitted, submit_judged


def run_again(
    ports: Ports, parent: Job, entry: NewJob | SortieError, *, key: str | None, body: bytes, by: str
) -> Submitted:
    """`entry`: the new job as it was judged; it belongs to the parent's owner. `by`: who asks, whose key it is. Raises
    WrongStatus, and what `submit_judged` raises."""
    if parent.status not in ENDED:
        raise WrongStatus(f"only a job that has ended can be run again: this one is {parent.status}")
    # The same body for another parent is another request.
    return submit_judged(ports, parent.owner, entry, key=key, body=parent.id.encode() + b"\n" + body, by=by)
