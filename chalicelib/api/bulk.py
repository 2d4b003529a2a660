"""Up to a hundred jobs in one request, each judged by itself."""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec

from chalicelib.api.body import RequestContext, decode_body
from chalicelib.api.fields import AnyJson
from chalicelib.api.jobs import JobAnswer, brief, judge_job
from chalicelib.api.problems import Problem, to_problem
from chalicelib.core.job import Job
from chalicelib.errors import SortieError
from chalicelib.service.new_job import NewJob
from chalicelib.service.submit import Submitted


class BulkRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One to a hundred job requests, each judged by itself."""

    jobs: Annotated[list[AnyJson], msgspec.Meta(min_length=1, max_length=100)]


class BulkResult(msgspec.Struct, omit_defaults=True):
    status: int
    job: JobAnswer | None = None
    problem: Problem | None = None


class BulkAnswer(msgspec.Struct):
    results: list[BulkResult]


def parse_bulk(raw: bytes, context: RequestContext) -> tuple[list[NewJob | SortieError], list[bytes]]:
    """Each entry checked by itself, and its bytes."""
    bodies = [bytes(entry) for entry in decode_body(raw, BulkRequest).jobs]
    return [judge_job(body, context) for body in bodies], bodies


def render_bulk(results: Sequence[Submitted | SortieError], render: Callable[[Job], JobAnswer]) -> BulkAnswer:
    return BulkAnswer([_render_result(result, render) for result in results])


def _render_result(result: Submitted | SortieError, render: Callable[[Job], JobAnswer]) -> BulkResult:
    if isinstance(result, Submitted):
        return BulkResult(202 if result.created else 200, job=render(brief(result.job)))
    problem = to_problem(result)
    return BulkResult(problem.status, problem=problem)
