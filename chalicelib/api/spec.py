"""OpenAPI 3.1 from the models of requests.py and answers.py and the tasks' own types. `make spec` writes it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chalicelib.api import answers, job_schema, requests
from chalicelib.core.access import OWNER_PATTERN
from chalicelib.core.job import Status
from chalicelib.core.task import Task

VERSION = "0.1.0"
Json = dict[str, Any]
ID = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/?#%]+$"}


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    id: str
    summary: str
    answers: Mapping[int, type | str]
    problems: Sequence[int]
    body: type | None = None
    query: Mapping[str, Json] | None = None
    public: bool = False
    idempotent: bool = False


OWNER_QUERY: Mapping[str, Json] = {"owner": {"type": "string", "pattern": f"^{OWNER_PATTERN}$"}}
LIST_QUERY: Mapping[str, Json] = {
    **OWNER_QUERY,
    "status": {"enum": [str(status) for status in Status], "type": "string"},
    "task": {"type": "string", "maxLength": requests.LONGEST_NAME},
    "object_id": {"type": "string", "minLength": 1, "maxLength": 128},
    "group": {"type": "string", "maxLength": requests.LONGEST_NAME},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "cursor": {"type": "string", "pattern": "^[0-7][0-9a-hjkmnp-tv-z]{25}$"},
}
WAIT_QUERY: Mapping[str, Json] = {"wait": {"type": "integer", "minimum": 1, "maximum": 25}}
SPAN_QUERY: Mapping[str, Json] = {**OWNER_QUERY, "span": {"type": "string", "enum": ["hour", "day"], "default": "hour"}}

ROUTES = (
    Route("post", "/jobs", "submitJob", "Submit a job", {200: answers.JobAnswer, 202: answers.JobAnswer},
          (400, 413, 415, 422, 429), requests.JobRequest, idempotent=True),
    Route("post", "/jobs/bulk", "submitBulk", "Submit up to a hundred jobs, each judged by itself",
          {207: answers.BulkAnswer}, (400, 413, 415, 422), requests.BulkRequest, idempotent=True),
    Route("get", "/jobs", "listJobs", "List jobs, newest first", {200: answers.JobList}, (422,), query=LIST_QUERY),
    Route("get", "/jobs/{job_id}", "getJob", "One job; `wait` holds the answer until it ends or the seconds pass",
          {200: answers.JobAnswer}, (404, 422), query=WAIT_QUERY),
    Route("delete", "/jobs/{job_id}", "cancelJob", "Cancel a job; a running one stops at its next checkpoint",
          {200: answers.JobAnswer, 202: answers.JobAnswer}, (404, 409)),
    Route("post", "/jobs/{job_id}/retry", "retryJob", "Run a failed or canceled job again",
          {202: answers.JobAnswer}, (404, 409)),
    Route("get", "/board", "getBoard", "What runs, what is scheduled, what has ended", {200: answers.BoardAnswer},
          (422,), query=OWNER_QUERY),
    Route("get", "/groups", "listGroups", "The groups of groups.yaml and what is wrong with them",
          {200: answers.GroupList}, ()),
    Route("get", "/groups/{name}", "getGroup", "One group", {200: answers.GroupList}, (404,)),
    Route("post", "/groups/{name}/runs", "startRun", "Start all jobs of a group, or none",
          {202: answers.RunStarted}, (404, 422)),
    Route("get", "/groups/{name}/runs/{run_id}", "getRun", "How far a run is", {200: answers.RunAnswer}, (404, 422),
          query=OWNER_QUERY),
    Route("post", "/schedules", "addSchedule", "Submit a job each time a cron line fires",
          {201: answers.ScheduleAnswer}, (400, 413, 415, 422), requests.ScheduleRequest),
    Route("get", "/schedules", "listSchedules", "All schedules", {200: answers.ScheduleList}, (422,),
          query=OWNER_QUERY),
    Route("delete", "/schedules/{schedule_id}", "removeSchedule", "Remove a schedule", {204: ""}, (404,)),
    Route("post", "/uploads", "createUpload", "A place for an input too large for a request",
          {201: answers.UploadAnswer}, (400, 413, 415, 422), requests.UploadRequest),
    Route("get", "/stats", "getStats", "Open jobs, the queue, and what ended in the last hour or day",
          {200: answers.StatsAnswer}, (422,), query=SPAN_QUERY),
    Route("get", "/health", "getHealth", "Do table, queue and bucket answer?",
          {200: answers.HealthAnswer}, (), public=True),
    Route("get", "/openapi.json", "getSpec", "This document", {200: "application/json"}, (), public=True),
    Route("get", "/", "getPage", "The dashboard", {200: "text/html"}, (), public=True),
    Route("get", "/docs", "getDocs", "These docs as a page", {200: "text/html"}, (), public=True),
)  # fmt: skip
WORDS = {
    200: "As it stands", 201: "Made", 202: "Accepted", 204: "Gone", 207: "A result for each, in order",
}  # fmt: skip
HEADERS: Json = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}
LOCATED = ("submitJob", "startRun", "addSchedule")
_JOB = {"job_id": "$response.body#/id"}
LINKS: Mapping[tuple[str, int], Json] = {
    ("submitJob", 202): {
        "get": {"operationId": "getJob", "parameters": _JOB},
        "cancel": {"operationId": "cancelJob", "parameters": _JOB},
        "retry": {"operationId": "retryJob", "parameters": _JOB},
    },
    ("startRun", 202): {
        "run": {
            "operationId": "getRun",
            "parameters": {"name": "$response.body#/group", "run_id": "$response.body#/run_id"},
        }
    },
    ("addSchedule", 201): {
        "remove": {"operationId": "removeSchedule", "parameters": {"schedule_id": "$response.body#/id"}}
    },
}


def build(tasks: Mapping[str, Task]) -> Json:
    """The whole document, in a stable order."""
    models: list[Any] = [requests.JobRequest, requests.WindowRequest, answers.Problem]
    models += [kind for route in ROUTES for kind in route.answers.values() if not isinstance(kind, str)]
    models += [route.body for route in ROUTES if route.body is not None]
    _, components = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    components |= job_schema.build(components["JobRequest"], tasks)
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sortie", "version": VERSION, "description": "Background jobs over REST."},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
        "x-tasks": {name: _task(task) for name, task in sorted(tasks.items())},
    }


def _operation(route: Route) -> Json:
    responses = {str(status): _response(route, status, kind) for status, kind in route.answers.items()}
    refused = (*route.problems, *(() if route.public else (401, 403)), 405, 422, 503)
    for status in sorted(set(refused) - set(route.answers)):
        responses[str(status)] = _problem_response(status)
    operation: Json = {
        "operationId": route.id, "summary": route.summary, "parameters": _parameters(route),
        "responses": dict(sorted(responses.items())),
    }  # fmt: skip
    if route.body is not None:
        required = route.body is not requests.UploadRequest
        schema = {"$ref": f"#/components/schemas/{route.body.__name__}"}
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    if route.public:
        operation["security"] = [{}]
    return operation


def _parameters(route: Route) -> list[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    found: list[Json] = [{"name": name, "in": "path", "required": True, "schema": ID} for name in names]
    found += [{"name": name, "in": "query", "schema": schema} for name, schema in (route.query or {}).items()]
    if route.idempotent:
        schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
        found.append({"name": "Idempotency-Key", "in": "header", "schema": schema})
    return found


def _response(route: Route, status: int, kind: type | str) -> Json:
    found: Json = {"description": WORDS[status], "headers": dict(HEADERS)}
    if status in (201, 202) and route.method == "post" and route.id in LOCATED:
        found["headers"]["Location"] = {"required": True, "schema": {"type": "string"}}
    if (route.id, status) in LINKS:
        found["links"] = LINKS[route.id, status]
    if isinstance(kind, str):
        schema: Json = {"type": "object"} if kind == "application/json" else {"type": "string"}
        return found | ({"content": {kind: {"schema": schema}}} if kind else {})
    ref = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return found | {"content": {"application/json": {"schema": ref}}}


def _problem_response(status: int) -> Json:
    headers = dict(HEADERS)
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    if status == 405:
        headers["Allow"] = {"required": True, "schema": {"type": "string"}}
    ref = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": ref}}
    return {"description": "A problem", "headers": headers, "content": content}


def _task(task: Task) -> Json:
    output = job_schema.inlined(msgspec.json.schema(task.output))
    return {"summary": task.summary, "input": job_schema.input_of(task), "output": output}
