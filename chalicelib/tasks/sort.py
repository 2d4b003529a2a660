"""sort: numbers in, the same numbers out, in order and exact."""

from typing import Annotated

import msgspec

from chalicelib.core.task import Context, TaskError, task
from chalicelib.errors import FieldError, Invalid
from chalicelib.tasks.sorting import numbers

NUMBERS = {"type": "array", "items": {"type": "number"}}
Numbers = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=NUMBERS)]


class SortInput(msgspec.Struct, forbid_unknown_fields=True):
    array: Numbers
    descending: bool = False


class SortOutput(msgspec.Struct):
    array: Numbers


def check(task_input: SortInput) -> None:
    try:
        numbers.check(bytes(task_input.array))
    except numbers.BadNumber as bad:
        raise Invalid(FieldError(f"array{bad.loc}", bad.msg)) from None


def adopt(upload: bytes) -> bytes:
    """An upload holds the input itself, a bare JSON array, or text with one number a line."""
    start = numbers.first_letter(upload)
    if start == b"{":
        return upload
    try:
        array = numbers.from_array(upload) if start == b"[" else numbers.from_text(upload)
    except numbers.BadNumber as bad:
        form = "array" if start == b"[" else "the upload is neither JSON nor one number a line: "
        raise TaskError(f"{form}{bad.loc}: {bad.msg}") from None
    return b'{"array":' + array + b"}"


@task("sort", summary="Sort numbers, exactly", quick=True, pure=True, check=check, adopt=adopt)
def sort(task_input: SortInput, context: Context) -> SortOutput:
    try:
        ordered = numbers.sort(bytes(task_input.array), descending=task_input.descending)
    except numbers.BadNumber as bad:
        raise TaskError(f"array{bad.loc}: {bad.msg}") from None
    return SortOutput(array=msgspec.Raw(ordered))
