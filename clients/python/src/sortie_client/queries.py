"""Plans that look: lists, the board, groups and runs, schedules, statistics, logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sortie_client import asking
from sortie_client.answers import Board, Group, GroupList, JobPage, RunStarted, RunState, Schedule, ScheduleList, Stats
from sortie_client.plans import Plan, Response
from sortie_client.requests import timed
from sortie_client.retries import Retries

PAGE = 100


def page(policy: Retries, filters: Mapping[str, Any], cursor: str | None) -> Plan[JobPage]:
    query = query_of(filters) | ({"cursor": cursor} if cursor else {})
    return asking.answer(JobPage, (yield from asking.get(policy, "/jobs", query)))


def query_of(filters: Mapping[str, Any]) -> dict[str, str]:
    """In a query, 7 is the integer and "7", in quotes, the text."""
    query = {name: str(timed(value)) for name, value in filters.items() if value is not None}
    if isinstance(filters.get("object_id"), str):
        query["object_id"] = f'"{filters["object_id"]}"'
    return query


def board(policy: Retries, owner: str | None) -> Plan[Board]:
    return asking.answer(Board, (yield from asking.get(policy, "/board", query_of({"owner": owner}))))


def stats(policy: Retries, span: str, owner: str | None) -> Plan[Stats]:
    return asking.answer(Stats, (yield from asking.get(policy, "/stats", query_of({"span": span, "owner": owner}))))


def groups(policy: Retries) -> Plan[list[Group]]:
    return asking.answer(GroupList, (yield from asking.get(policy, "/groups"))).groups


def start_run(policy: Retries, group: str, key: str | None) -> Plan[RunStarted]:
    path = f"/groups/{asking.quoted(group)}/runs"
    return asking.answer(RunStarted, (yield from asking.post(policy, path, None, key)))


def run(policy: Retries, group: str, run_id: str, owner: str | None) -> Plan[RunState]:
    path = f"/groups/{asking.quoted(group)}/runs/{asking.quoted(run_id)}"
    return asking.answer(RunState, (yield from asking.get(policy, path, query_of({"owner": owner}))))


def schedules(policy: Retries, owner: str | None) -> Plan[list[Schedule]]:
    """All of them, page by page; without their jobs."""
    schedules: list[Schedule] = []
    cursor: str | None = None
    while True:
        query = query_of({"owner": owner, "limit": 100, "cursor": cursor})
        page = asking.answer(ScheduleList, (yield from asking.get(policy, "/schedules", query)))
        schedules += page.schedules
        cursor = page.next
        if cursor is None:
            return schedules


def add_schedule(policy: Retries, body: Mapping[str, Any], key: str | None) -> Plan[Schedule]:
    return asking.answer(Schedule, (yield from asking.post(policy, "/schedules", msgspec.json.encode(body), key)))


def remove_schedule(policy: Retries, schedule_id: str) -> Plan[Response]:
    return asking.delete(policy, f"/schedules/{asking.quoted(schedule_id)}")


def role(policy: Retries) -> Plan[str]:
    """What the token may do: read, submit or admin."""
    response = yield from asking.get(policy, "/jobs", {"limit": "1"})
    asking.answer(JobPage, response)
    return response.headers.get("sortie-role", "unknown")
