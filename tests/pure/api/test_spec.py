"""/openapi.json is current, valid, and true: the answers of real calls fit it."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from chalicelib import tasks
from chalicelib.api import routes
from ops import spec
from tests.pure.api.conftest import MemoryApi

SPEC = json.loads(spec.FILE.read_text("utf-8"))
CALLS: list[tuple[str, str, str, Any]] = [
    ("POST", "/jobs", "/jobs", {"array": [3, 1, 2]}),
    ("POST", "/jobs", "/jobs", {"array": [1], "object_id": 7, "window": {"seconds": 5}, "run_in": "1h"}),
    ("POST", "/jobs", "/jobs", {"array": ["x"]}),
    ("POST", "/jobs/bulk", "/jobs/bulk", {"jobs": [{"array": [1]}, {"array": [None]}, 7]}),
    ("GET", "/jobs?limit=2", "/jobs", None),
    ("GET", "/jobs?limit=0", "/jobs", None),
    ("GET", "/jobs/none", "/jobs/{job_id}", None),
    ("GET", "/board", "/board", None),
    ("GET", "/groups", "/groups", None),
    ("GET", "/groups/group_a", "/groups/{name}", None),
    ("POST", "/groups/group_a/runs", "/groups/{name}/runs", None),
    ("POST", "/groups/group_b/runs", "/groups/{name}/runs", None),
    ("POST", "/schedules", "/schedules", {"cron": "0 3 * * *", "job": {"array": [1]}}),
    ("GET", "/schedules", "/schedules", None),
    ("POST", "/uploads", "/uploads", {"bytes": 7}),
    ("GET", "/stats", "/stats", None),
    ("GET", "/health", "/health", None),
]


def fits(body: Any, operation: Any, status: int) -> None:
    """Raises where the body is not what the spec says of this status."""
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = SPEC["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = next(iter(response["content"].values()))["schema"]
    whole = {**schema, "components": SPEC["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(body)


def test_the_spec_in_the_tree_is_what_the_models_make() -> None:
    assert spec.FILE.read_text("utf-8") == spec.text()


def test_the_spec_is_valid_openapi_3_1() -> None:
    assert SPEC["openapi"].startswith("3.1")
    validate(SPEC)


def test_each_task_has_a_request_by_name_and_every_union_is_of_names() -> None:
    schemas = SPEC["components"]["schemas"]
    for name in tasks.load():
        title = name.capitalize()
        assert {f"{title}Job", f"{title}Input", f"Scheduled{title}Job"} <= schemas.keys()
    for union in ("JobRequest", "ScheduledJob"):
        assert all(set(part) == {"$ref"} for part in schemas[union]["oneOf"])


def test_what_operations_share_stands_once() -> None:
    for path, operations in SPEC["paths"].items():
        for method, operation in operations.items():
            assert operation["tags"], (method, path)
            assert all(set(parameter) == {"$ref"} for parameter in operation.get("parameters", ()))
            problems = [text for status, text in operation["responses"].items() if status >= "400"]
            assert all(set(problem) == {"$ref"} for problem in problems)
    assert SPEC["info"]["license"]["identifier"] == "Apache-2.0"
    assert len(spec.FILE.read_text("utf-8").splitlines()) < 2_000


def test_the_spec_is_served_as_it_is(memory: MemoryApi) -> None:
    answer = memory.ask("GET", "/openapi.json")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/json", SPEC)


def test_every_route_of_the_app_is_in_the_spec(memory: MemoryApi) -> None:
    views = memory.module.app.routes.items()
    served = {path: {method.lower() for method in methods if method != "HEAD"} for path, methods in views}
    served.pop("/web/{folder}/{name}")  # the page's own files
    assert {path: set(operations) for path, operations in SPEC["paths"].items()} == served


@pytest.mark.parametrize(("method", "path", "route", "body"), CALLS)
def test_answers_are_what_the_spec_says(memory: MemoryApi, method: str, path: str, route: str, body: Any) -> None:
    for number in range(3):
        memory.submit(array=[number])
    memory.submit(task="fail", input={"message": "x"}, object_id="o", window={})
    memory.work()
    answer = memory.ask(method, path, body)
    fits(answer.body, SPEC["paths"][route][method.lower()], answer.status)


def test_a_job_in_every_status_is_what_the_spec_says(memory: MemoryApi) -> None:
    memory.submit(array=[1])
    memory.submit(task="fail", input={"message": "x"}, max_attempts=1)
    memory.submit(task="fail", input={"message": "x"})
    memory.ask("DELETE", f"/jobs/{memory.submit(array=[1], run_in=5)['id']}")
    memory.work()
    memory.submit(array=list(range(2_000)))
    statuses = set()
    for summary in memory.ask("GET", "/jobs").body["jobs"]:
        job = memory.job(summary["id"])
        statuses.add(job["status"])
        fits(job, SPEC["paths"]["/jobs/{job_id}"]["get"], 200)
    assert statuses == {"completed", "failed", "scheduled", "canceled", "pending"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"array": [1], "task": "sort"}, 422),
        ({"array": [1], "window": {}}, 422),
        ({"task": "sort", "input": {"seconds": 1}}, 422),
        ({"task": "nothing", "input": {}}, 422),
        ({"array": [1], "run_in": 5, "run_at": "2027-02-01T00:00:00Z"}, 422),
        ({"task": "sleep", "input": {"seconds": 1}, "object_id": 7, "window": {"on_repeat": "reuse"}}, 202),
        ({"array": [1], "task": None, "run_in": None, "timeout": None}, 202),
    ],
)
def test_the_spec_and_the_service_agree_on_a_request(memory: MemoryApi, body: Any, status: int) -> None:
    schema = {"$ref": "#/components/schemas/JobRequest", "components": SPEC["components"]}
    assert Draft202012Validator(schema).is_valid(body) == (status == 202)
    assert memory.ask("POST", "/jobs", body).status == status


def test_every_row_is_registered_with_its_guard(memory: MemoryApi) -> None:
    rows = {(row.method, row.path, row.view) for row in routes.ROUTES}
    rows |= {("HEAD", path, view) for method, path, view in rows if method == "GET"}
    views = memory.module.app.routes.items()
    assert rows == {(method, path, entry.view_name) for path, entries in views for method, entry in entries.items()}


@pytest.mark.parametrize("row", routes.ROUTES, ids=lambda row: row.view)
def test_every_route_refuses_a_query_parameter_that_nothing_reads(memory: MemoryApi, row: routes.Route) -> None:
    answer = memory.ask(row.method, f"{re.sub('{.*?}', 'x', row.path)}?colour=red")
    assert (answer.status, answer.locs) == (422, ["colour"])


@pytest.mark.parametrize("row", routes.ROUTES, ids=lambda row: row.view)
def test_every_route_refuses_a_field_that_nothing_reads(memory: MemoryApi, row: routes.Route) -> None:
    job = memory.submit(array=[1])
    memory.work()
    path = re.sub("{.*?}", "x", row.path.replace("{job_id}", job["id"]))
    answer = memory.ask(row.method, path, raw=b'{"colour": 1}')
    assert (answer.status, answer.locs) == (422, ["colour"])
