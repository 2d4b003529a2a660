"""The client's structs are the spec's schemas, and keep what a newer service says beyond them."""

import json
from datetime import UTC, datetime
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from sortie_client import answers
from sortie_client.reading import Answer, read
from tests.support.spec import SCHEMAS, names_of

KINDS = {
    answers.JobState: "JobAnswer", answers.JobPage: "JobList", answers.BulkAnswer: "BulkAnswer",
    answers.BulkResult: "BulkResult", answers.Board: "BoardAnswer", answers.GroupList: "GroupList",
    answers.Group: "GroupAnswer", answers.RunStarted: "RunStarted", answers.RunState: "RunAnswer",
    answers.RunJob: "RunJob", answers.Schedule: "ScheduleAnswer", answers.ScheduleList: "ScheduleList",
    answers.Upload: "UploadAnswer", answers.Depth: "QueueAnswer", answers.Percentiles: "Percentiles",
    answers.Minute: "MinuteAnswer", answers.LaneDepth: "LaneAnswer", answers.Stats: "StatsAnswer",
    answers.Problem: "Problem",
    answers.Window: "WindowAnswer", answers.Container: "ContainerAnswer", answers.Attempt: "AttemptAnswer",
}  # fmt: skip


def kinds_of(hint: Any) -> set[str]:
    """JSON's words for what a struct's field may be."""
    if hint is Any or msgspec.Raw in (hint, *get_args(hint)):
        return {"any"}
    if isinstance(hint, type) and issubclass(hint, Answer):
        return {"object"}
    plain = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null", datetime: "date-time"}
    if hint in plain:
        return {plain[hint]}
    if get_origin(hint) in (list, dict):
        return {"array" if get_origin(hint) is list else "object"}
    return set().union(*(kinds_of(each) for each in get_args(hint)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_struct_has_the_fields_of_its_schema(kind: type[Answer]) -> None:
    known = set(kind.__struct_fields__) - {"extra"}
    assert known == set(SCHEMAS[KINDS[kind]]["properties"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_struct_takes_whatever_its_schema_allows(kind: type[Answer]) -> None:
    hints = get_type_hints(kind)
    for name, schema in SCHEMAS[KINDS[kind]]["properties"].items():
        ours, theirs = kinds_of(hints[name]), names_of(schema)
        assert "any" in ours or theirs <= ours, f"{name} may be {theirs}, and the client reads {ours}"


def test_unknown_fields_are_kept_wherever_they_stand() -> None:
    job = {
        "id": "x", "task": "sort", "status": "failed", "colour": {"of": ["the", 1]},
        "error": {"type": "timeout", "message": "m", "hint": 2**80}, "attempts": 1,
        "attempt_log": [{"attempt": 1, "started_at": "2026-11-25T10:00:00.120Z", "ended_at": "2026-11-25T10:00:01Z",
                         "outcome": "timeout", "error": None, "host": "h"}],
    }  # fmt: skip
    page = read(answers.JobPage, json.dumps({"jobs": [job], "next": None, "total": 7}).encode())
    state = page.jobs[0]
    assert page.extra == {"total": 7}
    assert state.extra == {"colour": {"of": ["the", 1]}}
    assert state.error is not None
    assert state.error.extra == {"hint": 2**80}
    assert state.attempt_log[0].extra == {"host": "h"}
    assert state.attempt_log[0].started_at == datetime(2026, 11, 25, 10, 0, 0, 120_000, UTC)
    again = json.loads(msgspec.json.encode(state.to_dict()))
    assert {name: again[name] for name in job} == {**job, "attempt_log": [
        {**job["attempt_log"][0], "ended_at": "2026-11-25T10:00:01.000Z"}  # type: ignore[index]
    ]}  # fmt: skip


def test_an_output_is_printed_as_it_came_to_the_last_digit() -> None:
    text = b'{"id":"x","task":"sort","status":"completed","output":{"array":[1e2,1.10,123456789012345678901234567890]}}'
    state = read(answers.JobState, text)
    assert b'"output":{"array":[1e2,1.10,123456789012345678901234567890]}' in msgspec.json.encode(state.to_dict())
