"""OpenAPI 3.1 from the rows of routes.py, the models they name, and the tasks' own types."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.api import job_schema
from chalicelib.api.body import KEY_FORM
from chalicelib.api.jobs import JobRequest, WindowRequest
from chalicelib.api.problems import CONTENT_TYPE, Problem
from chalicelib.api.routes import ROUTES, Route
from chalicelib.core.task import Task

VERSION = "0.1.0"
Json = dict[str, Any]
ID = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/?#%]+$"}
WORDS = {
    200: "As it stands", 201: "Made", 202: "Accepted", 204: "Gone", 207: "A result for each, in order",
}  # fmt: skip
HEADERS: Json = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}


def build(tasks: Mapping[str, Task]) -> Json:
    """The whole document, in a stable order."""
    routes = [route for route in ROUTES if not route.hidden]
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _build_operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sortie", "version": VERSION, "description": "Background jobs over REST."},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": _build_schemas(routes, tasks),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
        "x-tasks": {name: _build_task(task) for name, task in sorted(tasks.items())},
    }


def operation_id(view: str) -> str:
    """`submit_job` is submitJob."""
    first, *rest = view.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _build_schemas(routes: list[Route], tasks: Mapping[str, Task]) -> Json:
    models: list[Any] = [JobRequest, WindowRequest, Problem]
    models += [model for route in routes for model in route.answers.values() if not isinstance(model, str)]
    models += [route.body for route in routes if route.body is not None]
    _, schemas = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    return dict(sorted((schemas | job_schema.build(schemas["JobRequest"], tasks)).items()))


def _build_operation(route: Route) -> Json:
    responses = {str(status): _build_response(route, status, model) for status, model in route.answers.items()}
    refused = (*route.problems, *(() if route.role is None else (401, 403)), 405, 422, 503)
    for status in sorted(set(refused) - set(route.answers)):
        responses[str(status)] = _build_problem(status)
    operation: Json = {
        "operationId": operation_id(route.view), "summary": route.summary, "tags": [route.tag],
        "parameters": _build_parameters(route), "responses": dict(sorted(responses.items())),
    }  # fmt: skip
    if route.body is not None:
        schema = {"$ref": f"#/components/schemas/{route.body.__name__}"}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": route.body_required, "content": content}
    if route.role is None:
        operation["security"] = [{}]
    return operation


def _build_parameters(route: Route) -> list[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters: list[Json] = [{"name": name, "in": "path", "required": True, "schema": ID} for name in names]
    parameters += [{"name": each.name, "in": "query", "schema": dict(each.schema)} for each in route.query]
    if route.idempotent:
        schema = {"type": "string", "pattern": KEY_FORM}
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": schema})
    return parameters


def _build_response(route: Route, status: int, model: type | str) -> Json:
    response: Json = {"description": WORDS[status], "headers": dict(HEADERS)}
    if status in (201, 202) and route.located:
        response["headers"]["Location"] = {"required": True, "schema": {"type": "string"}}
    if status in (201, 202) and route.links:
        response["links"] = {name: _build_link(view, fields) for name, (view, fields) in route.links.items()}
    if isinstance(model, str):
        schema: Json = {"type": "object"} if model == "application/json" else {"type": "string"}
        return response | ({"content": {model: {"schema": schema}}} if model else {})
    ref = {"$ref": f"#/components/schemas/{model.__name__}"}
    return response | {"content": {"application/json": {"schema": ref}}}


def _build_link(view: str, fields: Mapping[str, str]) -> Json:
    parameters = {name: f"$response.body#/{field}" for name, field in fields.items()}
    return {"operationId": operation_id(view), "parameters": parameters}


def _build_problem(status: int) -> Json:
    headers = dict(HEADERS)
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer", "minimum": 1}}
    if status == 405:
        headers["Allow"] = {"required": True, "schema": {"type": "string"}}
    ref = {"$ref": "#/components/schemas/Problem"}
    return {"description": "A problem", "headers": headers, "content": {CONTENT_TYPE: {"schema": ref}}}


def _build_task(task: Task) -> Json:
    output = job_schema.inlined(msgspec.json.schema(task.output))
    return {"summary": task.summary, "input": job_schema.input_of(task), "output": output}
