"""A job survives the way into an item and back, whatever is in it; and a change's result survives likewise."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws import items
from chalicelib.core.job import WAITING, Attempt, Container, Error, Inline, Job, Status, Stored, Window
from chalicelib.core.shards import Shards

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MILLIS = st.integers(0, 1 << 45)
REALS = st.floats(0, 1e9, allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
ERRORS = st.builds(Error, TEXT, TEXT)
PAYLOADS = st.one_of(
    st.builds(Inline, st.binary(max_size=50)), st.builds(Stored, TEXT, st.integers(0, 1 << 40), st.booleans())
)
OBJECTS = st.one_of(TEXT, st.integers(), st.integers(1 << 62, 1 << 70))
ATTEMPTS = st.lists(st.builds(Attempt, st.integers(1, 99), MILLIS, MILLIS, TEXT, st.none() | ERRORS), max_size=3)

CONTAINERS = st.builds(
    Container, st.integers(1, 99), TEXT, st.none() | MILLIS, st.none() | st.integers(0, 255), st.integers(0, 99),
    st.none() | MILLIS,
)  # fmt: skip


def or_none(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": TEXT, "owner": TEXT, "task": TEXT, "status": st.sampled_from(Status), "created_at": MILLIS, "run_at": MILLIS,
    "not_before": MILLIS, "timeout": REALS, "max_attempts": st.integers(1, 10), "attempt_limit": st.integers(0, 99),
    "input": PAYLOADS, "wake_at": or_none(MILLIS), "attempts": st.integers(0, 99), "quick": st.booleans(),
    "object_id": or_none(OBJECTS), "group": or_none(TEXT), "run_id": or_none(TEXT), "label": or_none(TEXT),
    "window": or_none(st.builds(Window, st.integers(1, 86_400), TEXT, MILLIS, TEXT)), "started_at": or_none(MILLIS),
    "finished_at": or_none(MILLIS), "duration_ms": or_none(REALS), "progress": or_none(REALS),
    "error": or_none(ERRORS), "output": or_none(PAYLOADS), "cancel_requested": st.booleans(),
    "claim_token": or_none(TEXT), "past_attempts": ATTEMPTS.map(tuple), "expires_at": or_none(MILLIS),
    "request_id": or_none(TEXT), "parent_id": or_none(TEXT), "traceparent": or_none(TEXT),
    "canceled_by": or_none(TEXT), "canceled_at": or_none(MILLIS), "retried_by": or_none(TEXT),
    "retried_at": or_none(MILLIS), "remote": st.booleans(), "container": or_none(CONTAINERS),
    "pure": st.booleans(), "resends": st.integers(0, 99), "schedule_id": or_none(TEXT), "slot_at": or_none(MILLIS),
}  # fmt: skip
JOBS = st.builds(Job, **FIELDS)


def test_every_field_of_a_job_is_drawn_here() -> None:
    """A new one is not held to the way into an item and back until it has a line above."""
    assert set(FIELDS) == set(Job.__struct_fields__)


@given(JOBS)
@settings(deadline=None)
def test_a_job_survives_the_way_into_an_item_and_back(job: Job) -> None:
    item = items.to_item(job, Shards())
    assert items.from_item(item) == job
    assert ("wake_shard" in item) == (job.wake_at is not None)
    assert ("due_at" in item) == (job.status in WAITING)
    assert ("task_key" in item) == (not job.quick)


@given(JOBS)
@settings(deadline=None)
def test_nothing_a_user_sent_becomes_a_dynamodb_number(job: Job) -> None:
    item = items.to_item(job, Shards())
    for name in ("input", "output", "object_id", "label", "object_key", "error", "window", "group"):
        assert "N" not in item.get(name, {})
