"""Loaded by Schemathesis: values for the formats of the spec, of which it could only guess wrong ones."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

YEAR = 360 * 86_400
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
FIELDS = (
    ("*", "*/15", "0", "7,37", "5-9"),
    ("*", "*/6", "0", "9-17", "3,21"),
    ("*", "1", "*/5", "10-20"),
    ("*", "1-6", "JAN,JUL", "12"),
    ("*", "MON-FRI", "0", "6,7"),
)

in_seconds = st.integers(0, YEAR).map("{}s".format)
in_units = st.tuples(st.integers(0, 300), st.sampled_from("mhd")).map(lambda pair: f"{pair[0]}{pair[1]}")
times = st.integers(600, YEAR).map(lambda ahead: datetime.now(UTC) + timedelta(seconds=ahead))

schemathesis.openapi.format("run-in", in_seconds | in_units)
schemathesis.openapi.format(
    "run-at", times.map(datetime.isoformat) | times.map(lambda at: at.strftime("%d-%m-%Y %H:%M:%S"))
)
schemathesis.openapi.format("moment", in_units | times.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")))
schemathesis.openapi.format("cron", st.tuples(*map(st.sampled_from, FIELDS)).map(" ".join))
schemathesis.openapi.format("iana-time-zone", st.sampled_from(ZONES))
schemathesis.openapi.format("upload-id", st.just(os.environ["UPLOAD_ID"]))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """What is right one request at a time: no long waits, and no key of an earlier request for another body."""
    query, headers = case.query or {}, case.headers or {}
    if str(query.get("wait")) in map(str, range(2, 26)):
        case.query = {**query, "wait": 1}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        case.headers = {**headers, "Idempotency-Key": key + uuid4().hex}
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _keep_what_no_schema_says(case)


def _keep_what_no_schema_says(case: Any) -> None:
    """`since` before `until`, what the earlier job's task takes, how often a log may repeat, and which images and sizes
    go together."""
    query, body = case.query or {}, case.body
    if "since" in query and "until" in query:
        case.query = {name: text for name, text in query.items() if name != "until"}
    if case.path.endswith("/run-again") and isinstance(body, dict):
        case.body = {name: field for name, field in body.items() if name not in ("array", "input")}
    elif isinstance(body, dict) and isinstance(body.get("job"), dict):
        case.body = {**body, "job": _keep_job(body["job"])}
    elif isinstance(body, dict):
        case.body = _keep_job(body)


def _keep_job(job: dict[str, Any]) -> dict[str, Any]:
    if job.get("task") == "container":
        return {"array": [1]}
    if job.get("task") == "log" and isinstance(job.get("input"), dict) and "message" in job["input"]:
        return {**job, "input": {**job["input"], "interval": 1.0}}
    return job
