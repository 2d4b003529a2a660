"""Every route, one row each: the row registers it, guards it, checks its query and its body, and makes its page of the
spec. `view` names the function in app.py that answers it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from chalicelib.api.bulk import BulkAnswer, BulkRequest
from chalicelib.api.groups import GroupList, RunAnswer, RunStarted
from chalicelib.api.jobs import JobAnswer, JobRequest
from chalicelib.api.lists import BoardAnswer, JobList
from chalicelib.api.query import (
    AFTER,
    ATTEMPT,
    CURSOR,
    GROUP,
    LIMIT,
    OBJECT_ID,
    OWNER,
    SCHEDULE_ID,
    SINCE,
    SPAN,
    STATUS,
    TASK,
    UNTIL,
    WAIT,
    Parameter,
)
from chalicelib.api.run_again import RunAgainRequest
from chalicelib.api.schedules import ScheduleAnswer, ScheduleList, ScheduleRequest
from chalicelib.api.stats import HealthAnswer, StatsAnswer
from chalicelib.api.uploads import UploadAnswer, UploadRequest
from chalicelib.core.access import Role

READ, SUBMIT, PUBLIC = Role.READ, Role.SUBMIT, None
PAGE, JSON, TEXT, NOTHING = "text/html", "application/json", "text/plain", ""
BAD_BODY = (400, 413, 415, 422)
JOB_LINKS = {name: (view, {"job_id": "id"}) for name, view in
             (("get", "get_job"), ("cancel", "cancel_job"), ("retry", "retry_job"))}  # fmt: skip
RUN_LINKS = {"run": ("get_run", {"name": "group", "run_id": "run_id"})}
SCHEDULE_LINKS = {"remove": ("remove_schedule", {"schedule_id": "id"})}


@dataclass(frozen=True, slots=True)
class Route:
    """`role`: what the token must have; None asks for no token. `answers`: a model or a media type, by status.
    `problems`: statuses beside those of every route. `located`: a 201 or 202 says `Location`. `links`: the views that
    lead on from what was made, and the field of the answer for each path parameter. `hidden`: not in the spec.
    """

    method: str
    path: str
    view: str
    summary: str
    role: Role | None
    tag: str
    _: KW_ONLY
    answers: Mapping[int, type | str]
    problems: Sequence[int] = ()
    query: Sequence[Parameter] = ()
    body: type | None = None
    body_required: bool = True
    idempotent: bool = False
    located: bool = False
    links: Mapping[str, tuple[str, Mapping[str, str]]] | None = None
    hidden: bool = False

    @property
    def methods(self) -> list[str]:
        return [self.method, "HEAD"] if self.method == "GET" else [self.method]


ROUTES = (
    Route("POST", "/jobs", "submit_job", "Submit a job", SUBMIT, "jobs",
          body=JobRequest, answers={200: JobAnswer, 202: JobAnswer}, problems=(*BAD_BODY, 429), idempotent=True,
          located=True, links=JOB_LINKS),
    Route("POST", "/jobs/bulk", "submit_bulk", "Submit up to a hundred jobs, each judged by itself", SUBMIT, "jobs",
          body=BulkRequest, answers={207: BulkAnswer}, problems=BAD_BODY, idempotent=True),
    Route("GET", "/jobs", "list_jobs", "List jobs, newest first", READ, "jobs",
          query=(OWNER, STATUS, TASK, OBJECT_ID, GROUP, SCHEDULE_ID, SINCE, UNTIL, LIMIT, CURSOR),
          answers={200: JobList}),
    Route("GET", "/jobs/{job_id}", "get_job", "One job; `wait` holds the answer until it ends or the seconds pass",
          READ, "jobs", query=(WAIT,), answers={200: JobAnswer}, problems=(404, 429)),
    Route("DELETE", "/jobs/{job_id}", "cancel_job", "Cancel a job; a running one stops at its next checkpoint",
          SUBMIT, "jobs", answers={200: JobAnswer, 202: JobAnswer}, problems=(404, 409)),
    Route("POST", "/jobs/{job_id}/retry", "retry_job", "Run a failed or canceled job again", SUBMIT, "jobs",
          answers={202: JobAnswer}, problems=(404, 409)),
    Route("GET", "/jobs/{job_id}/log", "get_log", "What an attempt's container has written, also while it runs",
          READ, "jobs", query=(ATTEMPT, AFTER), answers={200: TEXT}, problems=(404,)),
    Route("POST", "/jobs/{job_id}/run-again", "run_again", "Make a new job from one that has ended", SUBMIT, "jobs",
          body=RunAgainRequest, body_required=False, answers={200: JobAnswer, 202: JobAnswer},
          problems=(*BAD_BODY, 404, 409, 429), idempotent=True, located=True),
    Route("GET", "/board", "get_board", "What runs, what is scheduled, what has ended", READ, "look",
          query=(OWNER,), answers={200: BoardAnswer}),
    Route("GET", "/groups", "list_groups", "The groups of groups.yaml and what is wrong with them", READ, "groups",
          answers={200: GroupList}),
    Route("GET", "/groups/{name}", "get_group", "One group", READ, "groups", answers={200: GroupList},
          problems=(404,)),
    Route("POST", "/groups/{name}/runs", "start_run", "Start all jobs of a group, or none", SUBMIT, "groups",
          answers={200: RunStarted, 202: RunStarted}, problems=(404,), idempotent=True, located=True, links=RUN_LINKS),
    Route("GET", "/groups/{name}/runs/{run_id}", "get_run", "How far a run is", READ, "groups",
          query=(OWNER,), answers={200: RunAnswer}, problems=(404,)),
    Route("POST", "/schedules", "add_schedule", "Submit a job each time a cron line fires", SUBMIT, "schedules",
          body=ScheduleRequest, answers={200: ScheduleAnswer, 201: ScheduleAnswer}, problems=(*BAD_BODY, 429),
          idempotent=True, located=True, links=SCHEDULE_LINKS),
    Route("GET", "/schedules", "list_schedules", "List schedules, oldest first", READ, "schedules",
          query=(OWNER, LIMIT, CURSOR), answers={200: ScheduleList}),
    Route("GET", "/schedules/{schedule_id}", "get_schedule", "One schedule, with its job", READ, "schedules",
          answers={200: ScheduleAnswer}, problems=(404,)),
    Route("DELETE", "/schedules/{schedule_id}", "remove_schedule", "Remove a schedule", SUBMIT, "schedules",
          answers={204: NOTHING}, problems=(404,)),
    Route("POST", "/uploads", "create_upload", "A place for an input too large for a request", SUBMIT, "uploads",
          body=UploadRequest, answers={201: UploadAnswer}, problems=(*BAD_BODY, 429), idempotent=True),
    Route("GET", "/stats", "get_stats", "Open jobs, the queue, and what ended in the last hour or day", READ, "look",
          query=(OWNER, SPAN), answers={200: StatsAnswer}),
    Route("GET", "/metrics", "get_metrics", "The last hour in Prometheus's text form", READ, "look",
          query=(OWNER,), answers={200: TEXT}),
    Route("GET", "/health", "get_health", "Do table, queue and bucket answer?", PUBLIC, "look",
          answers={200: HealthAnswer}),
    Route("GET", "/openapi.json", "get_spec", "This document", PUBLIC, "look", answers={200: JSON}),
    Route("GET", "/", "get_page", "The dashboard", PUBLIC, "look", answers={200: PAGE}),
    Route("GET", "/docs", "get_docs", "These docs as a page", PUBLIC, "look", answers={200: PAGE}),
    Route("GET", "/web/{folder}/{name}", "get_asset", "A file of the pages", PUBLIC, "look", answers={200: PAGE},
          hidden=True),
)  # fmt: skip
BY_VIEW: Mapping[str, Route] = {route.view: route for route in ROUTES}


def require_route(view: str) -> Route:
    """The row of a view. A view without one is a mistake that the first import tells."""
    if view not in BY_VIEW:
        raise LookupError(f"the view {view} has no row in chalicelib/api/routes.py")
    return BY_VIEW[view]
