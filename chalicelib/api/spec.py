"""OpenAPI 3.1 from the rows of routes.py, the models they name, and the tasks' own types. What many operations share
stands once, under components.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.api.body import KEY_FORM
from chalicelib.api.job_schema import RULES, build_job_schemas, inline, input_schema, refer
from chalicelib.api.jobs import JobRequest, PayloadLink, WindowRequest
from chalicelib.api.problems import CONTENT_TYPE, Problem
from chalicelib.api.routes import ROUTES, Route
from chalicelib.core.task import Task

VERSION = "0.1.0"
Json = dict[str, Any]
ID = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/?#%]+$"}
WORDS = {
    200: "As it stands", 201: "Made", 202: "Accepted", 204: "Gone", 207: "A result for each, in order",
}  # fmt: skip
TAGS = {
    "jobs": "Submit, read, cancel and retry jobs",
    "groups": "Lists of jobs by name, started together",
    "schedules": "Cron lines that submit a job each time they fire",
    "uploads": "Inputs too large for a request",
    "look": "What goes on: board, statistics, health, pages",
}
HEADERS: Json = {
    "X-Request-Id": {"required": True, "schema": {"type": "string"}},
    "Location": {"required": True, "schema": {"type": "string"}},
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}},
    "Allow": {"required": True, "schema": {"type": "string"}},
}
# By status, where a problem has a header of its own.
PROBLEMS = {405: ("NotAllowed", "Allow"), 429: ("TryLater", "Retry-After"), 503: ("TryLater", "Retry-After")}
PAYLOAD: Json = {
    "description": "An input or output: what the task takes or gives, a link to it, or null where there is none.",
    "anyOf": [{"type": "null"}, refer("PayloadLink"), refer("PayloadObject")],
}
PAYLOAD_OBJECT: Json = {"title": "PayloadObject", "type": "object", "additionalProperties": True}
KEY: Json = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": KEY_FORM}}


def build_spec(tasks: Mapping[str, Task]) -> Json:
    """The whole document, in a stable order."""
    routes = [route for route in ROUTES if not route.hidden]
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _build_operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sortie", "version": VERSION, "description": "Background jobs over REST.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _build_schemas(routes, tasks),
            "parameters": _build_parameters(routes),
            "headers": HEADERS,
            "responses": {"Problem": _build_problem()}
            | {name: _build_problem(header) for name, header in PROBLEMS.values()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
        "x-tasks": {name: _build_task(task) for name, task in sorted(tasks.items())},
    }  # fmt: skip


def operation_id(view: str) -> str:
    """`submit_job` is submitJob."""
    first, *rest = view.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _build_schemas(routes: list[Route], tasks: Mapping[str, Task]) -> Json:
    models: list[Any] = [JobRequest, WindowRequest, Problem, PayloadLink]
    models += [model for route in routes for model in route.answers.values() if not isinstance(model, str)]
    models += [route.body for route in routes if route.body is not None]
    _, schemas = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    schemas |= build_job_schemas(schemas["JobRequest"], tasks)
    schemas["RunAgainRequest"]["allOf"] = RULES[1:]
    schemas |= {"Payload": PAYLOAD, "PayloadObject": PAYLOAD_OBJECT}
    return dict(sorted(schemas.items()))


def _build_parameters(routes: list[Route]) -> Json:
    """What may stand in a path, a query or a header, by name: in every route it means the same."""
    parameters: Json = {"Idempotency-Key": KEY}
    for route in routes:
        for name in _path_names(route):
            parameters[name] = {"name": name, "in": "path", "required": True, "schema": ID}
        for each in route.query:
            parameters[_query_key(each.name)] = {"name": each.name, "in": "query", "schema": dict(each.schema)}
    return dict(sorted(parameters.items()))


def _build_operation(route: Route) -> Json:
    responses = {str(status): _build_response(route, status, model) for status, model in route.answers.items()}
    refused = (*route.problems, *(() if route.role is None else (401, 403)), 405, 422, 503)
    for status in sorted(set(refused) - set(route.answers)):
        name, _ = PROBLEMS.get(status, ("Problem", ""))
        responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    operation: Json = {
        "operationId": operation_id(route.view), "summary": route.summary, "tags": [route.tag],
        "responses": dict(sorted(responses.items())),
    }  # fmt: skip
    names = [
        *_path_names(route),
        *(_query_key(each.name) for each in route.query),
        *(["Idempotency-Key"] * route.idempotent),
    ]
    if names:
        operation["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if route.body is not None:
        content = {"application/json": {"schema": refer(route.body.__name__)}}
        operation["requestBody"] = {"required": route.body_required, "content": content}
    if route.role is None:
        operation["security"] = [{}]
    return operation


def _path_names(route: Route) -> list[str]:
    return [part[1:-1] for part in route.path.split("/") if part.startswith("{")]


def _query_key(name: str) -> str:
    """Where a path has a parameter of the same name, this one is listed under another."""
    return f"query.{name}" if any(name in _path_names(route) for route in ROUTES) else name


def _build_response(route: Route, status: int, model: type | str) -> Json:
    located = status in (201, 202) and route.located
    response: Json = {"description": WORDS[status], "headers": _refer_headers(*(["Location"] * located))}
    if status in (201, 202) and route.links:
        response["links"] = {name: _build_link(view, fields) for name, (view, fields) in route.links.items()}
    if isinstance(model, str):
        schema: Json = {"type": "object"} if model == "application/json" else {"type": "string"}
        return response | ({"content": {model: {"schema": schema}}} if model else {})
    return response | {"content": {"application/json": {"schema": refer(model.__name__)}}}


def _build_link(view: str, fields: Mapping[str, str]) -> Json:
    parameters = {name: f"$response.body#/{field}" for name, field in fields.items()}
    return {"operationId": operation_id(view), "parameters": parameters}


def _build_problem(*headers: str) -> Json:
    content = {CONTENT_TYPE: {"schema": refer("Problem")}}
    return {"description": "A problem", "headers": _refer_headers(*headers), "content": content}


def _refer_headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *names)}


def _build_task(task: Task) -> Json:
    return {"summary": task.summary, "input": input_schema(task), "output": inline(msgspec.json.schema(task.output))}
