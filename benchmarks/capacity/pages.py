"""What a page of a list costs at 2, 8 and 20 lists: queries, and milliseconds on MiniStack."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from benchmarks.capacity.flows import EvenIds
from benchmarks.capacity.meter import Meter
from chalicelib import wiring
from chalicelib.config import Settings
from chalicelib.core.filters import Filter
from chalicelib.core.job import Status
from chalicelib.ports import Ports
from chalicelib.service import read
from chalicelib.service.bulk import submit_many
from chalicelib.service.new_job import NewJob

LISTS = (2, 8, 20)
JOBS, PAGE, TRIES = 100, 20, 5
SORT = NewJob(owner="pages", task="sort", input=b'{"array":[3,1,2]}')
FILTERS = {"every status": frozenset(Status), "one status": frozenset({Status.COMPLETED})}


@dataclass(frozen=True, slots=True)
class Page:
    """The cheapest of a few tries."""

    lists: int
    filter: str
    queries: int
    millis: float


def measured(settings: Settings, meter: Meter) -> list[Page]:
    """An owner of its own for each number of lists."""
    pages: list[Page] = []
    for lists in LISTS:
        with meter.watching():
            ports = replace(wiring.ports(replace(settings, list_shards=lists)), random=EvenIds())
            owner = f"pages-{lists}"
            submit_many(ports, owner, [replace(SORT, owner=owner)] * JOBS, key=None, bodies=[b""] * JOBS)
            pages += [_page(ports, meter, lists, name, Filter(owner, statuses)) for name, statuses in FILTERS.items()]
    return pages


def _page(ports: Ports, meter: Meter, lists: int, name: str, chosen: Filter) -> Page:
    seconds: list[float] = []
    for _ in range(TRIES):
        meter.reset()
        began = perf_counter()
        read.list_jobs(ports, chosen, None, PAGE)
        seconds.append(perf_counter() - began)
    return Page(lists, name, meter.take().calls["dynamodb.Query"], 1000 * min(seconds))


def lines(pages: Sequence[Page]) -> list[str]:
    head = f"{'MEASURED, a page of 20':<24}{'lists':>9}{'queries':>9}{'ms on MiniStack':>17}"
    return [head, *(f"  {each.filter:<22}{each.lists:>9}{each.queries:>9}{each.millis:>17.0f}" for each in pages)]
