"""Lists of jobs: a page of them, and the board."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from chalicelib.api.jobs import JobSummary, render_summary
from chalicelib.api.query import (
    GROUP,
    LIMIT,
    SCHEDULE_ID,
    SINCE,
    STATUS,
    TASK,
    UNTIL,
    query_choice,
    query_cursor,
    query_int,
    query_moment,
    query_name,
    query_object_id,
    query_owner,
)
from chalicelib.core.access import Principal
from chalicelib.core.filters import Filter
from chalicelib.core.ids import first_id
from chalicelib.core.job import Job, Millis, Status
from chalicelib.core.task import Task
from chalicelib.errors import FieldError, Invalid
from chalicelib.service.read import Board

UNTIL_AHEAD_MS: Millis = 3_600_000
"""A job made ahead has an id in the future: a list goes an hour beyond now, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    chosen: Filter
    limit: int
    before: str | None


class JobList(msgspec.Struct):
    jobs: list[JobSummary]
    next: str | None


class BoardAnswer(msgspec.Struct):
    running: dict[str, JobSummary]
    scheduled: dict[str, JobSummary]
    history: dict[str, JobSummary]


def parse_page(query: Mapping[str, str], principal: Principal, tasks: Mapping[str, Task], now: Millis) -> PageRequest:
    """The query of GET /jobs. Raises Invalid, Forbidden."""
    since, until = query_moment(query, SINCE, now), query_moment(query, UNTIL, now)
    if since is not None and until is not None and since >= until:
        raise Invalid(FieldError(SINCE.name, "must be before until"))
    status, task = query_choice(query, STATUS), query_name(query, TASK)
    chosen = Filter(
        query_owner(query, principal),
        statuses=frozenset({Status(status)}) if status else frozenset(Status),
        task=task,
        object_id=query_object_id(query),
        group=query_name(query, GROUP),
        schedule_id=query_name(query, SCHEDULE_ID),
        quick_task=task is not None and task in tasks and tasks[task].quick,
        since=None if since is None else first_id(since),
        until=first_id(now + UNTIL_AHEAD_MS if until is None else until),
    )
    return PageRequest(chosen, query_int(query, LIMIT), query_cursor(query))


def render_page(rows: list[Job], cursor: str | None, now: Millis) -> JobList:
    return JobList([render_summary(row, now) for row in rows], cursor)


def render_board(board: Board) -> BoardAnswer:
    sides = (board.running, board.scheduled, board.history)
    return BoardAnswer(*({row.id: render_summary(row, board.now) for row in side} for side in sides))
