"""The JSON Schemas of a job request, one by name for each task: what a single model with optional fields cannot say.

Tools that make clients read unions of named schemas only.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.config import LONGEST_TIMEOUT_SECONDS
from chalicelib.core.task import Task

Json = dict[str, Any]
NULL: Json = {"type": "null"}
NUMBERS: Json = {"type": "array", "items": {"type": "number"}}
UPLOAD: Json = {
    "title": "UploadedInput",
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


def build_job_schemas(model: Json, tasks: Mapping[str, Task]) -> dict[str, Json]:
    """`JobRequest`, `ScheduledJob` for the job of a schedule, and what they are made of. `model`: the schema msgspec
    makes of JobRequest.
    """
    own = {name: schema for name, schema in model["properties"].items() if name not in ("array", "task", "input")}
    schemas: dict[str, Json] = {"UploadedInput": UPLOAD}
    schemas |= {_pascal(name) + "Input": _titled(_pascal(name) + "Input", task) for name, task in tasks.items()}
    for name, prefix, fields in (
        ("JobRequest", "", own),
        ("ScheduledJob", "Scheduled", {field: own[field] for field in own if field not in DUE}),
    ):
        shapes = _build_shapes(prefix, fields, tasks)
        schemas |= shapes | {name: {"oneOf": [refer(shape) for shape in shapes]}}
    schemas["JobRequest"]["description"] = model["description"]
    schemas["ScheduledJob"]["description"] = "A job request without a time of its own and without an upload."
    return schemas


def refer(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def inline(schema: Json) -> Json:
    """A schema of one struct stands by itself, without the detour over $defs."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name and len(schema.get("$defs", {})) == 1 else schema


def input_schema(task: Task) -> Json:
    return inline(task.input_schema or msgspec.json.schema(task.input))


def _build_shapes(prefix: str, fields: Json, tasks: Mapping[str, Task]) -> dict[str, Json]:
    """By name: a job of an array, and a job of each task."""
    array: Json = {"array": NUMBERS, "task": NULL}
    shapes = [_shape(f"{prefix}ArrayJob", "Short for the task `sort`.", array, _timed(fields), ["array"])]
    for name in sorted(tasks):
        payload = refer(_pascal(name) + "Input")
        either = payload if prefix else {"oneOf": [payload, refer("UploadedInput")]}
        own: Json = {"task": {"type": "string", "const": name}, "input": either}
        title = f"{prefix}{_pascal(name)}Job"
        shapes.append(_shape(title, tasks[name].summary, own, _timed(fields, tasks[name].longest), ["task", "input"]))
    return {shape["title"]: shape for shape in shapes}


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


def _titled(title: str, task: Task) -> Json:
    return input_schema(task) | {"title": title}


def _pascal(name: str) -> str:
    """`word_count` is WordCount."""
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_"))
