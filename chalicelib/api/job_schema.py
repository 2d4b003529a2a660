"""The JSON Schema of a job request, one shape for each task: what a single model with optional fields cannot say."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.config import LONGEST_TIMEOUT_SECONDS
from chalicelib.core.task import Task

Json = dict[str, Any]
NULL: Json = {"type": "null"}
NUMBERS: Json = {"type": "array", "items": {"type": "number"}}
UPLOAD: Json = {
    "type": "object",
    "description": "An input that was uploaded before: the id is from POST /uploads.",
    "properties": {"upload": {"type": "string", "format": "upload-id"}},
    "required": ["upload"],
    "additionalProperties": False,
}
# A window needs an object, and a job is due at one time.
RULES: list[Json] = [
    {
        "if": {"required": ["window"], "properties": {"window": {"type": "object"}}},
        "then": {"required": ["object_id"], "properties": {"object_id": {"type": ["string", "integer"]}}},
    },
    {
        "if": {"required": ["run_in"], "properties": {"run_in": {"type": ["string", "number"]}}},
        "then": {"properties": {"run_at": NULL}},
    },
]
DUE = ("run_in", "run_at")


def build(model: Json, tasks: Mapping[str, Task]) -> dict[str, Json]:
    """`JobRequest`, and `ScheduledJob` for the job of a schedule. `model`: the schema msgspec makes of JobRequest."""
    fields = {name: schema for name, schema in model["properties"].items() if name not in ("array", "task", "input")}
    undated = {name: schema for name, schema in fields.items() if name not in DUE}
    return {
        "JobRequest": {
            "description": model["description"],
            "oneOf": [_of_array(fields), *(_of_task(task, fields, uploads=True) for task in _sorted(tasks))],
        },
        "ScheduledJob": {
            "description": "A job request without a time of its own and without an upload.",
            "oneOf": [_of_array(undated), *(_of_task(task, undated, uploads=False) for task in _sorted(tasks))],
        },
    }


def inlined(schema: Json) -> Json:
    """A schema of one struct stands by itself, without the detour over $defs."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name and len(schema.get("$defs", {})) == 1 else schema


def input_of(task: Task) -> Json:
    return inlined(task.input_schema or msgspec.json.schema(task.input))


def _sorted(tasks: Mapping[str, Task]) -> list[Task]:
    return [tasks[name] for name in sorted(tasks)]


def _of_array(fields: Json) -> Json:
    own: Json = {"array": NUMBERS, "task": NULL}
    return _shape("array", "Short for the task `sort`.", own, _timed(fields), ["array"])


def _of_task(task: Task, fields: Json, *, uploads: bool) -> Json:
    payload = {"anyOf": [input_of(task), UPLOAD]} if uploads else input_of(task)
    own = {"task": {"const": task.name}, "input": payload}
    return _shape(task.name, task.summary, own, _timed(fields, task.longest), ["task", "input"])


def _timed(fields: Json, longest: float | None = None) -> Json:
    """The longest time-out is the task's own."""
    number, null = fields["timeout"]["anyOf"]
    own = {**fields["timeout"], "anyOf": [{**number, "maximum": longest or LONGEST_TIMEOUT_SECONDS}, null]}
    return fields | {"timeout": own}


def _shape(title: str, description: str, own: Json, fields: Json, required: list[str]) -> Json:
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": own | fields,
        "required": required,
        "additionalProperties": False,
        "allOf": RULES if "run_in" in fields else RULES[:1],
    }
