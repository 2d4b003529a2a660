"""Stop whatever an owner has going: nobody is left who could do it by a token."""

from dataclasses import dataclass

from chalicelib.core.filters import Filter
from chalicelib.core.job import ENDED, Status
from chalicelib.errors import WrongStatus
from chalicelib.ports import Ports
from chalicelib.service import cancel, read, schedules

PAGE = 100
OPEN = frozenset(Status) - ENDED


@dataclass(frozen=True, slots=True)
class Stopped:
    schedules: int
    jobs: int


def stop_owner(ports: Ports, owner: str, by: str) -> Stopped:
    """Remove the owner's schedules, cancel what waits, and ask what runs to stop. What an index does not list yet is
    left: do it again a little later."""
    stands = ports.records.get_schedules(ports.records.schedule_ids(owner))
    for schedule in stands:
        schedules.remove_read(ports, schedule, by=by)
    jobs, before = 0, None
    while True:
        rows, before = read.list_jobs(ports, Filter(owner, OPEN), before, PAGE)
        jobs += sum(_cancel(ports, owner, row.id, by) for row in rows)
        if before is None:
            return Stopped(len(stands), jobs)


def _cancel(ports: Ports, owner: str, job_id: str, by: str) -> bool:
    try:
        cancel.cancel(ports, owner, job_id, by=by)
    except WrongStatus:
        return False  # it has ended meanwhile
    return True
